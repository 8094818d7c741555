/**
 * A signature check that looks at each valid signature once: one product's root, history and provenance are met in every publication.
 *
 * - What was found valid is known by a digest over key, signature and message: whether it is valid can never change.
 * - What was not valid is looked at anew each time; it is rare, and nobody is to fill the memory with it.
 * - Bounded: of the newest `KNOWN_MAX` a process remembers at least half. Those of ten thousand products have room, and cost ten megabytes.
 */
import { hash } from 'node:crypto';
import { encodeHex } from '../formats/bytes.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';
import { checkSignature } from './signature-check-node.ts';

const KNOWN_MAX = 98_304;

/** `check`, with a memory of its own. @param knownMax how many signatures are remembered at most. */
export function checkedOnce(check: SignatureCheck, knownMax: number = KNOWN_MAX): SignatureCheck {
  // Two generations: the older one goes as a whole once the newer one is full.
  let newer = new Set<string>();
  let older = new Set<string>();
  return (key, message, signature) => {
    const name = nameOf(key, message, signature);
    if (newer.has(name)) return true;
    const valid = older.has(name) || check(key, message, signature);
    if (valid) newer.add(name);
    if (newer.size * 2 > knownMax) {
      older = newer;
      newer = new Set();
    }
    return valid;
  };
}

/** The check of signers, with the memory of this process. */
export const checkSignatureOnce: SignatureCheck = checkedOnce(checkSignature);

/** No two triples have one name: the message goes in as its digest, and no part before it can be mistaken for the next. */
function nameOf(...[{ keytype, scheme, public: key }, message, signature]: Parameters<SignatureCheck>): string {
  const parts = [keytype, scheme, key, encodeHex(signature), hash('sha256', message, 'hex')];
  return hash('sha256', JSON.stringify(parts), 'base64');
}
