/** The object store over a bucket: the contract, and what becomes of a PUT whose answer never came. */
import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { objectStoreBucket } from '../../signer/object-store-bucket.ts';
import { bucketInMemory, type BucketUnderTest, type Trouble } from '../bucket-in-memory.ts';
import { testObjectStore } from './object-store-contract.ts';

const NAME = 'gateway/metadata/timestamp.json';
const [one, two] = [encodeUtf8('one'), encodeUtf8('two')];

/** A bucket whose PUTs meet `trouble`. */
function troubled(trouble: Trouble): BucketUnderTest {
  return bucketInMemory(({ method }) => (method === 'PUT' ? trouble : undefined));
}

describe('the contract', () => {
  testObjectStore(() => Promise.resolve(objectStoreBucket(bucketInMemory().bucket)));
});

describe('a PUT without an answer', () => {
  test('that created the object is done, and sent once', async () => {
    const { bucket, objects, requests } = troubled('answer lost');
    expect(await objectStoreBucket(bucket).put(NAME, one, 'create-only')).toMatchObject({ ok: true });
    expect(objects.get(NAME)).toEqual(one);
    expect(requests.filter(({ method }) => method === 'PUT')).toHaveLength(1);
  });

  test('that replaced the object is done', async () => {
    const { bucket, objects } = troubled('answer lost');
    objects.set(NAME, one);
    const store = objectStoreBucket(bucket);
    const etag = (await store.get(NAME, 9))?.etag ?? '';
    expect(await store.put(NAME, two, { replaces: etag })).toMatchObject({ ok: true });
  });

  test('that never arrived is a fault worth another try, and nothing is written', async () => {
    const { bucket, objects } = troubled('request lost');
    const store = objectStoreBucket(bucket);
    const fault = { code: 'NETWORK_UNREACHABLE', retriable: true };
    await expect(store.put(NAME, one, 'create-only')).rejects.toMatchObject(fault);
    expect(objects.size).toBe(0);
    objects.set(NAME, one);
    const etag = (await store.get(NAME, 9))?.etag ?? '';
    await expect(store.put(NAME, two, { replaces: etag })).rejects.toMatchObject(fault);
    expect(objects.get(NAME)).toEqual(one);
  });

  test('where another publisher has written is a failed condition', async () => {
    const { bucket, objects } = troubled('request lost');
    objects.set(NAME, two);
    const store = objectStoreBucket(bucket);
    for (const condition of ['create-only', { replaces: '"seen before"' }] as const)
      expect(await store.put(NAME, one, condition)).toMatchObject({ code: 'CONDITION_FAILED' });
  });

  test('is settled the same way where the store answers with a failure of its own', async () => {
    const { bucket, objects } = troubled({ status: 599 });
    const store = objectStoreBucket(bucket);
    const fault = { code: 'RESPONSE_UNEXPECTED', retriable: true };
    await expect(store.put(NAME, one, 'create-only')).rejects.toMatchObject(fault);
    objects.set(NAME, one);
    expect(await store.put(NAME, one, 'create-only')).toMatchObject({ ok: true });
  });
});

describe('what is no absence', () => {
  test.each([
    [{ status: 403, errorCode: 'AccessDenied' }, 'STORE_ACCESS_DENIED'],
    [{ status: 404, errorCode: 'NoSuchBucket' }, 'RESPONSE_UNEXPECTED'],
    [{ status: 301, errorCode: 'PermanentRedirect' }, 'RESPONSE_UNEXPECTED'],
    [{ status: 200 }, 'RESPONSE_UNEXPECTED'],
  ])('%j to a GET is a fault', async (answer, code) => {
    const store = objectStoreBucket(bucketInMemory(() => answer).bucket);
    await expect(store.get(NAME, 9)).rejects.toMatchObject({ name: 'OperationError', code, retriable: false });
  });

  test('a PUT that is denied is a fault and never tried again', async () => {
    const { bucket, requests } = troubled({ status: 403, errorCode: 'AccessDenied' });
    await expect(objectStoreBucket(bucket).put(NAME, one, 'create-only')).rejects.toMatchObject({
      code: 'STORE_ACCESS_DENIED',
    });
    expect(requests).toHaveLength(1);
  });

  test('a write that meets another one under way is worth another try', async () => {
    const { bucket } = troubled({ status: 409, errorCode: 'ConditionalRequestConflict' });
    await expect(objectStoreBucket(bucket).put(NAME, one, 'create-only')).rejects.toMatchObject({ retriable: true });
  });
});
