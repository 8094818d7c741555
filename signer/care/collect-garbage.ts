/**
 * What may be removed from a published repository, and its removal.
 *
 * - Kept for ever: every root, all of the log, whatever is in force, and whatever the newest `versionsMin` snapshots and those of the
 *   last `ageMs` name, with their targets. A sleeper needs roots, log and what is in force; who is in the middle of a refresh, a former one.
 * - Nothing young is removed, whatever it is; what is none of ours is not touched.
 * - Only from a repository that is whole, whose publications are finished, and that is the one the signer remembers (R6): on the
 *   word of an older state of the store, what is in force would look like garbage.
 * - Removed from under no publication (`SignerMemory.collect`), and only as long as nothing was published since it was planned: a
 *   publication may find among the orphans a target that it is to show.
 * - A cut leaves less garbage, and running again removes the rest.
 */
import { hashedTargetPath } from '../../formats/names.ts';
import { isIncomingName } from '../../formats/stored-proposal.ts';
import { parseSnapshot, SNAPSHOT_BYTES_MAX } from '../../formats/tuf-snapshot.ts';
import { parseTargets, TARGETS_BYTES_MAX } from '../../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { demandReleased, type SignerMemory, type SignerState } from '../signer-state.ts';
import { checkRepository, type CheckedRepository } from './check-repository.ts';
import { objectOf, type CheckInput } from './check-scene.ts';
import { placeOf } from './object-place.ts';
import { readObject, type ListedObject, type ObjectRemover } from './published-source.ts';
import { metadataName } from './reach-roles.ts';

export type GarbageRules = {
  /** Newest snapshots whose files stay. */
  readonly versionsMin: number;
  /** What is younger stays. */
  readonly ageMs: number;
  /** Uploads below `incoming/` that are younger stay. */
  readonly incomingAgeMs: number;
};
export type GarbageInput = Omit<CheckInput, 'memory'> & { readonly memory: SignerMemory; readonly rules: GarbageRules };
export type Garbage = {
  /** Whole names, in the order of removal. */
  readonly objects: readonly ListedObject[];
  /** The state that it was planned under. */
  readonly state: SignerState;
};
export type GarbageCode =
  | 'REPOSITORY_DAMAGED'
  | 'PUBLICATION_UNFINISHED'
  | 'REPOSITORY_CONFLICT'
  | 'SIGNER_STATE_MISSING'
  | 'SIGNER_STATE_RESTORED'
  | 'SIGNER_STATE_MOVED';

/** Removed in one turn, while publications wait. */
const TURN_MAX = 200;

/** Plans what to remove; nothing is changed. */
export async function planGarbage(input: GarbageInput): Promise<Verdict<Garbage, GarbageCode>> {
  const state = await input.memory.read();
  if (state === undefined) return reject('SIGNER_STATE_MISSING', 'the signer remembers nothing of this repository');
  const released = demandReleased(state);
  if (!released.ok) return released;
  const checked = await checkRepository({
    ...input,
    memory: { state: () => Promise.resolve(state), log: await input.memory.readLog() },
  });
  const usable = demandSound(checked);
  if (!usable.ok) return usable;
  const kept = await keptNames(input, checked);
  const objects: ListedObject[] = [];
  for (const [below, { sizeBytes, modifiedAt }] of checked.beside) {
    const isOld = modifiedAt <= input.now - input.rules.ageMs;
    if (isOld && mayGo(below) && !kept.has(below))
      objects.push({ name: objectOf(input, below), sizeBytes, modifiedAt });
  }
  for await (const object of input.list.list(`incoming/${input.repository.product}/`)) {
    const isOld = object.modifiedAt <= input.now - input.rules.incomingAgeMs;
    const isOurs = isIncomingName(object.name) || placeOf(object.name)?.kind === 'leftover';
    if (isOld && isOurs) objects.push(object);
  }
  return accept({ objects: objects.sort(byName), state });
}

