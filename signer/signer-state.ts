/**
 * What a signer remembers by itself, outside of the store that it publishes to (rule R6).
 *
 * - A store that shows an old timestamp, or none, cannot make the signer sign again over what is past.
 * - Written, durably, before the timestamp of these versions becomes visible; versions never go back.
 * - Written in place of what was read, or not at all: of two publications that started from the same state one is told to start anew.
 * - The snapshot is named by digest: wherever its bytes come from, they are these or none.
 * - What was withdrawn is kept until its channel is past that version: then no publisher takes it any more (rule R5).
 * - What collects garbage is announced in it, as a write like any other: a publication that began before starts anew.
 * - One that was restored, or that moves, says so, and nothing is signed with it.
 * - Specified in `docs/formats/signing.md`.
 */
import { equalBytes } from '../formats/bytes.ts';
import { encodeCanonicalJson } from '../formats/canonical-json.ts';
import {
  decodeJson,
  flag,
  hexText,
  integer,
  literal,
  object,
  oneOf,
  optional,
  refine,
  type DecodeCode,
  type Decoder,
} from '../formats/decode.ts';
import { encodeInstant, instantDecoder, type Instant } from '../formats/instant.ts';
import type { JsonValue } from '../formats/json.ts';
import { nameDecoder } from '../formats/names.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
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
  /** What was verified when this was published: it lets a timestamp be renewed without verifying all of it again. */
  readonly standing?: Standing | undefined;
  /** How often a removal of garbage began or ended: odd while one is under way. It never goes back. */
  readonly sweeps?: number | undefined;
  /** Online roles are signed in no version below it: what was signed between a backup and its restoring lies below. */
  readonly versionFloor?: number | undefined;
  /** Why nothing is signed with it. */
  readonly held?: Held | undefined;
};

/** It was restored from a backup and not resumed yet; it moves in from another memory; it has moved out to another one. */
const HELD = ['restored', 'arriving', 'moved'] as const;
export type Held = (typeof HELD)[number];

/** What the signer found true of the snapshot of its state, under the root that devices then had. */
export type Standing = {
  readonly rootVersion: number;
  readonly rootSha256: string;
  readonly snapshotLength: number;
  readonly snapshotExpires: Instant;
  /** When the targets role ends, for which no timestamp stands in. */
  readonly targetsExpires: Instant;
  readonly timestampExpires: Instant;
  /** Whether a channel has a plan, whose waves are to be looked after. */
  readonly hasPlan: boolean;
  /** When the newest root ends, and the channel that ends first, where this was published since they are remembered. */
  readonly rootExpires?: Instant | undefined;
  readonly channel?: { readonly name: string; readonly expires: Instant } | undefined;
};

/** What becomes of a write: it was made, or another one was made since `former` was read, and this one changed nothing. */
export type MemoryWrite = Verdict<void, 'CONDITION_FAILED'>;

/** Port: a signer's memory of one product, which several publications may use at once. */
export type SignerMemory = {
  /** What a product that is not known yet begins above, where the memory as a whole was restored. */
  readonly foundingFloor?: () => Pick<SignerState, 'versionFloor'>;
  /** The state, or undefined before the first publication. A damaged one throws `OperationError`: it is no absence. */
  readonly read: () => Promise<SignerState | undefined>;
  /** Durable when it returns. @param former what was read, and is replaced. */
  readonly write: (state: SignerState, former: SignerState | undefined) => Promise<MemoryWrite>;
  /** The largest tree of the log that was ever about to be signed, or undefined before the first. */
  readonly readLog: () => Promise<LogMemory | undefined>;
  /** Durable when it returns; `former` as above. */
  readonly writeLog: (log: LogMemory, former: LogMemory | undefined) => Promise<MemoryWrite>;
  /** Does `work` while no other publication with this memory runs, where one machine's publishers are to take turns. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
  /**
   * Does `work`, which removes from the store what nothing names by `former`, so that no publication that has looked at the store
   * before the end of it goes on. @returns the state that stands then; nothing was done if it was not `former` any more.
   */
  readonly collect: (
    former: SignerState,
    work: () => Promise<void>,
  ) => Promise<Verdict<SignerState, 'CONDITION_FAILED'>>;
};

