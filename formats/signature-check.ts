/**
 * The port through which every signature is checked.
 *
 * - `formats/` and `boot/` bring the portable check below; shells that have `node:crypto` may plug in a faster or wider one.
 * - An unknown key type is never valid: it counts as no signature.
 */
import { parseHex } from './bytes.ts';
import { verifyEd25519 } from './ed25519.ts';

/** What a check needs of a public key: type, scheme and public part exactly as TUF metadata write them. */
export type PublicKey = { readonly keytype: string; readonly scheme: string; readonly public: string };

/** Whether `signature` over `message` is valid under `key`. Never throws; anything unknown or malformed is false. */
export type SignatureCheck = (key: PublicKey, message: Uint8Array, signature: Uint8Array) => boolean;

/** The check that runs on any JavaScript engine: strict Ed25519 with the public key in hex. */
export const checkSignaturePortable: SignatureCheck = (key, message, signature) => {
  if (key.keytype !== 'ed25519' || key.scheme !== 'ed25519') return false;
  const publicKey = parseHex(key.public);
  return publicKey !== undefined && verifyEd25519(signature, message, publicKey);
};
