/**
 * The check of ML-DSA signatures as TUF repositories make them (FIPS 204; TAP 21).
 *
 * - Signed is not the message but `tuf`, the version of the scheme as one byte, and the SHA-512 of the message; by ML-DSA itself,
 *   not its pre-hash form, with an empty context.
 * - The key is a SubjectPublicKeyInfo in PEM, of the algorithm that the scheme names and nothing else: one key has one text.
 * - By a library and not by Node: Node knows the algorithm from 24.6 on.
 */
import { createHash } from 'node:crypto';
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { concatBytes, encodeHex, encodeUtf8 } from '../../../formats/bytes.ts';
import { parsePublicKeyPem } from '../../../formats/public-key-pem.ts';
import type { SignatureCheck } from '../../../formats/signature-check.ts';

type Scheme = {
  /** What stands before the key itself in its DER (RFC 9881). */
  readonly head: string;
  readonly keyBytes: number;
  readonly signatureBytes: number;
  readonly verify: (signature: Uint8Array, payload: Uint8Array, key: Uint8Array) => boolean;
};

const PREFIX = encodeUtf8('tuf\u0001');
const SCHEMES: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  [
    'ml-dsa-44/1',
    {
      ...{ head: '30820532300b06096086480165030403110382052100', keyBytes: 1312, signatureBytes: 2420 },
      verify: (...of) => ml_dsa44.verify(...of),
    },
  ],
  [
    'ml-dsa-65/1',
    {
      ...{ head: '308207b2300b0609608648016503040312038207a100', keyBytes: 1952, signatureBytes: 3309 },
      verify: (...of) => ml_dsa65.verify(...of),
    },
  ],
  [
    'ml-dsa-87/1',
    {
      ...{ head: '30820a32300b060960864801650304031303820a2100', keyBytes: 2592, signatureBytes: 4627 },
      verify: (...of) => ml_dsa87.verify(...of),
    },
  ],
]);

/** Whether `signature` over `message` is valid under the ML-DSA key `key`. Whatever is unknown or malformed is false. */
export const checkSignatureMlDsa: SignatureCheck = (key, message, signature) => {
  const scheme = key.keytype === 'ml-dsa' ? SCHEMES.get(key.scheme) : undefined;
  const spki = scheme && parsePublicKeyPem(key.public);
  if (scheme === undefined || spki === undefined || signature.length !== scheme.signatureBytes) return false;
  const headBytes = scheme.head.length / 2;
  if (spki.length !== headBytes + scheme.keyBytes || !encodeHex(spki).startsWith(scheme.head)) return false;
  return scheme.verify(
    signature,
    concatBytes(PREFIX, createHash('sha512').update(message).digest()),
    spki.subarray(headBytes),
  );
};