export const SIGNER_STATE_BYTES_MAX = 65_536;

const standingDecoder: Decoder<Standing> = object('refused', {
  rootVersion: integer(1),
  rootSha256: hexText(32),
  snapshotLength: integer(1),
  snapshotExpires: instantDecoder,
  targetsExpires: instantDecoder,
  timestampExpires: instantDecoder,
  hasPlan: flag,
  rootExpires: optional(instantDecoder),
  channel: optional(object('refused', { name: nameDecoder, expires: instantDecoder })),
});

const stateDecoder: Decoder<SignerState> = refine(
  object('refused', {
    version: literal(1),
    product: nameDecoder,
    rootOneSha256: hexText(32),
    timestampVersion: integer(1),
    snapshotVersion: integer(1),
    snapshotSha256: hexText(32),
    withdrawn: optional(withdrawnDecoder),
    standing: optional(standingDecoder),
    sweeps: optional(integer(1)),
    versionFloor: optional(integer(1)),
    held: optional(oneOf(...HELD)),
  }),
  ({ version: _, ...state }) => accept(state),
);

/** Parses the bytes of a state. */
export function parseSignerState(bytes: Uint8Array): Verdict<SignerState, DecodeCode> {
  return decodeJson(bytes, SIGNER_STATE_BYTES_MAX, stateDecoder);
}

/** The bytes of a state. */
export function encodeSignerState({ withdrawn, standing, ...state }: SignerState): Uint8Array {
  const said = Object.entries(state).filter((member): member is [string, string | number] => member[1] !== undefined);
  const members = new Map<string, JsonValue>([['version', 1], ...said]);
  if (withdrawn !== undefined) members.set('withdrawn', withdrawnToJson(withdrawn));
  if (standing !== undefined) members.set('standing', standingToJson(standing));
  return encodeCanonicalJson(members);
}

function standingToJson({ channel, rootExpires, ...standing }: Standing): JsonValue {
  const { snapshotExpires, targetsExpires, timestampExpires } = standing;
  const times = {
    snapshotExpires,
    targetsExpires,
    timestampExpires,
    ...(rootExpires === undefined ? {} : { rootExpires }),
  };
  const texts = Object.entries(times).map(([name, time]) => [name, encodeInstant(time)] as const);
  const members = new Map<string, JsonValue>([...Object.entries(standing), ...texts]);
  if (channel === undefined) return members;
  return members.set('channel', new Map([...Object.entries(channel), ['expires', encodeInstant(channel.expires)]]));
}

/** Whether two memories say the same, byte for byte; two absences do. */
export function isSameState(a: SignerState | undefined, b: SignerState | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equalBytes(encodeSignerState(a), encodeSignerState(b));
}

/** Refuses what `state` is held for: nothing is signed with it, and nothing judged by it. */
export function demandReleased(
  state: Pick<SignerState, 'held' | 'product'> | undefined,
): Verdict<void, 'SIGNER_STATE_RESTORED' | 'SIGNER_STATE_MOVED'> {
  const whose = `the memory of ${state?.product ?? ''}`;
  switch (state?.held) {
    case undefined:
      return accept(undefined);
    case 'restored':
      return reject('SIGNER_STATE_RESTORED', `${whose} is from a backup, and was not resumed`);
    case 'arriving':
      return reject('SIGNER_STATE_MOVED', `${whose} is on its way into this deployment`);
    case 'moved':
      return reject('SIGNER_STATE_MOVED', `${whose} has moved into a deployment`);
  }
}

/** The version of an online role after `former`, above all that may have been signed before the memory was restored. */
export function nextOnlineVersion(former: number, state: Pick<SignerState, 'versionFloor'> | undefined): number {
  return Math.max(former + 1, state?.versionFloor ?? 1);
}

/** What a publication leaves as it was read. */
export function carriedOn(state: SignerState | undefined): Pick<SignerState, 'sweeps' | 'versionFloor' | 'held'> {
  return { sweeps: state?.sweeps, versionFloor: state?.versionFloor, held: state?.held };
}
