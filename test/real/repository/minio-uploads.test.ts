/** Uploads of proposals into a real MinIO, by addresses of the user that the manual makes for the control plane, and no wider rights. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { uploadDeskBucket } from '../../../ota-server/upload-desk-bucket.ts';
import { testUploadDesk } from '../../ota-server/upload-desk-contract.ts';
import { startMinio, type MinioServer } from './minio-server.ts';

const denied = { status: 403, errorCode: 'AccessDenied' };

let minio: MinioServer;
beforeAll(async () => {
  minio = await startMinio();
});
afterAll(() => minio.stop());

describe('the desk', () => {
  testUploadDesk(async () => {
    await minio.clear();
    const access = await minio.accessOf('control');
    return { desk: uploadDeskBucket(await minio.bucketOf('control'), access), base: access.origin };
  });
});

test('the user of the control plane reaches nothing that is published, and deletes nothing', async () => {
  await minio.clear();
  const control = await minio.bucketOf('control');
  const put = (name: string) => control({ method: 'PUT', name, headers: {}, body: encodeUtf8('x') });
  expect(await put('gateway/metadata/timestamp.json')).toMatchObject(denied);
  expect(await put('incomings/x')).toMatchObject(denied);
  expect(await put('incoming/gateway/x')).toMatchObject({ status: 200 });
  await (
    await minio.bucketOf('publisher')
  )({
    ...{ method: 'PUT', name: 'gateway/metadata/timestamp.json', headers: {}, body: encodeUtf8('x') },
  });
  const got = await control({ method: 'GET', name: 'gateway/metadata/timestamp.json', bytesMax: 9 });
  expect(got).toMatchObject(denied);
});