/** Metadata go before the targets that they name: what is left of a cut names nothing that is gone. */
function byName(a: ListedObject, b: ListedObject): number {
  return a.name < b.name ? -1 : 1;
}

/** Former versions of roles, targets, and what cuts left. Roots and the log never go. */
function mayGo(below: string): boolean {
  const place = placeOf(below);
  return place?.kind === 'target' || place?.kind === 'leftover' || (place?.kind === 'role' && place.role !== 'root');
}

function demandSound({ findings }: CheckedRepository): Verdict<void, GarbageCode> {
  const unfinished = findings.all().find(({ code }) => code === 'PUBLICATION_UNFINISHED');
  if (findings.count('damage') > 0) {
    const first = findings.all().find(({ level }) => level === 'damage');
    return reject('REPOSITORY_DAMAGED', `${first?.object ?? ''}: ${first?.code ?? ''}; firmament fsck names all of it`);
  }
  return unfinished === undefined
    ? accept(undefined)
    : reject('PUBLICATION_UNFINISHED', `${unfinished.object}: ${unfinished.detail}`);
}

/** What is in force, and what the snapshots name that are to stay. */
async function keptNames(input: GarbageInput, checked: CheckedRepository): Promise<ReadonlySet<string>> {
  const kept = new Set(checked.reached);
  const read = new Set<string>();
  const snapshots = [...checked.beside].flatMap(([below, { modifiedAt }]) => {
    const place = placeOf(below);
    return place?.kind === 'role' && place.role === 'snapshot' ? [{ below, modifiedAt, version: place.version }] : [];
  });
  // Counted, not computed: between two that follow each other versions may be passed over.
  snapshots.sort((a, b) => b.version - a.version);
  for (const [i, { below, modifiedAt }] of snapshots.entries()) {
    const isKept = i < input.rules.versionsMin || modifiedAt > input.now - input.rules.ageMs;
    if (isKept) await keepSnapshot(input, below, { kept, read });
  }
  return kept;
}

/** @param so.read the roles whose targets are kept already. What is in force is read, too: a role that is delegated no longer lists targets. */
async function keepSnapshot(
  input: GarbageInput,
  below: string,
  { kept, read }: { readonly kept: Set<string>; readonly read: Set<string> },
): Promise<void> {
  kept.add(below);
  const bytes = await readObject(input.source, objectOf(input, below), SNAPSHOT_BYTES_MAX);
  const snapshot = bytes.ok && bytes.value !== undefined ? parseSnapshot(bytes.value) : undefined;
  for (const [file, { version }] of snapshot?.ok === true ? snapshot.value.signed.meta : []) {
    const name = metadataName(file.slice(0, -'.json'.length), version);
    if (read.has(name)) continue;
    read.add(name);
    kept.add(name);
    const role = await readObject(input.source, objectOf(input, name), TARGETS_BYTES_MAX);
    const parsed = role.ok && role.value !== undefined ? parseTargets(role.value) : undefined;
    for (const [target, { sha256 }] of parsed?.ok === true ? parsed.value.signed.targets : []) {
      if (sha256 !== undefined) kept.add(hashedTargetPath({ name: target, sha256 }));
    }
  }
}

/** Removes what was planned. @returns how many objects; `REPOSITORY_CONFLICT` once something was published since. */
export async function removeGarbage(
  { memory }: Pick<GarbageInput, 'memory'>,
  { objects, state }: Garbage,
  from: ObjectRemover,
): Promise<Verdict<number, 'REPOSITORY_CONFLICT'>> {
  let standing = state;
  for (let at = 0; at < objects.length; at += TURN_MAX) {
    const turn = await memory.collect(standing, async () => {
      for (const { name } of objects.slice(at, at + TURN_MAX)) await from.remove(name);
    });
    if (!turn.ok)
      return reject('REPOSITORY_CONFLICT', `${at} objects were removed, then something was published: run again`);
    standing = turn.value;
  }
  return accept(objects.length);
}
