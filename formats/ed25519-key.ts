/**
 * Ed25519 signing (RFC 8032) on any JavaScript engine, for keys that a device derives from its own secret.
 *
 * - Apart from `ed25519.ts`, so that whoever only verifies reaches no code that signs.
 * - A key is its 32-byte seed; nothing here keeps, prints or compares it.
 * - Not constant in time: whoever can measure this device's processor closely is outside of what class `claimed` withstands.
 */
import { getPublicKey, hashes, sign } from '@noble/ed25519';
import { sha512Bytes } from './sha512.ts';

hashes.sha512 = sha512Bytes;

/** The 32-byte public key of the 32-byte `seed` (section 5.1.5). */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  return getPublicKey(seed);
}

/** The 64-byte signature over `message` under the 32-byte `seed` (section 5.1.6). */
export function signEd25519(message: Uint8Array, seed: Uint8Array): Uint8Array {
  return sign(message, seed);
}
