/** What the answers of an object store mean: an absence is never a shut or missing bucket, and only the world is retried. */
import { expect, test } from 'vitest';
import { bucketErrorCode, bucketFault, isAbsent, type BucketAnswer } from '../../formats/bucket.ts';
import { encodeUtf8 } from '../../formats/bytes.ts';

const answer = (status: number, errorCode = ''): BucketAnswer => ({
  ...{ status, errorCode, etag: '', version: '', sizeBytes: undefined },
  bytes: new Uint8Array(),
});

test('only an object that its bucket does not have is absent', () => {
  expect(isAbsent(answer(404, 'NoSuchKey'))).toBe(true);
  for (const other of [answer(404, 'NoSuchBucket'), answer(404), answer(403, 'NoSuchKey'), answer(200)])
    expect(isAbsent(other)).toBe(false);
});

test.each([
  [401, 'STORE_ACCESS_DENIED', false],
  [403, 'STORE_ACCESS_DENIED', false],
  [404, 'RESPONSE_UNEXPECTED', false],
  [301, 'RESPONSE_UNEXPECTED', false],
  [409, 'RESPONSE_UNEXPECTED', true],
  [429, 'RESPONSE_UNEXPECTED', true],
  [507, 'RESPONSE_UNEXPECTED', true],
])('status %i is %s, worth another try: %s', (status, code, retriable) => {
  expect(bucketFault('a', answer(status))).toMatchObject({ name: 'OperationError', code, retriable });
});

test('the error code is found in the body of S3, and nothing else is taken for one', () => {
  const code = (body: string): string | undefined => bucketErrorCode(encodeUtf8(body));
  expect(code('<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Key>a</Key></Error>')).toBe('NoSuchKey');
  for (const body of ['', '<Code></Code>', '<Code>a b</Code>', `<Code>${'a'.repeat(65)}</Code>`, 'NoSuchKey'])
    expect(code(body), body).toBeUndefined();
  expect(bucketErrorCode(Uint8Array.of(0x3c, 0xff, 0xfe))).toBeUndefined();
});
