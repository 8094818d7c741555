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
  const publicKey = keyOf(key.public);
  return publicKey !== undefined && verify(undefined, message, publicKey, signature);
};

/** Keys that were read, the newest; one of a product or of its people is met again and again. */
const known = new Map<string, KeyObject | undefined>();
const KNOWN_MAX = 256;

function keyOf(text: string): KeyObject | undefined {
  if (known.has(text)) return known.get(text);
  const spki = strictEd25519Spki(text);
  const key = spki && readSpki(spki);
  const [oldest] = known.keys();
  if (known.size >= KNOWN_MAX && oldest !== undefined) known.delete(oldest);
  known.set(text, key);
  return key;
}

/** The one call that throws on bytes that are no key: a point off the curve. */
function readSpki(spki: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}
