/**
 * Ed25519 (RFC 8032), always strict: the one file that knows @noble/ed25519.
 *
 * - `zip215: false` at the call: the library's default accepts one signature for every message under small-order keys.
 * - Lengths are checked first, because the library throws on wrong ones.
 */
import * as ed from '@noble/ed25519';
import { sha512Bytes } from './sha512.ts';

ed.hashes.sha512 = sha512Bytes;

/**
 * Whether `signature` is valid for `message` under `publicKey`, by the strict rules of RFC 8032 section 5.1.7.
 * @param signature 64 bytes; any other length is false.
 * @param publicKey 32 bytes; any other length, or a point of small order, is false.
 */
export function verifyEd25519(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false;
  return ed.verify(signature, message, publicKey, { zip215: false });
}
