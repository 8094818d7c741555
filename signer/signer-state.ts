/**
 * What a signer remembers by itself, outside of the store that it publishes to (rule R6).
 *
 * - A store that shows an old timestamp, or none, cannot make the signer sign again over what is past.
 * - Written, durably, before the timestamp of these versions becomes visible; versions never go back.
 * - The snapshot is named by digest: wherever its bytes come from, they are these or none.
 * - What was withdrawn is kept until its channel is past that version: then no publisher takes it any more (rule R5).
 * - Specified in `docs/formats/signing.md`.
 */
import { encodeCanonicalJson } from '../formats/canonical-json.ts';
import {
  decodeJson,
  hexText,
  integer,
  literal,
  object,
  optional,
  refine,
  type DecodeCode,
  type Decoder,
} from '../formats/decode.ts';
import type { JsonValue } from '../formats/json.ts';
import { nameDecoder } from '../formats/names.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import type { LogMemory } from './log-memory.ts';
import { withdrawnDecoder, withdrawnToJson, type WithdrawnDraft } from './withdrawn-draft.ts';

export type SignerState = {
  readonly product: string;
  /** SHA-256 of the file of root version 1, in hex. */
  readonly rootOneSha256: string;
  /** The newest timestamp that was ever about to become visible. */
  readonly timestampVersion: number;
  /** The snapshot that it names, and every later one starts from. */
  readonly snapshotVersion: number;
  readonly snapshotSha256: string;
  /** Channel contents that must never be published. */
  readonly withdrawn?: readonly WithdrawnDraft[] | undefined;
};

/** Port: one signer's memory, used by one publication at a time. */
export type SignerMemory = {
  /** The state, or undefined before the first publication. A damaged one throws `OperationError`: it is no absence. */
  readonly read: () => Promise<SignerState | undefined>;
  /** Durable when it returns. */
  readonly write: (state: SignerState) => Promise<void>;
  /** The largest tree of the log that was ever about to be signed, or undefined before the first. */
  readonly readLog: () => Promise<LogMemory | undefined>;
  /** Durable when it returns. */
  readonly writeLog: (log: LogMemory) => Promise<void>;
  /** Does `work` while no other publication with this memory runs. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
};

export const SIGNER_STATE_BYTES_MAX = 65_536;

const stateDecoder: Decoder<SignerState> = refine(
  object('refused', {
    version: literal(1),
    product: nameDecoder,
    rootOneSha256: hexText(32),
    timestampVersion: integer(1),
    snapshotVersion: integer(1),
    snapshotSha256: hexText(32),
    withdrawn: optional(withdrawnDecoder),
  }),
  ({ version: _, ...state }) => accept(state),
);

/** Parses the bytes of a state. */
export function parseSignerState(bytes: Uint8Array): Verdict<SignerState, DecodeCode> {
  return decodeJson(bytes, SIGNER_STATE_BYTES_MAX, stateDecoder);
}

/** The bytes of a state. */
export function encodeSignerState({ withdrawn, ...state }: SignerState): Uint8Array {
  const members = new Map<string, JsonValue>([['version', 1], ...Object.entries(state)]);
  if (withdrawn !== undefined) members.set('withdrawn', withdrawnToJson(withdrawn));
  return encodeCanonicalJson(members);
}
