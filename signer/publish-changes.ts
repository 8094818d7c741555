/**
 * One publication from start to end, while no other one with the same memory runs: read, assemble, verify, write.
 *
 * - Without changes it is the refresh of the online roles: a new timestamp, and a new snapshot when it is due.
 * - A publication that was interrupted before its timestamp is finished first where new roots are to come: which side of the
 *   timestamp they belong on depends on what devices see.
 */
import type { Instant } from '../formats/instant.ts';
import { parseTimestamp } from '../formats/tuf-snapshot.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { assembleCandidate } from './assemble-candidate.ts';
import type { ObjectStore } from './object-store.ts';
import type { Changes, Published } from './publication.ts';
import { publish } from './publish.ts';
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
export type PublishCode = ReadCode | 'PUBLICATION_REFUSED' | 'REPOSITORY_CONFLICT';
export type PublishedNow = {
  readonly state: SignerState;
  /** Names of the objects that were written before the timestamp. */
  readonly written: readonly string[];
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

async function publishOver(
  published: Published,
  options: PublishOptions,
  changes: Changes,
): Promise<Verdict<PublishedNow, PublishCode>> {
  const candidate = await assembleCandidate({ ...options, published, changes });
  if (!candidate.ok) return candidate;
  const publication = verifyPublication(candidate.value, options.now);
  if (!publication.ok) return publication;
  const done = await publish(publication.value, options);
  if (!done.ok) return done;
  const { files, roots, state } = publication.value;
  return accept({ state, written: [...files, ...roots].map(({ name }) => name) });
}
