/**
 * Public keys as TUF metadata carry them (TUF specification 1.0.34, section 4.2).
 *
 * - Key ids are opaque names given by the metadata's author; ours are the SHA-256 of the key's canonical JSON.
 * - What counts towards a threshold is the key, not its id: `keyFingerprint` is the same for one key under two ids, two types
 *   or two spellings.
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

function keyDecoder(unknownMembers: 'refused' | 'ignored'): Decoder<PublicKey> {
  return refine(
    object(unknownMembers, {
      keytype: text(64),
      scheme: text(64),
      keyval: object(unknownMembers, { public: text(PUBLIC_LENGTH_MAX) }),
    }),
    ({ keytype, scheme, keyval }) => accept({ keytype, scheme, public: keyval.public }),
  );
}

/** The `keys` object of root metadata and of delegations; other tools write more members, which TUF has us ignore. */
export const keysDecoder: Decoder<ReadonlyMap<string, PublicKey>> = mapOf(
  keyIdDecoder,
  keyDecoder('ignored'),
  KEYS_MAX,
);

/** A key in a part of ours, as in the list of builders: nothing else may stand beside it. */
export const publicKeyDecoder: Decoder<PublicKey> = keyDecoder('refused');

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

/**
 * One text for one key, whatever id and type it stands under, however its hex is written and its PEM is broken into lines.
 * The type is left out because some tools have two names for one type, and a key that is named twice is still one key.
 */
export function keyFingerprint(key: PublicKey): string {
  return /^[0-9A-Fa-f]+$/.test(key.public) ? key.public.toLowerCase() : key.public.replace(/\s+/g, '');
}
