/**
 * What the signer remembers, held against what the store shows (rule R6).
 *
 * - A store that shows more than the signer remembers means that the memory is not the newest: nothing may be signed with it.
 * - A store that shows less was cut in a publication, or was set back; which of them, nobody can tell from outside, so it is a warning
 *   as long as what is remembered still lies there.
 * - A root that is logged and not there was cut before it was shown, or is lost: the signer remembers which roots were there.
 * - The memory is read after the store: it is written before the store shows anything, so a publication meanwhile looks like neither.
 */
import { sha256Hex } from '../../formats/sha256.ts';
import { SNAPSHOT_BYTES_MAX } from '../../formats/tuf-snapshot.ts';
import { reject } from '../../formats/verdict.ts';
import { isAhead } from '../read-published.ts';
import { demandReleased } from '../signer-state.ts';
import { objectOf, type Known } from './check-scene.ts';
import { orUnreadable, readObject } from './published-source.ts';
import { metadataName } from './reach-roles.ts';

const TIMESTAMP = 'metadata/timestamp.json';

/** Judges the roots of these `versions`, which the log names and the store does not hold. */
export async function checkUnseenRoots({ input, found }: Known, versions: readonly number[]): Promise<void> {
  if (versions.length === 0) return;
  const standing = (await input.memory?.state())?.standing;
  for (const version of versions) {
    const name = objectOf(input, metadataName('root', version));
    if (standing !== undefined && version > standing.rootVersion) {
      found.warning(name, reject('PUBLICATION_UNFINISHED', 'it is logged and was not shown yet: publish it again'));
    } else found.damage(name, reject('NOT_FOUND', 'the log says that it was published'));
  }
}

/** Holds both against each other, where the memory is at hand. */
export async function checkMemory({ input, found, online, log }: Known): Promise<void> {
  const { memory, repository } = input;
  if (memory === undefined) return;
  const state = await memory.state();
  if (state === undefined) {
    if (online !== undefined)
      found.damage('state', reject('SIGNER_STATE_MISSING', 'it remembers nothing of what is published'));
    return;
  }
  if (state.product !== repository.product || state.rootOneSha256 !== repository.rootOneSha256) {
    return found.damage('state', reject('REPOSITORY_MISMATCH', `it is of ${state.product}, or of another root 1`));
  }
  const released = demandReleased(state);
  if (!released.ok) return found.damage('state', released);
  if (log !== undefined && memory.log === undefined) {
    found.damage('state', reject('SIGNER_STATE_MISSING', 'it remembers nothing of the log'));
  }
  const shown = online?.timestamp.role.signed;
  if (shown === undefined) return;
  const { version } = shown;
  if (isAhead(shown, state)) {
    const detail = `timestamp ${version} is published, the state remembers ${state.timestampVersion}`;
    return found.damage('state', reject('SIGNER_STATE_STALE', detail));
  }
  const name = objectOf(input, metadataName('snapshot', state.snapshotVersion));
  const kept = await orUnreadable(() => readObject(input.source, name, SNAPSHOT_BYTES_MAX));
  if (!kept.ok || kept.value === undefined || sha256Hex(kept.value) !== state.snapshotSha256) {
    found.damage(name, reject('REPOSITORY_CONFLICT', 'it is not the snapshot that the signer signed last'));
  }
  if (version < state.timestampVersion) {
    const detail = `timestamp ${version} is shown, the signer remembers ${state.timestampVersion}`;
    found.warning(objectOf(input, TIMESTAMP), reject('PUBLICATION_UNFINISHED', detail));
  }
}
