/**
 * The check of signatures in the processes of signers and key holders: strict Ed25519 by `node:crypto`.
 *
 * - What it accepts, the portable check of devices accepts too, so nothing is published that a device would refuse (ADR 0006).
 * - Only the one key type that devices know.
 */
import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { strictEd25519Spki } from '../formats/ed25519-spki.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';

const SIGNATURE_BYTES = 64;

/** Whether `signature` over `message` is valid under `key`. Whatever is unknown or malformed is false. */
export const checkSignature: SignatureCheck = (key, message, signature) => {
  if (key.keytype !== 'ed25519' || key.scheme !== 'ed25519' || signature.length !== SIGNATURE_BYTES) return false;
  const spki = strictEd25519Spki(key.public);
  const publicKey = spki && readSpki(spki);
  return publicKey !== undefined && verify(undefined, message, publicKey, signature);
};

/** The one call that throws on bytes that are no key: a point off the curve. */
function readSpki(spki: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}
