/**
 * A signature check that looks at each signature once: one publication meets the same root, snapshot and checkpoint many times.
 *
 * - What was found is known by key, signature and digest of the message, and forgotten with the publication.
 */
import { hash } from 'node:crypto';
import { encodeHex } from '../formats/bytes.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';

/** `check`, with a memory of its own. */
export function checkedOnce(check: SignatureCheck): SignatureCheck {
  const known = new Map<string, boolean>();
  return (key, message, signature) => {
    const name = `${key.keytype} ${key.scheme} ${key.public} ${encodeHex(signature)} ${hash('sha256', message, 'hex')}`;
    const valid = known.get(name) ?? check(key, message, signature);
    known.set(name, valid);
    return valid;
  };
}
