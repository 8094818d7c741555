/**
 * Public keys as TUF metadata carry them (TUF specification 1.0.34, section 4.2).
 *
 * - Key ids are opaque names given by the metadata's author; ours are the SHA-256 of the key's canonical JSON.
 * - What counts towards a threshold is the key, not its id: `keyFingerprint` is the same for one key under two ids, two types
 *   or two spellings, hex and PEM among them.
 * - A key of an unknown type is carried, whatever it holds, and never verifies anything.
 */
import { encodeHex } from './bytes.ts';
import { encodeCanonicalJson } from './canonical-json.ts';
import { anyObject, mapOf, object, refine, text, type Decoder } from './decode.ts';
import type { JsonValue } from './json.ts';
import { parsePublicKeyPem } from './public-key-pem.ts';
import { sha256Hex } from './sha256.ts';
import type { PublicKey } from './signature-check.ts';
import { accept } from './verdict.ts';

/** How many keys a role may list. */
export const KEYS_MAX = 64;
/** How many keys a file may have: each of many delegated roles may bring its own. */
export const FILE_KEYS_MAX = 4_096;
const PUBLIC_LENGTH_MAX = 8192;
/** Types whose keys have a public part; what another type has is its own affair. */
const TYPES_WITH_PUBLIC: ReadonlySet<string> = new Set([
  'ed25519',
  'rsa',
  'ecdsa',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
]);
/** What stands before the key itself in the DER of a SubjectPublicKeyInfo: Ed25519 (RFC 8410), P-256 and P-384 (RFC 5480). */
const SPKI_HEADS = [
  '302a300506032b6570032100',
  '3059301306072a8648ce3d020106082a8648ce3d030107034200',
  '3076301006072a8648ce3d020106052b81040022036200',
];

/** A key id: any name its author likes, within reason. */
export const keyIdDecoder: Decoder<string> = text(256);

function keyDecoder(unknownMembers: 'refused' | 'ignored'): Decoder<PublicKey> {
  const names = { keytype: text(64), scheme: text(64) };
  const keyval = object(unknownMembers, { public: text(PUBLIC_LENGTH_MAX) });
  return refine(object(unknownMembers, { ...names, keyval }), ({ keytype, scheme, keyval: own }) =>
    accept({ keytype, scheme, public: own.public }),
  );
}

const ownKeyDecoder = keyDecoder('ignored');
const anyKeyDecoder = object('ignored', { keytype: text(64), scheme: text(64), keyval: anyObject });

/** A key as other tools write it. What one of an unknown type holds is its own affair. */
const fileKeyDecoder: Decoder<PublicKey> = (json) => {
  const key = ownKeyDecoder(json);
  const any = key.ok ? key : anyKeyDecoder(json);
  if (key.ok || !any.ok || TYPES_WITH_PUBLIC.has(any.value.keytype)) return key;
  return accept({ keytype: any.value.keytype, scheme: any.value.scheme, public: '' });
};

/** The `keys` object of root metadata and of delegations; other tools write more members, which TUF has us ignore. */
export const keysDecoder: Decoder<ReadonlyMap<string, PublicKey>> = mapOf(keyIdDecoder, fileKeyDecoder, FILE_KEYS_MAX);

/** A key in a part of ours, as in the list of builders: nothing else may stand beside it. */
export const publicKeyDecoder: Decoder<PublicKey> = keyDecoder('refused');

/** The JSON of a key as metadata carry it. */
export function keyToJson(key: PublicKey): JsonValue {
  return new Map<string, JsonValue>([
    ['keytype', key.keytype],
    ['keyval', new Map(key.public === '' ? [] : [['public', key.public]])],
    ['scheme', key.scheme],
  ]);
}

/** The key id that we write: SHA-256 of the canonical JSON, in hex, as the specification recommends. */
export function keyIdOf(key: PublicKey): string {
  return sha256Hex(encodeCanonicalJson(keyToJson(key)));
}

/**
 * One text for one key, whatever id and type it stands under, in hex or in PEM, however either is written.
 * The type is left out because some tools have two names for one type, and a key that is named twice is still one key.
 */
export function keyFingerprint(key: PublicKey): string {
  const der = parsePublicKeyPem(key.public);
  if (der === undefined) {
    return /^[0-9A-Fa-f]+$/.test(key.public) ? key.public.toLowerCase() : key.public.replace(/\s+/g, '');
  }
  const hex = encodeHex(der);
  return hex.slice(SPKI_HEADS.find((head) => hex.startsWith(head))?.length ?? 0);
}
