/** SHA-512 by `node:crypto`: stands in the executable in the place of `formats/sha512.ts`, and answers the same. */
import { createHash } from 'node:crypto';

/** SHA-512 of `bytes` as lower-case hex, 128 characters. */
export function sha512Hex(bytes: Uint8Array): string {
  return createHash('sha512').update(bytes).digest('hex');
}
