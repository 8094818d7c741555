/**
 * What one publication is made of, before and after it was verified.
 *
 * - A candidate is complete: all that a device will fetch afterwards is in it, so that verifying needs nothing else.
 * - A publication is the list of writes that make it visible; only `verify-publication.ts` makes a verified one.
 */
import type { RepositoryId } from '../formats/binding.ts';
import type { Snapshot } from '../formats/tuf-snapshot.ts';
import type { Metadata } from '../formats/tuf-metadata.ts';
import type { Verified } from '../formats/verdict.ts';
import type { LogDraft } from './draft-log-append.ts';
import type { LogMemory } from './log-memory.ts';
import type { PutCondition, StoredObject } from './object-store.ts';
import type { SignerState } from './signer-state.ts';
import type { WithdrawnDraft } from './withdrawn-draft.ts';

/** What is published now, by the signer's own state. */
export type Published = {
  /** Undefined before the first publication; then nothing else is there either. */
  readonly state: SignerState | undefined;
  /** Root files, oldest first. */
  readonly roots: readonly Uint8Array[];
  /** What devices see now. */
  readonly timestamp: StoredObject | undefined;
  readonly snapshot: { readonly bytes: Uint8Array; readonly metadata: Metadata<Snapshot> } | undefined;
  /** The files of targets and channels that the snapshot names, by role. */
  readonly roles: ReadonlyMap<string, Uint8Array>;
};

/** What people hand in, signed, to be published. */
export type Changes = {
  /** New root files, oldest first. */
  readonly roots?: readonly Uint8Array[];
  readonly targets?: Uint8Array | undefined;
  /** Channel files by name. */
  readonly channels?: ReadonlyMap<string, Uint8Array>;
  /** Images and evidence that the channels name; each is found by its digest. */
  readonly targetFiles?: readonly Uint8Array[];
  /** Drafts with withdrawals beside them: to be remembered, and never published. */
  readonly withdrawals?: readonly Withdrawals[];
  /** Nothing is to be done where what is remembered is shown: only what was cut is finished. */
  readonly onlyFinish?: boolean;
};

/** A draft of a channel, and the envelopes that may withdraw it. */
export type Withdrawals = {
  readonly role: string;
  readonly metadata: Uint8Array;
  readonly envelopes: readonly Uint8Array[];
};

/** A target with its bytes. */
export type TargetContent = {
  readonly name: string;
  readonly length: number;
  readonly sha256: string;
  readonly bytes: Uint8Array;
};

export type Candidate = {
  readonly repository: RepositoryId;
  readonly before: Published;
  /** All roots, those that are published already and the new ones. */
  readonly roots: readonly Uint8Array[];
  readonly timestamp: Uint8Array;
  readonly snapshot: Uint8Array;
  /** All files that the snapshot names, by role. */
  readonly roles: ReadonlyMap<string, Uint8Array>;
  /** Targets that are not published yet. */
  readonly newTargets: readonly TargetContent[];
  /** Evidence of the releases in force, by digest. */
  readonly evidence: ReadonlyMap<string, Uint8Array>;
  /** Proofs that roots and channels are logged; empty where root demands no log, or nothing is judged anew. */
  readonly proofs: CandidateProofs;
  /** What must be appended to the log for that. */
  readonly log: LogDraft | undefined;
  /** Contents of channels that must never be published. */
  readonly withdrawn: readonly WithdrawnDraft[];
  /** Below which no online role is signed, as the memory says. */
  readonly versionFloor: number | undefined;
};

/** Proofs for devices: by `root VERSION` and by `channel NAME`. */
export type CandidateProofs = ReadonlyMap<string, Uint8Array>;

/** An object that is written once and never changes. */
export type ImmutableObject = { readonly name: string; readonly bytes: Uint8Array };

/** An append to the log, in the order of writing. */
export type LogAppend = {
  /** The claim to the positions: what the signer must remember before anything leaves it, and what it remembered before. */
  readonly remembered: LogMemory;
  readonly former: LogMemory | undefined;
  /** Bundles, then tiles. */
  readonly files: readonly ImmutableObject[];
  /** Proofs of the entries; one that is proven anew is replaced. */
  readonly proofs: readonly ImmutableObject[];
  readonly checkpoint: ReplacedObject;
};

/** An object that is replaced on condition. */
export type ReplacedObject = ImmutableObject & { readonly condition: PutCondition };

/** A new timestamp over the snapshot that stands. */
export type Renewal = Pick<Publication, 'state' | 'formerState' | 'timestamp'>;

export type Publication = {
  /** What is appended to the log, before anything else is written. */
  readonly log: Verified<LogAppend> | undefined;
  /** In the order of writing: targets, roles, snapshot. */
  readonly files: readonly ImmutableObject[];
  readonly roots: readonly ImmutableObject[];
  /** Whether the new roots are shown before the new timestamp, or after it: see `verify-publication.ts`. */
  readonly rootsFirst: boolean;
  /** What the signer must remember before the timestamp is shown, and what it remembered when this was drafted. */
  readonly state: SignerState;
  readonly formerState: SignerState | undefined;
  readonly timestamp: ReplacedObject;
};
