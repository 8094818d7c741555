/** SHA-256 (FIPS 180-4), by the engine where it has it, else in portable JavaScript: the one file that knows @noble/hashes' SHA-256. */
import { sha256 } from '@noble/hashes/sha2.js';
import { encodeHex } from './bytes.ts';
import { hostHash } from './host.ts';

/** SHA-256 of `bytes`, 32 bytes. */
export function sha256Bytes(bytes: Uint8Array): Uint8Array {
  return sha256(bytes);
}

/** SHA-256 of `bytes` as lower-case hex, 64 characters. */
export function sha256Hex(bytes: Uint8Array): string {
  return hostHash?.('sha256', bytes, 'hex') ?? encodeHex(sha256(bytes));
}

/** SHA-256 of bytes that come in parts. */
export function startSha256(): { readonly update: (part: Uint8Array) => void; readonly hex: () => string } {
  const hash = sha256.create();
  return { update: (part) => void hash.update(part), hex: () => encodeHex(hash.digest()) };
}
