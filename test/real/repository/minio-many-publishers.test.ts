/** A hundred publishers at once on MinIO, each of a product of its own, against one signer process that is killed among them. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { objectStoreBucket } from '../../../signer/object-store-bucket.ts';
import { publishByMany } from '../../many-publishers.ts';
import { firmament } from '../../cli/run-firmament.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { startMinio } from './minio-server.ts';

test('a hundred publishers at once are all published in the bucket, and again where the signer is killed in the middle', async () => {
  const minio = await startMinio();
  onTestFinished(() => minio.stop());
  const folder = temporaryFolder('many');
  const options = ['--store', minio.store, '--store-credentials', minio.files.publisher];
  const store = objectStoreBucket(await minio.bucketOf('server'));
  const begun = Date.now();
  const many = await publishByMany({ folder, options, store }, onTestFinished);
  process.stdout.write(
    `${many.publications} publications of 100 products on MinIO in ${Date.now() - begun} ms; ` +
      `the first 100 took ${many.commits} commits; the kill came after ${many.beforeKill} of the others\n`,
  );
  const checked = await firmament('fsck', ...options, '--state', join(folder, 'signer', 'state.db'));
  expect(checked.answer, checked.stderr).toMatchObject({ ok: true, damaged: 0 });
});
