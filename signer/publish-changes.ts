/**
 * One publication from start to end: read, assemble, verify, write; and once more where another one was faster.
 *
 * - Others may run at once, in this process or another, over the same memory and store: each write says what it takes the place of,
 *   whoever comes second reads again what stands then, and verifies all of it again. What cannot follow it is refused.
 * - Without changes it is the refresh of the online roles: a new timestamp, and a new snapshot when it is due.
 * - It is done by the signer's time (`signing-time.ts`), which no clock turns back or far ahead.
 * - Withdrawals are remembered before anything else, whatever becomes of the rest.
 * - A publication that was interrupted before its timestamp is finished first where new roots are to come: which side of the
 *   timestamp they belong on depends on what devices see.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { equalBytes } from '../formats/bytes.ts';
import { parseTimestamp } from '../formats/tuf-snapshot.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import type { RepositoryId } from '../formats/binding.ts';
import type { TreeHead } from '../formats/merkle.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { assembleCandidate } from './assemble-candidate.ts';
import { logPolicies } from './assemble-log.ts';
import { draftLogAppend } from './draft-log-append.ts';
import { checkSignatureOnce } from './checked-once.ts';
import { collectWithdrawn } from './collect-withdrawn.ts';
import type { ObjectStore } from './object-store.ts';
import type { Candidate, Changes, Published } from './publication.ts';
import { readRole } from './parsed-role.ts';
import { overtaken } from './lost-race.ts';
import { appendToLog, publish } from './publish.ts';
import { readLog, type PublishedLog, type ReadLogCode } from './read-log.ts';
import { logSigners } from './sign-note.ts';
import { verifyLogAppend } from './verify-log-append.ts';
import { readPublished, type ReadCode } from './read-published.ts';
import type { Signer } from './signer.ts';
import { isSameState, type SignerMemory, type SignerState } from './signer-state.ts';
import { signingTime, type SigningClock } from './signing-time.ts';
import { verifyPublication } from './verify-publication.ts';

export type PublishOptions = SigningClock & {
  readonly store: ObjectStore;
  readonly memory: SignerMemory;
  readonly product: string;
  /** Keys of snapshot and timestamp; each signs the roles that list it. */
  readonly onlineSigners: readonly Signer[];
  /** How signatures are checked; by Node where nothing else is plugged in. */
  readonly check?: SignatureCheck | undefined;
  readonly snapshotLifetimeMs?: number | undefined;
};
export type PublishCode = ReadCode | ReadLogCode | 'CLOCK_AHEAD' | 'PUBLICATION_REFUSED' | 'REPOSITORY_CONFLICT';
export type PublishedNow = {
  readonly state: SignerState;
  /** Names of the objects that were written before the timestamp. */
  readonly written: readonly string[];
  /** The log as it stands now, where roots demand one. */
  readonly log: TreeHead | undefined;
};

/** How often a publication is drafted anew because another one was faster, and how long it first waits for that one's end. */
const RACES_MAX = 16;
const RACE_MS = 10;
const RACE_MS_MAX = 500;

/** What became of one attempt; a race is worth another one. */
type Attempt = { readonly verdict: Verdict<PublishedNow, PublishCode>; readonly isRace: boolean };

/**
 * Publishes `changes`; with none, refreshes the online roles. A race that is lost is run again over what the winner published.
 * Faults of the world throw `OperationError`; running again is always safe.
 */
export function publishChanges(options: PublishOptions, changes: Changes): Promise<Verdict<PublishedNow, PublishCode>> {
  const check = options.check ?? checkSignatureOnce;
  return options.memory.exclusively(async () => {
    for (let race = 0; ; race++) {
      const state = await options.memory.read();
      const time = signingTime(state, options);
      if (!time.ok) return time;
      const { verdict, isRace } = await publishInOrder({ ...options, check, now: time.value }, changes, state);
      const mayRetry = !verdict.ok && (isRace || (await isOvertaken(options, verdict.code, state)));
      if (!mayRetry || race === RACES_MAX) return verdict;
      await wait(Math.min(RACE_MS * 2 ** race, RACE_MS_MAX));
    }
  });
}

/** Whether the store seemed ahead of a memory that has caught up meanwhile: both were read while another publication wrote them. */
async function isOvertaken(
  { memory }: PublishOptions,
  code: PublishCode,
  state: SignerState | undefined,
): Promise<boolean> {
  const isAhead = code === 'SIGNER_STATE_STALE' || code === 'SIGNER_STATE_MISSING' || code === 'REPOSITORY_CONFLICT';
  return isAhead && !isSameState(state, await memory.read());
}

