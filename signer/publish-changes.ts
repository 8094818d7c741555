/**
 * One publication from start to end, while no other one with the same memory runs: read, assemble, verify, write.
 *
 * - Without changes it is the refresh of the online roles: a new timestamp, and a new snapshot when it is due.
 * - Withdrawals are remembered before anything else, whatever becomes of the rest.
 * - A publication that was interrupted before its timestamp is finished first where new roots are to come: which side of the
 *   timestamp they belong on depends on what devices see.
 */
import type { Instant } from '../formats/instant.ts';
import { parseTimestamp } from '../formats/tuf-snapshot.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import type { RepositoryId } from '../formats/binding.ts';
import type { TreeHead } from '../formats/merkle.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { assembleCandidate } from './assemble-candidate.ts';
import { logPolicies } from './assemble-log.ts';
import { draftLogAppend } from './draft-log-append.ts';
import { collectWithdrawn } from './collect-withdrawn.ts';
import type { ObjectStore } from './object-store.ts';
import type { Changes, Published } from './publication.ts';
import { appendToLog, publish } from './publish.ts';
import { readLog, type PublishedLog, type ReadLogCode } from './read-log.ts';
import { logSigners } from './sign-note.ts';
import { verifyLogAppend } from './verify-log-append.ts';
import { readPublished, type ReadCode } from './read-published.ts';
import type { Signer } from './signer.ts';
import type { SignerMemory, SignerState } from './signer-state.ts';
import { verifyPublication } from './verify-publication.ts';

export type PublishOptions = {
  readonly store: ObjectStore;
  readonly memory: SignerMemory;
  readonly product: string;
  /** Keys of snapshot and timestamp; each signs the roles that list it. */
  readonly onlineSigners: readonly Signer[];
  readonly now: Instant;
  readonly snapshotLifetimeMs?: number | undefined;
  readonly timestampLifetimeMs?: number | undefined;
};
export type PublishCode = ReadCode | ReadLogCode | 'PUBLICATION_REFUSED' | 'REPOSITORY_CONFLICT';
export type PublishedNow = {
  readonly state: SignerState;
  /** Names of the objects that were written before the timestamp. */
  readonly written: readonly string[];
  /** The log as it stands now, where roots demand one. */
  readonly log: TreeHead | undefined;
};

/**
 * Publishes `changes`; with none, refreshes the online roles.
 * Faults of the world throw `OperationError`; running again is always safe.
 */
export function publishChanges(options: PublishOptions, changes: Changes): Promise<Verdict<PublishedNow, PublishCode>> {
  return options.memory.exclusively(() => publishInOrder(options, changes));
}

async function publishInOrder(options: PublishOptions, changes: Changes): Promise<Verdict<PublishedNow, PublishCode>> {
  const published = await readPublished(options.store, options.product, await options.memory.read());
  if (!published.ok) return published;
  const { state } = published.value;
  const withdrawn = collectWithdrawn(published.value, changes);
  const known = new Set((state?.withdrawn ?? []).map(({ sha256 }) => sha256));
  if (state !== undefined && withdrawn.some(({ sha256 }) => !known.has(sha256))) {
    await options.memory.write({ ...state, withdrawn });
    return publishInOrder(options, changes);
  }
  if (!isInterrupted(published.value) || (changes.roots ?? []).length === 0) {
    return publishOver(published.value, options, changes);
  }
  const finished = await publishOver(published.value, options, {});
  return finished.ok ? publishInOrder(options, changes) : finished;
}

/** Whether what devices see is not yet what the signer remembers. */
function isInterrupted({ state, timestamp }: Published): boolean {
  if (state === undefined) return false;
  const shown = timestamp && parseTimestamp(timestamp.bytes);
  return shown?.ok !== true || shown.value.signed.snapshot.version !== state.snapshotVersion;
}

/** The log of the product, where roots demand one; an append that was interrupted is finished first. */
async function openLog(
  published: Published,
  options: PublishOptions,
  changes: Changes,
): Promise<Verdict<PublishedLog | undefined, PublishCode>> {
  const standing = logPolicies(published.roots);
  const policies = standing.length > 0 ? standing : logPolicies(changes.roots ?? []);
  if (policies.length === 0) return accept(undefined);
  const { store, product, memory } = options;
  const log = await readLog({ store, product, policies }, await memory.readLog());
  if (!log.ok || log.value.unfinished === undefined) return log;
  const { entries, size } = log.value.unfinished;
  const draft = await draftLogAppend(log.value, entries, logSigners(options.onlineSigners, policies, size));
  const repository = repositoryOf(published, options, changes);
  const append = verifyLogAppend(draft, repository, [...policies].reverse());
  if (!append.ok) return reject('PUBLICATION_REFUSED', `${append.code}: ${append.detail}`);
  const finished = await appendToLog(append.value, options);
  return finished.ok ? openLog(published, options, changes) : finished;
}

/** The repository of the roots: by the state, or by root 1 where there is no state yet. */
function repositoryOf({ state }: Published, { product }: PublishOptions, changes: Changes): RepositoryId {
  return { product, rootOneSha256: state?.rootOneSha256 ?? sha256Hex(changes.roots?.[0] ?? new Uint8Array()) };
}

async function publishOver(
  published: Published,
  options: PublishOptions,
  changes: Changes,
): Promise<Verdict<PublishedNow, PublishCode>> {
  const log = await openLog(published, options, changes);
  if (!log.ok) return log;
  const withdrawn = collectWithdrawn(published, changes);
  const candidate = await assembleCandidate({ ...options, published, changes, log: log.value, withdrawn });
  if (!candidate.ok) return candidate;
  const publication = verifyPublication(candidate.value, options.now);
  if (!publication.ok) return publication;
  const done = await publish(publication.value, options);
  if (!done.ok) return done;
  const { files, roots, state, log: append } = publication.value;
  const written = [...(append?.files ?? []), ...(append?.proofs ?? []), ...files, ...roots].map(({ name }) => name);
  return accept({ state, written, log: append?.remembered ?? log.value?.head });
}
