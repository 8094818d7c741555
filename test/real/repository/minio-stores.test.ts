/** Publisher's and server's stores on a real MinIO, each as its own user: the contracts, and rights no wider than they need. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bucket } from '../../../formats/bucket.ts';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { artifactStoreBucket, PIECE_BYTES } from '../../../ota-server/artifact-store-bucket.ts';
import { objectStoreBucket } from '../../../signer/object-store-bucket.ts';
import { bytesOf, named, testArtifactStore } from '../../ota-server/artifact-store-contract.ts';
import { testObjectStore } from '../../signer/object-store-contract.ts';
import { BUCKET, OPERATOR, startMinio, type MinioServer } from './minio-server.ts';

const TIMESTAMP = named('gw/metadata/timestamp.json');
const TARGET = named(`gw/targets/1.0.0/app/${'a'.repeat(64)}.app.bin`);
const denied = { name: 'OperationError', code: 'STORE_ACCESS_DENIED', retriable: false };

let minio: MinioServer;
let publisher: Bucket;
let server: Bucket;
beforeAll(async () => {
  minio = await startMinio();
  publisher = await minio.bucketOf('publisher');
  server = await minio.bucketOf('server');
});
afterAll(() => minio.stop());

describe("the publisher's store", () => {
  testObjectStore(async () => {
    await minio.clear();
    return objectStoreBucket(publisher);
  });
});

describe("the server's store", () => {
  testArtifactStore(async () => {
    await minio.clear();
    return {
      store: artifactStoreBucket(server),
      put: async (name, bytes) => void (await minio.operator.putObject(BUCKET, name, Buffer.from(bytes))),
      remove: (name) => minio.operator.removeObject(BUCKET, name),
    };
  });

  test('a long object that is replaced while it is read ends in a fault', async () => {
    const content = Buffer.alloc(PIECE_BYTES + 1, 1);
    await minio.operator.putObject(BUCKET, TARGET, content);
    const artifact = await artifactStoreBucket(server).open(TARGET);
    if (artifact === undefined) throw new Error('it was just published');
    expect(await bytesOf(artifact.read())).toEqual(Uint8Array.from(content));
    await minio.operator.putObject(BUCKET, TARGET, Buffer.alloc(PIECE_BYTES + 1, 2));
    await expect(bytesOf(artifact.read())).rejects.toMatchObject({ code: 'FILE_UNREADABLE', retriable: true });
  });
});

describe('rights', () => {
  test('the user of the server reads, and writes nothing', async () => {
    await minio.clear();
    const store = objectStoreBucket(server);
    await expect(store.put(TIMESTAMP, encodeUtf8('x'), 'create-only')).rejects.toMatchObject(denied);
    await objectStoreBucket(publisher).put(TIMESTAMP, encodeUtf8('one'), 'create-only');
    const seen = await store.get(TIMESTAMP, 9);
    await expect(store.put(TIMESTAMP, encodeUtf8('two'), { replaces: seen?.etag ?? '' })).rejects.toMatchObject(denied);
    expect((await minio.objects()).get(TIMESTAMP)).toEqual(encodeUtf8('one'));
  });

  test('a wrong secret is a denial to either store, never an absence', async () => {
    const stranger = minio.bucketWith({ accessKey: 'publisher', secretKey: 'wrong-secret' });
    await expect(objectStoreBucket(stranger).get(TIMESTAMP, 9)).rejects.toMatchObject(denied);
    await expect(artifactStoreBucket(stranger).tag(TIMESTAMP)).rejects.toMatchObject(denied);
  });

  test('a bucket that does not exist is a fault to either store, never an absence', async () => {
    const elsewhere = minio.bucketWith(OPERATOR, 'another-bucket');
    const missing = { name: 'OperationError', code: 'RESPONSE_UNEXPECTED', retriable: false };
    await expect(objectStoreBucket(elsewhere).get(TIMESTAMP, 9)).rejects.toMatchObject(missing);
    await expect(artifactStoreBucket(elsewhere).open(TIMESTAMP)).rejects.toMatchObject(missing);
  });
});