async function publishInOrder(
  options: PublishOptions,
  changes: Changes,
  read: SignerState | undefined,
): Promise<Attempt> {
  const published = await readPublished(options, read);
  if (!published.ok) return final(published);
  const { state } = published.value;
  if (state !== undefined && changes.onlyFinish === true && isShown(published.value)) {
    return final(accept({ state, written: [], log: undefined }));
  }
  const withdrawn = collectWithdrawn(published.value, changes);
  const known = new Set((state?.withdrawn ?? []).map(({ sha256 }) => sha256));
  if (state !== undefined && withdrawn.some(({ sha256 }) => !known.has(sha256))) {
    const remembering = { ...state, withdrawn };
    const remembered = await options.memory.write(remembering, state);
    return remembered.ok ? publishInOrder(options, changes, remembering) : raced(overtaken());
  }
  if (!isInterrupted(published.value) || (changes.roots ?? []).length === 0) {
    return publishOver(published.value, options, changes);
  }
  const finished = await publishOver(published.value, options, {});
  return finished.verdict.ok ? publishInOrder(options, changes, finished.verdict.value.state) : finished;
}

function final(verdict: Verdict<PublishedNow, PublishCode>): Attempt {
  return { verdict, isRace: false };
}

function raced(verdict: Verdict<PublishedNow, PublishCode>): Attempt {
  return { verdict, isRace: true };
}

/** Whether devices do not see the snapshot yet that the signer remembers. */
function isInterrupted({ state, timestamp }: Published): boolean {
  if (state === undefined) return false;
  const shown = timestamp && parseTimestamp(timestamp.bytes);
  return shown?.ok !== true || shown.value.signed.snapshot.version !== state.snapshotVersion;
}

/** Whether devices see the very timestamp that the signer remembers. */
export function isShown({ state, timestamp }: Pick<Published, 'state' | 'timestamp'>): boolean {
  const shown = timestamp && parseTimestamp(timestamp.bytes);
  return state === undefined || (shown?.ok === true && shown.value.signed.version === state.timestampVersion);
}

/** A role whose published version is handed in with other content: no race that could still be won. */
function givenTwice({ before, roles }: Candidate): string | undefined {
  return [...roles.keys()].find((role) => {
    const [standing, bytes] = [before.roles.get(role), roles.get(role)];
    if (standing === undefined || bytes === undefined || equalBytes(standing, bytes)) return false;
    return readRole(standing)?.signed.version === readRole(bytes)?.signed.version;
  });
}

type OpenedLog = Verdict<PublishedLog | undefined, PublishCode>;

/** The log of the product, where roots demand one; an append that was interrupted is finished first. */
async function openLog(
  published: Published,
  options: PublishOptions,
  changes: Changes,
): Promise<{ readonly log: OpenedLog; readonly isRace: boolean }> {
  const standing = logPolicies(published.roots);
  const policies = standing.length > 0 ? standing : logPolicies(changes.roots ?? []);
  if (policies.length === 0) return { log: accept(undefined), isRace: false };
  const { store, product, memory, check } = options;
  const log = await readLog({ store, product, policies, check }, await memory.readLog());
  if (!log.ok || log.value.unfinished === undefined) return { log, isRace: false };
  const { entries, size } = log.value.unfinished;
  const draft = await draftLogAppend(log.value, entries, logSigners(options.onlineSigners, policies, size));
  const repository = repositoryOf(published, options, changes);
  const append = verifyLogAppend(draft, { repository, policies: [...policies].reverse(), check });
  if (!append.ok) {
    return { log: reject('PUBLICATION_REFUSED', `${append.code}: ${append.detail}`), isRace: false };
  }
  const finished = await appendToLog(append.value, options);
  return finished.ok ? openLog(published, options, changes) : { log: finished, isRace: true };
}

/** The repository of the roots: by the state, or by root 1 where there is no state yet. */
function repositoryOf({ state }: Published, { product }: PublishOptions, changes: Changes): RepositoryId {
  return { product, rootOneSha256: state?.rootOneSha256 ?? sha256Hex(changes.roots?.[0] ?? new Uint8Array()) };
}

async function publishOver(published: Published, options: PublishOptions, changes: Changes): Promise<Attempt> {
  const { log, isRace } = await openLog(published, options, changes);
  if (!log.ok) return { verdict: log, isRace };
  const withdrawn = collectWithdrawn(published, changes);
  const floor = published.state ?? options.memory.foundingFloor?.();
  const candidate = await assembleCandidate({ ...options, published, floor, changes, log: log.value, withdrawn });
  if (!candidate.ok) return final(candidate);
  const publication = verifyPublication(candidate.value, options.now, options.check);
  if (!publication.ok) return final(publication);
  const second = givenTwice(candidate.value);
  if (second !== undefined) {
    return final(
      reject('REPOSITORY_CONFLICT', `${second} is published in this version with other content: draft the next`),
    );
  }
  const done = await publish(publication.value, options);
  if (!done.ok) return raced(done);
  const { files, roots, state, log: append } = publication.value;
  const written = [...(append?.files ?? []), ...(append?.proofs ?? []), ...files, ...roots].map(({ name }) => name);
  return final(accept({ state, written, log: append?.remembered ?? log.value?.head }));
}
