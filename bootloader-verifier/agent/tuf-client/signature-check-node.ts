/**
 * The check of signatures by `node:crypto`: the key types that TUF repositories use (TUF specification 1.0.34, section 4.2.1).
 *
 * - `ed25519`; `ecdsa-sha2-nistp256` and `ecdsa-sha2-nistp384` with signatures in DER; `rsassa-pss-sha256`, `-sha384`
 *   and `-sha512` with any length of salt.
 * - Type and scheme must belong together, and the key must lie on the scheme's curve.
 * - One key has one text: points are uncompressed, and the DER of a key is exactly what would be written of it.
 * - Ed25519 is as strict as RFC 8032, section 5.1.7: points that are not written canonically, and those of small order, are no keys.
 * - RSA keys have 2048 to 8192 bits.
 */
import { constants, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { encodeHex, equalBytes, parseHex } from '../../../formats/bytes.ts';
import { strictEd25519Spki } from '../../../formats/ed25519-spki.ts';
import { parsePublicKeyPem } from '../../../formats/public-key-pem.ts';
import type { PublicKey, SignatureCheck } from '../../../formats/signature-check.ts';

type Scheme = {
  readonly keytypes: readonly string[];
  readonly digest: 'sha256' | 'sha384' | 'sha512' | undefined;
  /** The key as SubjectPublicKeyInfo in DER, or undefined if it is none of this scheme. */
  readonly spki: (text: string) => Uint8Array | undefined;
};

const P256_HEAD = '3059301306072a8648ce3d020106082a8648ce3d03010703420004';
const P384_HEAD = '3076301006072a8648ce3d020106052b8104002203620004';
const RSA_BITS_MIN = 2048;
const RSA_BITS_MAX = 8192;

const SCHEMES: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  ['ed25519', { keytypes: ['ed25519'], digest: undefined, spki: strictEd25519Spki }],
  [
    'ecdsa-sha2-nistp256',
    { keytypes: ['ecdsa', 'ecdsa-sha2-nistp256'], digest: 'sha256', spki: (text) => pointSpki(text, P256_HEAD, 32) },
  ],
  [
    'ecdsa-sha2-nistp384',
    { keytypes: ['ecdsa', 'ecdsa-sha2-nistp384'], digest: 'sha384', spki: (text) => pointSpki(text, P384_HEAD, 48) },
  ],
  ...(['sha256', 'sha384', 'sha512'] as const).map(
    (digest) => [`rsassa-pss-${digest}`, { keytypes: ['rsa'], digest, spki: parsePublicKeyPem }] as const,
  ),
]);

/** Whether `signature` over `message` is valid under `key`. Whatever is unknown or malformed is false. */
export const checkSignatureNode: SignatureCheck = (key, message, signature) => {
  const scheme = SCHEMES.get(key.scheme);
  const known = scheme?.keytypes.includes(key.keytype) === true ? scheme : undefined;
  const publicKey = known && importKey(known, key);
  if (known === undefined || publicKey === undefined) return false;
  const options = isRsa(publicKey)
    ? {
        key: publicKey,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_AUTO,
      }
    : { key: publicKey, dsaEncoding: 'der' as const };
  return verify(known.digest, message, options, signature);
};

function isRsa(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'rsa';
}

/** The key, or undefined unless it is one of the scheme, in the one form that it has. */
function importKey(scheme: Scheme, { public: text }: PublicKey): KeyObject | undefined {
  const spki = scheme.spki(text);
  if (spki === undefined) return undefined;
  const key = readSpki(spki);
  if (key === undefined || !equalBytes(key.export({ format: 'der', type: 'spki' }), spki)) return undefined;
  if (scheme.spki !== parsePublicKeyPem) return key;
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  return isRsa(key) && bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX ? key : undefined;
}

/** The one call that throws on bytes that are no key: a point off its curve among them. */
function readSpki(spki: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

/** A point of P-256 or P-384: in PEM, or in hex as older tools write it; uncompressed in both. */
function pointSpki(text: string, head: string, size: number): Uint8Array | undefined {
  const spki = parsePublicKeyPem(text) ?? parseHex(head.slice(0, -2) + text);
  const isPoint = spki !== undefined && spki.length === head.length / 2 + 2 * size;
  return isPoint && encodeHex(spki).startsWith(head) ? spki : undefined;
}
