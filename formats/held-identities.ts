/**
 * The identities that a device holds: the one in use, and the one that follows it until it is used.
 *
 * - Each is a key, as its 32-byte seed, and its certificate in DER. Secret; only the system reads and writes them.
 * - The new one stands beside the old before it is used: a cut never leaves a device without either.
 * - A key is written down before it is asked for, and asked for until an answer is held: whatever the network does to requests and
 *   answers, a device follows an identity with one key, and two keys mean two devices.
 * - Specified in `docs/formats/identity.md`.
 */
import { encodeBase64, encodeHex, parseHex } from './bytes.ts';
import { base64Bytes, decodeJson, hexText, literal, object, optional, refine, shape, type Decoder } from './decode.ts';
import { encodeJson } from './encode-json.ts';
import type { JsonValue } from './json.ts';
import { accept } from './verdict.ts';

export type HeldIdentity = { readonly seed: Uint8Array; readonly certificate: Uint8Array };
export type HeldIdentities = {
  readonly current: HeldIdentity | undefined;
  /** Obtained, not used yet. */
  readonly next: HeldIdentity | undefined;
  /** The seed of the key that is asked for, from before it is asked for until the answer is held. Secret. */
  readonly asked?: Uint8Array | undefined;
};

const HELD_BYTES_MAX = 8_000;
const CERTIFICATE_BYTES_MAX = 2_560;
const SEED_BYTES = 32;

const heldDecoder: Decoder<HeldIdentity> = refine(
  object('refused', { seed: hexText(SEED_BYTES), certificate: base64Bytes(CERTIFICATE_BYTES_MAX) }),
  ({ seed, certificate }) => {
    const bytes = parseHex(seed);
    return bytes === undefined ? shape('.seed: it is no hex') : accept({ seed: bytes, certificate });
  },
);
const identitiesDecoder: Decoder<HeldIdentities> = refine(
  object('refused', {
    version: literal(1),
    current: optional(heldDecoder),
    next: optional(heldDecoder),
    asked: optional(hexText(SEED_BYTES)),
  }),
  ({ current, next, asked }) => accept({ current, next, ...(asked !== undefined && { asked: parseHex(asked) }) }),
);

/** Parses the payload of the `credentials` record; undefined for what cannot be read: the device then enrols again. */
export function parseHeldIdentities(bytes: Uint8Array): HeldIdentities | undefined {
  const held = decodeJson(bytes, HELD_BYTES_MAX, identitiesDecoder);
  return held.ok ? held.value : undefined;
}

/** The payload of the `credentials` record. */
export function encodeHeldIdentities({ current, next, asked }: HeldIdentities): Uint8Array {
  const json = new Map<string, JsonValue>([['version', 1]]);
  if (current !== undefined) json.set('current', heldToJson(current));
  if (next !== undefined) json.set('next', heldToJson(next));
  if (asked !== undefined) json.set('asked', encodeHex(asked));
  return encodeJson(json);
}

function heldToJson({ seed, certificate }: HeldIdentity): JsonValue {
  return new Map([
    ['seed', encodeHex(seed)],
    ['certificate', encodeBase64(certificate)],
  ]);
}
