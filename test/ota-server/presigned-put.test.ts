/** Addresses signed for a bucket: Amazon's own example, and what is bound by them. */
import { expect, test } from 'vitest';
import { presignAddress } from '../../ota-server/presigned-put.ts';

const AMAZON = {
  ...{ origin: 'https://examplebucket.s3.amazonaws.com', region: 'us-east-1' },
  ...{ accessKey: 'AKIAIOSFODNN7EXAMPLE', secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
};
const NOW = Date.parse('2013-05-24T00:00:00Z');
const PUT = { method: 'PUT', path: '/a/b', fields: new Map([['content-length', '7']]), expiresSeconds: 60 };
const signatureOf = (url: string): string | null => new URL(url).searchParams.get('X-Amz-Signature');

test("the example of Amazon's reference has the signature that it shows", () => {
  const get = { method: 'GET', path: '/test.txt', fields: new Map<string, string>(), expiresSeconds: 86_400 };
  expect(signatureOf(presignAddress(AMAZON, get, NOW))).toBe(
    'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  );
});

test('an address says what it is good for, and never the secret', () => {
  const url = presignAddress(AMAZON, PUT, NOW);
  expect(url).toContain('https://examplebucket.s3.amazonaws.com/a/b?X-Amz-Algorithm=AWS4-HMAC-SHA256');
  expect(url).toContain('X-Amz-Date=20130524T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=content-length%3Bhost');
  expect(url).not.toContain('EXAMPLEKEY');
});

test.each([
  ['path', { path: '/a/c' }],
  ['method', { method: 'GET' }],
  ['length', { fields: new Map([['content-length', '8']]) }],
  ['expiry', { expiresSeconds: 61 }],
])('another %s has another signature', (_, changed) => {
  const former = signatureOf(presignAddress(AMAZON, PUT, NOW));
  expect(former).toMatch(/^[0-9a-f]{64}$/);
  expect(signatureOf(presignAddress(AMAZON, { ...PUT, ...changed }, NOW))).not.toBe(former);
});

test('a name that would need encoding, or a time without end, is a bug of ours', () => {
  for (const changed of [{ path: '/a b' }, { path: 'a' }, { expiresSeconds: 0 }, { expiresSeconds: 604_801 }])
    expect(() => presignAddress(AMAZON, { ...PUT, ...changed }, NOW)).toThrow('a path of ours');
});
