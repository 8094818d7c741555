/** The desk over a bucket, as far as a bucket in memory goes: how it looks. What its addresses are good for, a real MinIO shows. */
import { expect, test } from 'vitest';
import { sha256Hex } from '../../formats/sha256.ts';
import { uploadDeskBucket } from '../../ota-server/upload-desk-bucket.ts';
import type { UploadDesk } from '../../ota-server/upload-desk.ts';
import { bucketInMemory, type BucketUnderTest, type Trouble } from '../bucket-in-memory.ts';

const NAME = `incoming/gateway/${'0'.repeat(32)}/gateway/image.bin`;
const ACCESS = {
  origin: 'http://127.0.0.1:9000',
  bucket: 'firmament',
  region: 'us-east-1',
  accessKey: 'a',
  secretKey: 'b',
};
const PIECE = 4_194_304;

function deskOver(trouble?: (nth: number, under: BucketUnderTest) => Trouble | undefined): BucketUnderTest & {
  readonly desk: UploadDesk;
} {
  let nth = 0;
  const under: BucketUnderTest = bucketInMemory(() => trouble?.(nth++, under));
  return { ...under, desk: uploadDeskBucket(under.bucket, ACCESS) };
}

test.each([0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE])(
  'an object of %i bytes is read whole, in pieces',
  async (length) => {
    const { desk, objects, requests } = deskOver();
    const bytes = new Uint8Array(length).fill(7);
    objects.set(NAME, bytes);
    expect(await desk.look(NAME, Math.max(1, length))).toEqual({ length, sha256: sha256Hex(bytes) });
    expect(await desk.look(NAME, PIECE * 3)).toEqual({ length, sha256: sha256Hex(bytes) });
    for (const { method } of requests) expect(method).toBe('GET');
  },
);

test('an object that is longer than it may be is told so, and not read to its end', async () => {
  const { desk, objects, requests } = deskOver();
  objects.set(NAME, new Uint8Array(3 * PIECE));
  expect(await desk.look(NAME, 1_000)).toEqual({ length: 1_001, sha256: '' });
  expect(requests).toHaveLength(1);
});

test('an object that is replaced between two pieces is a fault, never a digest of two', async () => {
  const { desk, objects } = deskOver((nth, under) => {
    if (nth === 1) under.objects.set(NAME, new Uint8Array(2 * PIECE).fill(1));
    return undefined;
  });
  objects.set(NAME, new Uint8Array(2 * PIECE));
  await expect(desk.look(NAME, 2 * PIECE)).rejects.toMatchObject({ code: 'FILE_UNREADABLE', retriable: true });
});

test('nothing is absent but what the store says is: a denial or a missing bucket is a fault', async () => {
  expect(await deskOver().desk.look(NAME, 9)).toBeUndefined();
  for (const [answer, code] of [
    [{ status: 403, errorCode: 'AccessDenied' }, 'STORE_ACCESS_DENIED'],
    [{ status: 404, errorCode: 'NoSuchBucket' }, 'RESPONSE_UNEXPECTED'],
  ] as const)
    await expect(deskOver(() => answer).desk.look(NAME, 9)).rejects.toMatchObject({ code });
});

test('an address demands the very length, the checksum, and that nothing stands there', () => {
  const order = { name: NAME, length: 3, sha256: '00'.repeat(31) + 'ff', until: 61_000 };
  const { url, fields } = deskOver().desk.invite(order, 1_000);
  expect(url).toContain(`http://127.0.0.1:9000/firmament/${NAME}?`);
  expect(url).toContain(
    'X-Amz-Expires=60&X-Amz-SignedHeaders=content-length%3Bhost%3Bif-none-match%3Bx-amz-checksum-sha256',
  );
  expect([...fields]).toEqual([
    ['content-length', '3'],
    ['if-none-match', '*'],
    ['x-amz-checksum-sha256', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP8='],
  ]);
});
