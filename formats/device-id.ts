/**
 * A device's name: the SHA-256 of its factory key (design, fixed names), so that nobody assigns it and nobody can take another's.
 *
 * - The key is Ed25519; what is hashed is its SubjectPublicKeyInfo (RFC 8410 section 4), as every X.509 library shows it.
 * - In hex, lower case, 64 digits.
 */
import { concatBytes } from './bytes.ts';
import { sha256Hex } from './sha256.ts';

export const DEVICE_KEY_BYTES = 32;

/** What stands before the 32 bytes of every Ed25519 key in its SPKI form. */
const SPKI_HEAD = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);

/** The id of the device whose factory key is `publicKey`, 32 bytes. */
export function deviceIdOf(publicKey: Uint8Array): string {
  return sha256Hex(concatBytes(SPKI_HEAD, publicKey));
}
