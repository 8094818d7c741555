/**
 * The online metadata that a device saw last: its memory against replays of older ones.
 *
 * - Kept as the files were signed; each counts only as far as the current root still vouches for it.
 * - Losing it is no danger to what boots: floors hold that. It costs the memory of online versions only.
 */
import { encodeBase64 } from './bytes.ts';
import { base64Bytes, decodeJson, literal, object, optional, refine, type Decoder } from './decode.ts';
import { encodeJson } from './encode-json.ts';
import type { JsonValue } from './json.ts';
import { NOTE_BYTES_MAX } from './signed-note.ts';
import { SNAPSHOT_BYTES_MAX, TIMESTAMP_BYTES_MAX } from './tuf-snapshot.ts';
import { accept } from './verdict.ts';

export type SeenMetadata = {
  readonly timestamp: Uint8Array;
  readonly snapshot: Uint8Array;
  /** The largest checkpoint of the log, where root demands one: a log that shows another face is found out. */
  readonly checkpoint?: Uint8Array | undefined;
};

const SEEN_BYTES_MAX = 4_000_000;

const seenDecoder: Decoder<SeenMetadata> = refine(
  object('refused', {
    version: literal(1),
    timestamp: base64Bytes(TIMESTAMP_BYTES_MAX),
    snapshot: base64Bytes(SNAPSHOT_BYTES_MAX),
    checkpoint: optional(base64Bytes(NOTE_BYTES_MAX)),
  }),
  ({ version: _, ...seen }) => accept(seen),
);

/** What was seen, or undefined if the record says nothing readable. */
export function parseSeenMetadata(bytes: Uint8Array): SeenMetadata | undefined {
  const seen = decodeJson(bytes, SEEN_BYTES_MAX, seenDecoder);
  return seen.ok ? seen.value : undefined;
}

/** The bytes of the record. */
export function encodeSeenMetadata(seen: SeenMetadata): Uint8Array {
  const members = new Map<string, JsonValue>([
    ['version', 1],
    ['timestamp', encodeBase64(seen.timestamp)],
    ['snapshot', encodeBase64(seen.snapshot)],
  ]);
  if (seen.checkpoint !== undefined) members.set('checkpoint', encodeBase64(seen.checkpoint));
  return encodeJson(members);
}
