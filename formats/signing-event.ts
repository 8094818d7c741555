/**
 * The file `*.signing.json`: a channel on its way from person to person until its quorum has signed.
 *
 * - It carries all that a key holder's tool needs to judge the change from bytes alone: roots, targets, the former file, evidence.
 * - Nothing in it is trusted for standing in it; what is signed is the channel in `metadata` and nothing else.
 * - The event is named by the SHA-256 of the channel's signed part: one exact digest, whatever signatures have gathered.
 * - Where releases go out of the channel, their history travels along: the channel names it by its content, so that it is judged,
 *   and signed, as a part of it.
 * - Evidence is found by its digest, so that it cannot stand for other evidence.
 * - `notes` are anybody's words; no signature covers them.
 * - Unknown members are refused.
 * - Specified in `docs/formats/signing-event.md`.
 */
import { encodeBase64 } from './bytes.ts';
import { ROOTS_MAX } from './boot-bundle.ts';
import { base64Bytes, decodeJson, list, literal, object, optional, refine, text, type Decoder } from './decode.ts';
import { ENVELOPE_BYTES_MAX } from './dsse.ts';
import { encodeJson } from './encode-json.ts';
import type { JsonValue } from './json.ts';
import { nameDecoder } from './names.ts';
import { ROOT_BYTES_MAX } from './tuf-root.ts';
import { accept, reject, type Verdict } from './verdict.ts';

/** The file of the role `CHANNEL-history` that the channel names, and the one before it, as published. */
export type HistoryFiles = { readonly metadata: Uint8Array; readonly former: Uint8Array | undefined };
export type SigningEvent = {
  /** The channel. */
  readonly role: string;
  /** Its file, with the signatures so far. */
  readonly metadata: Uint8Array;
  /** Root files from version 1 on. */
  readonly roots: readonly Uint8Array[];
  /** The targets file that delegates the channel. */
  readonly delegatedBy: Uint8Array;
  /** The file that it follows, as published; undefined for the first. */
  readonly former: Uint8Array | undefined;
  /** Where the history is another one than in the former file. */
  readonly history?: HistoryFiles | undefined;
  /** DSSE envelopes of the evidence of what is new. */
  readonly evidence: readonly Uint8Array[];
  readonly notes: string | undefined;
  /** DSSE envelopes of withdrawals (`withdrawal.ts`). */
  readonly withdrawn: readonly Uint8Array[];
};

const SIGNING_EVENT_BYTES_MAX = 16_000_000;
export const EVIDENCE_MAX = 64;
export const WITHDRAWALS_MAX = 64;
export const NOTES_LENGTH_MAX = 4096;
/** As much as a boot bundle has room for. */
const FILE_BYTES_MAX = 700_000;
/** No device keeps a history: it may be longer. */
export const HISTORY_BYTES_MAX = 4_000_000;

const eventDecoder: Decoder<SigningEvent> = refine(
  object('refused', {
    version: literal(1),
    role: nameDecoder,
    metadata: base64Bytes(FILE_BYTES_MAX),
    roots: list(base64Bytes(ROOT_BYTES_MAX), ROOTS_MAX, 1),
    delegatedBy: base64Bytes(FILE_BYTES_MAX),
    former: optional(base64Bytes(FILE_BYTES_MAX)),
    history: optional(
      object('refused', {
        metadata: base64Bytes(HISTORY_BYTES_MAX),
        former: optional(base64Bytes(HISTORY_BYTES_MAX)),
      }),
    ),
    evidence: list(base64Bytes(ENVELOPE_BYTES_MAX), EVIDENCE_MAX),
    notes: optional(text(NOTES_LENGTH_MAX)),
    withdrawn: list(base64Bytes(ENVELOPE_BYTES_MAX), WITHDRAWALS_MAX),
  }),
  ({ version: _, ...event }) => accept(event),
);

/** Parses a signing event. */
export function parseSigningEvent(bytes: Uint8Array): Verdict<SigningEvent, 'EVENT_MALFORMED'> {
  const event = decodeJson(bytes, SIGNING_EVENT_BYTES_MAX, eventDecoder);
  return event.ok ? event : reject('EVENT_MALFORMED', `${event.code}: ${event.detail}`);
}

/** The bytes of a signing event. */
export function encodeSigningEvent(event: SigningEvent): Uint8Array {
  const members: [string, JsonValue][] = [
    ['version', 1],
    ['role', event.role],
    ['metadata', encodeBase64(event.metadata)],
    ['roots', event.roots.map(encodeBase64)],
    ['delegatedBy', encodeBase64(event.delegatedBy)],
    ['evidence', event.evidence.map(encodeBase64)],
    ['withdrawn', event.withdrawn.map(encodeBase64)],
  ];
  if (event.former !== undefined) members.push(['former', encodeBase64(event.former)]);
  if (event.history !== undefined) members.push(['history', historyToJson(event.history)]);
  if (event.notes !== undefined) members.push(['notes', event.notes]);
  return encodeJson(new Map(members));
}

function historyToJson({ metadata, former }: HistoryFiles): JsonValue {
  const members: [string, JsonValue][] = [['metadata', encodeBase64(metadata)]];
  if (former !== undefined) members.push(['former', encodeBase64(former)]);
  return new Map(members);
}
