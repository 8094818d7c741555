/**
 * An Ed25519 private key (RFC 8032) as a signer.
 *
 * - The key stays in the closure, as a handle of the host's: printing a signer, or writing it as JSON, shows its public part alone.
 */
import assert from 'node:assert';
import { createPublicKey, sign, type KeyObject } from 'node:crypto';
import { encodeHex } from '../formats/bytes.ts';
import type { PublicKey } from '../formats/signature-check.ts';
import { keyIdOf } from '../formats/tuf-key.ts';
import type { Signer } from './signer.ts';

const PUBLIC_KEY_BYTES = 32;

/** The signer that holds `privateKey`, which must be an Ed25519 key. */
export function ed25519Signer(privateKey: KeyObject): Signer {
  assert(privateKey.type === 'private' && privateKey.asymmetricKeyType === 'ed25519', 'an Ed25519 private key');
  const key = publicPart(privateKey);
  return {
    key,
    keyid: keyIdOf(key),
    sign: (message) => Promise.resolve(Uint8Array.from(sign(undefined, message, privateKey))),
  };
}

/** The public key as metadata carry it; RFC 8410 puts its 32 bytes at the end of the SPKI form. */
function publicPart(privateKey: KeyObject): PublicKey {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return { keytype: 'ed25519', scheme: 'ed25519', public: encodeHex(spki.subarray(-PUBLIC_KEY_BYTES)) };
}
