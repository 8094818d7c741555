/**
 * Public keys as TUF metadata carry them (TUF specification 1.0.34, section 4.2).
 *
 * - Key ids are opaque names given by the metadata's author; ours are the SHA-256 of the key's canonical JSON.
 * - What counts towards a threshold is the key, not its id: `keyFingerprint` is the same for one key under two ids.
 * - A key of an unknown type is carried and never verifies anything.
 */
import { encodeCanonicalJson } from './canonical-json.ts';
import { mapOf, object, refine, text, type Decoder } from './decode.ts';
import type { JsonValue } from './json.ts';
import { sha256Hex } from './sha256.ts';
import type { PublicKey } from './signature-check.ts';
import { accept } from './verdict.ts';

export const KEYS_MAX = 64;
const PUBLIC_LENGTH_MAX = 8192;

/** A key id: any name its author likes, within reason. */
export const keyIdDecoder: Decoder<string> = text(256);

const keyDecoder: Decoder<PublicKey> = refine(
  object('ignored', {
    keytype: text(64),
    scheme: text(64),
    keyval: object('ignored', { public: text(PUBLIC_LENGTH_MAX) }),
  }),
  (key) => accept({ keytype: key.keytype, scheme: key.scheme, public: key.keyval.public }),
);

/** The `keys` object of root metadata and of delegations. */
export const keysDecoder: Decoder<ReadonlyMap<string, PublicKey>> = mapOf(keyIdDecoder, keyDecoder, KEYS_MAX);

/** A key of ours standing alone, as in the list of builders. */
export const publicKeyDecoder: Decoder<PublicKey> = keyDecoder;

/** The JSON of a key as metadata carry it. */
export function keyToJson(key: PublicKey): JsonValue {
  return new Map<string, JsonValue>([
    ['keytype', key.keytype],
    ['keyval', new Map([['public', key.public]])],
    ['scheme', key.scheme],
  ]);
}

/** The key id that we write: SHA-256 of the canonical JSON, in hex, as the specification recommends. */
export function keyIdOf(key: PublicKey): string {
  return sha256Hex(encodeCanonicalJson(keyToJson(key)));
}

/** One text for one key, whatever id it stands under and however its hex is written. */
export function keyFingerprint(key: PublicKey): string {
  const isHex = /^[0-9A-Fa-f]+$/.test(key.public);
  return `${key.keytype} ${isHex ? key.public.toLowerCase() : key.public.replace(/\s+/g, '')}`;
}
