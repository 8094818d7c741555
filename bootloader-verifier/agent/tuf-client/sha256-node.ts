/** SHA-256 by `node:crypto`: stands in the executable in the place of `formats/sha256.ts`, and answers the same. */
import { createHash } from 'node:crypto';

/** SHA-256 of `bytes`, 32 bytes. */
export function sha256Bytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

/** SHA-256 of `bytes` as lower-case hex, 64 characters. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
