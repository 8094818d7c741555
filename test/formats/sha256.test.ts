/** SHA-256: the vectors of FIPS 180-4, and node:crypto as a second opinion. */
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeHex, encodeUtf8 } from '../../formats/bytes.ts';
import { sha256Bytes, sha256Hex } from '../../formats/sha256.ts';

test('the digests of the standard come out', () => {
  expect(sha256Hex(encodeUtf8('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(sha256Hex(new Uint8Array())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('any bytes have the digest that node:crypto computes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(sha256Hex(bytes)).toBe(createHash('sha256').update(bytes).digest('hex'));
      expect(encodeHex(sha256Bytes(bytes))).toBe(sha256Hex(bytes));
    }),
  );
});
