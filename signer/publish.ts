/**
 * Makes a verified publication visible, in an order in which every moment is a whole repository.
 *
 * - Immutable files first, each created or found with the same bytes; targets before the roles that name them, the snapshot last.
 * - Then the signer's own memory (R6), then the timestamp, on the condition that it is still the one that was read before.
 * - New roots stand on the side of the timestamp that the verification found safe.
 * - A cut leaves what was visible before, or all of it; running again finishes. A lost race leaves nothing visible.
 */
import { equalBytes } from '../formats/bytes.ts';
import { accept, reject, type Verdict, type Verified } from '../formats/verdict.ts';
import type { ObjectStore } from './object-store.ts';
import type { ImmutableObject, Publication } from './publication.ts';
import type { SignerMemory } from './signer-state.ts';

/** More than any published file has; what stands there may be longer than what we write. */
const STANDING_BYTES_MAX = 67_108_864;

/** Writes `publication`, or answers `REPOSITORY_CONFLICT`. Faults of the world throw `OperationError`. */
export async function publish(
  publication: Verified<Publication>,
  to: { readonly store: ObjectStore; readonly memory: SignerMemory },
): Promise<Verdict<void, 'REPOSITORY_CONFLICT'>> {
  const { files, roots, rootsFirst, state, timestamp } = publication;
  const before = await writeAll(to.store, rootsFirst ? [...files, ...roots] : files);
  if (!before.ok) return before;
  await to.memory.write(state);
  const shown = await to.store.put(timestamp.name, timestamp.bytes, timestamp.condition);
  if (!shown.ok)
    return reject('REPOSITORY_CONFLICT', 'another publisher was faster: draft again on what is published now');
  return rootsFirst ? accept(undefined) : writeAll(to.store, roots);
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
