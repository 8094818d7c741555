/**
 * Makes a verified publication visible, in an order in which every moment is a whole repository.
 *
 * - The log first: nothing becomes visible that does not stand in it (P6).
 * - Then immutable files, each created or found with the same bytes; targets before the roles that name them, the snapshot last.
 * - Then the signer's own memory (R6), then the timestamp, on the condition that it is still the one that was read before.
 * - New roots stand on the side of the timestamp that the verification found safe.
 * - The memory is written in place of the one that the publication was drafted from, or not: of two that were drafted at once
 *   one goes on, and what it shows is what the other will be drafted from.
 * - A cut leaves what was visible before, or all of it; running again finishes. A lost race leaves nothing visible.
 */
import { equalBytes } from '../formats/bytes.ts';
import { accept, reject, type Verdict, type Verified } from '../formats/verdict.ts';
import { overtaken } from './lost-race.ts';
import type { ObjectStore } from './object-store.ts';
import type { ImmutableObject, LogAppend, Publication, Renewal, ReplacedObject } from './publication.ts';
import type { SignerMemory } from './signer-state.ts';

/** More than any published file has; what stands there may be longer than what we write. */
const STANDING_BYTES_MAX = 67_108_864;

type Destination = { readonly store: ObjectStore; readonly memory: SignerMemory };

/** Writes `publication`, or answers `REPOSITORY_CONFLICT`. Faults of the world throw `OperationError`. */
export async function publish(
  publication: Verified<Publication>,
  to: Destination,
): Promise<Verdict<void, 'REPOSITORY_CONFLICT'>> {
  const { files, roots, rootsFirst, state, formerState, timestamp, log } = publication;
  const logged = log === undefined ? accept(undefined) : await appendToLog(log, to);
  if (!logged.ok) return logged;
  const before = await writeAll(to.store, rootsFirst ? [...files, ...roots] : files);
  if (!before.ok) return before;
  const shown = await show({ state, formerState, timestamp }, to);
  if (!shown.ok) return shown;
  return rootsFirst ? accept(undefined) : writeAll(to.store, roots);
}

/** Shows a new timestamp over the snapshot that stands; remembered first, as ever. */
export function publishRenewal(
  renewal: Verified<Renewal>,
  to: Destination,
): Promise<Verdict<void, 'REPOSITORY_CONFLICT'>> {
  return show(renewal, to);
}

async function show(
  { state, formerState, timestamp }: Renewal,
  { store, memory }: Destination,
): Promise<Verdict<void, 'REPOSITORY_CONFLICT'>> {
  if (!(await memory.write(state, formerState)).ok) return overtaken();
  const shown = await store.put(timestamp.name, timestamp.bytes, timestamp.condition);
  return shown.ok ? accept(undefined) : overtaken();
}

/**
 * Appends to the log: the signer's memory, which owns the positions (R6), files, proofs, and the checkpoint last.
 * A cut leaves a memory that the next run finishes from; a lost race leaves nothing, or what the winner has appended as well.
 */
export async function appendToLog(
  append: Verified<LogAppend>,
  to: { readonly store: ObjectStore; readonly memory: Pick<SignerMemory, 'writeLog'> },
): Promise<Verdict<void, 'REPOSITORY_CONFLICT'>> {
  const { remembered, former, files, proofs, checkpoint } = append;
  if (!(await to.memory.writeLog(remembered, former)).ok) return overtaken();
  const written = await writeAll(to.store, files);
  if (!written.ok) return written;
  for (const proof of proofs) await writeProof(to.store, proof);
  return replaceObject(to.store, checkpoint);
}

/** Puts `object` in the place of what was read; the same bytes by another hand are as good. */
async function replaceObject(
  store: ObjectStore,
  { name, bytes, condition }: ReplacedObject,
): Promise<Verdict<void, 'REPOSITORY_CONFLICT'>> {
  if ((await store.put(name, bytes, condition)).ok) return accept(undefined);
  const standing = await store.get(name, STANDING_BYTES_MAX);
  return standing !== undefined && equalBytes(standing.bytes, bytes)
    ? accept(undefined)
    : reject('REPOSITORY_CONFLICT', `${name}: another publisher was faster, run again`);
}

/** Puts a proof where none stands, or another one; whichever of two stays, both prove the same. */
async function writeProof(store: ObjectStore, { name, bytes }: ImmutableObject): Promise<void> {
  if ((await store.put(name, bytes, 'create-only')).ok) return;
  const standing = await store.get(name, STANDING_BYTES_MAX);
  if (standing !== undefined && !equalBytes(standing.bytes, bytes)) {
    await store.put(name, bytes, { replaces: standing.etag });
  }
}

async function writeAll(
  store: ObjectStore,
  objects: readonly ImmutableObject[],
): Promise<Verdict<void, 'REPOSITORY_CONFLICT'>> {
  for (const { name, bytes } of objects) {
    const put = await store.put(name, bytes, 'create-only');
    if (put.ok) continue;
    const standing = await store.get(name, STANDING_BYTES_MAX);
    if (standing === undefined || !equalBytes(standing.bytes, bytes)) {
      return reject('REPOSITORY_CONFLICT', `${name} stands there with other bytes, and such files never change`);
    }
  }
  return accept(undefined);
}
