/** SHA-512 (FIPS 180-4) and HKDF over it (RFC 5869) in portable JavaScript: the one file that knows them in @noble/hashes. */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { encodeHex } from './bytes.ts';

/** SHA-512 of `bytes`, 64 bytes. */
export function sha512Bytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return sha512(bytes);
}

/** SHA-512 of `bytes` as lower-case hex, 128 characters. */
export function sha512Hex(bytes: Uint8Array): string {
  return encodeHex(sha512(bytes));
}

/**
 * HKDF-SHA512: extract, then expand.
 * @param secret the input key material.
 * @returns `length` bytes, at most 16,320.
 */
export function hkdfSha512(
  secret: Uint8Array,
  from: { readonly salt: Uint8Array; readonly info: Uint8Array },
  length: number,
): Uint8Array {
  return hkdf(sha512, secret, from.salt, from.info, length);
}
