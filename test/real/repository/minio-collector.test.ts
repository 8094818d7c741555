/** A repository in a real MinIO is checked, mirrored and collected by the users of the manual, with the rights of the manual and no wider ones. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bucketRemoverMinio } from '../../../cli/bucket-care-minio.ts';
import { storeValue } from '../../../cli/store-address.ts';
import { readStoreCredentials } from '../../../cli/store-credentials.ts';
import type { ObjectRemover } from '../../../signer/care/published-source.ts';
import { objectStoreBucket } from '../../../signer/object-store-bucket.ts';
import { signerMemoryFile } from '../../../signer/signer-memory-file.ts';
import { accepted } from '../../accepted.ts';
import { firmament } from '../../cli/run-firmament.ts';
import { LOGGED } from '../../logged-repository.ts';
import { deviceSees, publishAll, type Publisher } from '../../signer/publishing.ts';
import { makeTinyRepository, type TinyRepository } from '../../tiny-repository.ts';
import { startMinio, type MinioServer } from './minio-server.ts';

let minio: MinioServer;
let folder = '';
let repository: TinyRepository;
let publisher: Publisher;
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  minio = await startMinio();
  folder = await mkdtemp(join(tmpdir(), 'firmament-collector-'));
  repository = await makeTinyRepository({ now: Date.now(), log: LOGGED });
  await writeFile(at('1.root.json'), repository.factory.root);
  publisher = { store: objectStoreBucket(await minio.bucketOf('publisher')), memory: signerMemoryFile(at('state')) };
  for (let i = 0; i < 3; i++) {
    accepted(await publishAll(repository, publisher));
    await repository.publishRelease();
  }
});
afterAll(async () => {
  await minio.stop();
  await rm(folder, { recursive: true });
});

/** Runs a verb over the bucket as `user`. */
function run(user: keyof MinioServer['files'], verb: string, ...more: readonly string[]): ReturnType<typeof firmament> {
  const where = ['--store', minio.store, '--store-credentials', minio.files[user], '--root-one', at('1.root.json')];
  return firmament(verb, ...more, ...where);
}

/** The right to remove that a user has. */
async function removerOf(user: keyof MinioServer['files']): Promise<ObjectRemover> {
  const address = storeValue(minio.store);
  if (!('bucket' in address)) throw new Error('MinIO is a bucket');
  return bucketRemoverMinio(address.bucket, accepted(await readStoreCredentials(minio.files[user])));
}

test('the publisher checks the bucket, anybody with the right to get mirrors it, and both are whole', async () => {
  const checked = await run('publisher', 'fsck', '--state', at('state'));
  expect(checked.answer, checked.stderr).toMatchObject({ ok: true, damaged: 0, warnings: 0 });
  const mirrored = await run('server', 'mirror', at('mirror'));
  expect(mirrored.answer, mirrored.stderr).toMatchObject({ ok: true });
  const mirror = await firmament('fsck', '--store', at('mirror'), '--root-one', at('1.root.json'));
  expect(mirror.answer, mirror.stderr).toMatchObject({ ok: true, damaged: 0, warnings: 0 });
});

test('the collector removes what nobody needs; a device goes on as before, and the bucket is whole', async () => {
  const before = await deviceSees(await minio.objects(), repository);
  const young = await run('collector', 'gc', '--state', at('state'), '--versions', '1', '--delete');
  expect(young.answer, young.stderr).toMatchObject({ ok: true, removed: 0 });
  const done = await run('collector', 'gc', '--state', at('state'), '--versions', '1', '--days', '0', '--delete');
  expect(done.answer, done.stderr).toMatchObject({ ok: true });
  expect(Number(done.answer['removed'])).toBeGreaterThan(4);
  expect(await deviceSees(await minio.objects(), repository)).toEqual(before);
  const checked = await run('publisher', 'fsck', '--state', at('state'));
  expect(checked.answer, checked.stderr).toMatchObject({ ok: true, damaged: 0 });
});

test('the collector removes no root, no timestamp and nothing of the log, and writes nothing; the publisher removes nothing', async () => {
  const collector = await removerOf('collector');
  const publishers = await removerOf('publisher');
  const before = await minio.objects();
  for (const name of ['metadata/1.root.json', 'metadata/timestamp.json', 'log/checkpoint', 'log/tile/0/000.p/3']) {
    const denied = { code: 'STORE_ACCESS_DENIED' };
    await expect(collector.remove(`gateway/${name}`), name).rejects.toMatchObject(denied);
    await expect(publishers.remove(`gateway/${name}`), name).rejects.toMatchObject(denied);
  }
  const body = new Uint8Array([1]);
  const put = (await minio.bucketOf('collector'))({ method: 'PUT', name: 'gateway/targets/x', headers: {}, body });
  expect(await put).toMatchObject({ status: 403 });
  expect(await minio.objects()).toEqual(before);
});
