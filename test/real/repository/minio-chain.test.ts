/** The whole chain with its repository in a real MinIO, published and served by `firmament` itself; the expectations are the folder's. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testChain } from '../../e2e/chain-contract.ts';
import { startMinio, type MinioServer } from './minio-server.ts';

let minio: MinioServer;
beforeAll(async () => {
  minio = await startMinio();
});
afterAll(() => minio.stop());

testChain(() => Promise.resolve(['--store', minio.store, '--store-credentials', minio.files.publisher]));

test('what devices were served stands in the bucket', async () => {
  const names = [...(await minio.objects()).keys()];
  expect(names).toContain('pilot-gateway/metadata/timestamp.json');
  expect(names.filter((name) => name.endsWith('.gateway.js'))).toHaveLength(4);
});
