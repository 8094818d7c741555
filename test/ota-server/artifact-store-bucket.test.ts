/** The artifact store over a bucket: the contract, pieces of one object only, and no fault that looks like an absence. */
import { describe, expect, test } from 'vitest';
import { artifactStoreBucket, PIECE_BYTES } from '../../ota-server/artifact-store-bucket.ts';
import { bucketInMemory, type Trouble } from '../bucket-in-memory.ts';
import { bytesOf, named, testArtifactStore } from './artifact-store-contract.ts';

const TIMESTAMP = named('gw/metadata/timestamp.json');
const TARGET = named(`gw/targets/1.0.0/app/${'a'.repeat(64)}.app.bin`);

describe('the contract', () => {
  testArtifactStore(() => {
    const { bucket, objects } = bucketInMemory();
    return Promise.resolve({
      store: artifactStoreBucket(bucket),
      put: (name, bytes) => Promise.resolve(void objects.set(name, bytes)),
      remove: (name) => Promise.resolve(void objects.delete(name)),
    });
  });
});

describe('a long object', () => {
  const content = Uint8Array.from({ length: 2 * PIECE_BYTES + 1 }, (_, i) => (i * 31 + (i >> 9)) & 0xff);

  test('is read in pieces that join without a gap, and no piece is longer than its limit', async () => {
    const { bucket, objects, requests } = bucketInMemory();
    objects.set(TARGET, content);
    const artifact = await artifactStoreBucket(bucket).open(TARGET);
    if (artifact === undefined) throw new Error('it stands there');
    expect(await bytesOf(artifact.read())).toEqual(content);
    const range = { start: PIECE_BYTES - 1, endExclusive: 2 * PIECE_BYTES + 1 };
    expect(await bytesOf(artifact.read(range))).toEqual(content.slice(range.start, range.endExclusive));
    for (const request of requests)
      if ('bytesMax' in request) expect(request.bytesMax).toBeLessThanOrEqual(PIECE_BYTES);
  });

  test('that is replaced between two pieces ends in a fault, and no byte of the new one is given', async () => {
    const { bucket, objects } = bucketInMemory();
    objects.set(TARGET, content);
    const artifact = await artifactStoreBucket(bucket).open(TARGET);
    const pieces = artifact?.read()[Symbol.asyncIterator]();
    expect((await pieces?.next())?.value).toEqual(content.slice(0, PIECE_BYTES));
    objects.set(TARGET, new Uint8Array(content.length));
    await expect(pieces?.next()).rejects.toMatchObject({ code: 'FILE_UNREADABLE', retriable: true });
  });

  test.each([
    { status: 206, etag: '"other"', bytes: new Uint8Array(PIECE_BYTES) },
    { status: 200, bytes: content },
    { status: 206, bytes: new Uint8Array(PIECE_BYTES - 1) },
    { status: 403 },
  ])('whose store answers with what was not asked for ends in a fault (%#)', async (answer: Trouble) => {
    const { bucket, objects } = bucketInMemory(({ method }) => (method === 'GET' ? answer : undefined));
    objects.set(TARGET, content);
    const artifact = await artifactStoreBucket(bucket).open(TARGET);
    if (artifact === undefined) throw new Error('it stands there');
    await expect(bytesOf(artifact.read())).rejects.toMatchObject({ name: 'OperationError' });
  });
});

describe('what is no absence', () => {
  test.each([
    [{ status: 403 }, 'STORE_ACCESS_DENIED'],
    [{ status: 404, errorCode: 'NoSuchBucket' }, 'RESPONSE_UNEXPECTED'],
    [{ status: 404 }, 'RESPONSE_UNEXPECTED'],
    [{ status: 599 }, 'RESPONSE_UNEXPECTED'],
    [{ status: 200, sizeBytes: 5 }, 'RESPONSE_UNEXPECTED'],
    [{ status: 200, etag: 'W/"weak"', sizeBytes: 5 }, 'RESPONSE_UNEXPECTED'],
    [{ status: 200, etag: '"a"' }, 'RESPONSE_UNEXPECTED'],
  ])('a store that answers %j is a fault', async (answer, code) => {
    const store = artifactStoreBucket(bucketInMemory(() => answer).bucket);
    await expect(store.tag(TIMESTAMP)).rejects.toMatchObject({ name: 'OperationError', code });
    await expect(store.open(TIMESTAMP)).rejects.toMatchObject({ name: 'OperationError', code });
  });

  test('an object that changes faster than it is read is a fault worth another try', async () => {
    let version = 0;
    const { bucket, objects } = bucketInMemory(() => {
      objects.set(TIMESTAMP, Uint8Array.of(++version));
      return undefined;
    });
    await expect(artifactStoreBucket(bucket).open(TIMESTAMP)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      retriable: true,
    });
  });

  test('an object that appears while its absence is confirmed was absent, and is there at the next look', async () => {
    const { bucket, objects } = bucketInMemory(({ method }) => {
      if (method === 'GET') objects.set(TIMESTAMP, Uint8Array.of(1));
      return undefined;
    });
    const store = artifactStoreBucket(bucket);
    expect(await store.tag(TIMESTAMP)).toBeUndefined();
    expect(await store.tag(TIMESTAMP)).toBeDefined();
  });
});
