/**
 * Reads what is published now, as the signer's own state names it.
 *
 * - The store is not believed: the snapshot is the one whose digest the state holds, every role the one that this snapshot names.
 * - A store that shows more than the state knows of means that the state is not the newest: nothing is signed then (rule R6).
 * - A root that was there is there: under an older one, whose keys it may have retired, nothing is signed any more.
 */
import { ROOTS_MAX } from '../formats/boot-bundle.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';
import type { SignedHead } from '../formats/tuf-metadata.ts';
import { ROOT_BYTES_MAX } from '../formats/tuf-root.ts';
import { parseSnapshot, SNAPSHOT_BYTES_MAX, TIMESTAMP_BYTES_MAX, type Timestamp } from '../formats/tuf-snapshot.ts';
import { TARGETS_BYTES_MAX } from '../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { verifyRootChain } from '../bootloader-verifier/boot/verify-root.ts';
import { verifyFile, verifyRememberedTimestamp } from '../bootloader-verifier/boot/verify-timestamp.ts';
import type { ObjectStore, StoredObject } from './object-store.ts';
import type { Published } from './publication.ts';
import { roleObject, timestampObject } from './repository-layout.ts';
import { checkSignature } from './signature-check-node.ts';
import { demandReleased, isSameState, type SignerMemory, type SignerState } from './signer-state.ts';

export type ReadCode =
  | 'SIGNER_STATE_MISSING'
  | 'SIGNER_STATE_STALE'
  | 'SIGNER_STATE_RESTORED'
  | 'SIGNER_STATE_MOVED'
  | 'REPOSITORY_MISMATCH'
  | 'REPOSITORY_CONFLICT';

/** How often what is published may change while it is read. */
const READINGS_MAX = 16;

export type RepositoryPlace = {
  readonly store: ObjectStore;
  readonly product: string;
  readonly check?: SignatureCheck | undefined;
};

/** What is published at `place`, held against `state`. */
export async function readPublished(
  place: RepositoryPlace,
  state: SignerState | undefined,
): Promise<Verdict<Published, ReadCode>> {
  const { store, product, check = checkSignature } = place;
  const released = demandReleased(state);
  if (!released.ok) return released;
  const timestamp = await store.get(timestampObject(product), TIMESTAMP_BYTES_MAX);
  if (state === undefined) {
    return timestamp === undefined
      ? accept({ state, roots: [], timestamp, snapshot: undefined, roles: new Map() })
      : reject('SIGNER_STATE_MISSING', `${product} has a timestamp, and the signer remembers nothing of it`);
  }
  if (state.product !== product) {
    return reject('REPOSITORY_MISMATCH', `this state is of ${state.product}, not of ${product}`);
  }
  const roots = await readRoots(store, product);
  if (isNewer(timestamp, roots, { state, check })) {
    return reject(
      'SIGNER_STATE_STALE',
      `the repository is newer than timestamp ${state.timestampVersion} of the state`,
    );
  }
  const rootVersion = state.standing?.rootVersion ?? 1;
  if (roots.length === 0 && timestamp === undefined) {
    return reject(
      'REPOSITORY_CONFLICT',
      `the store holds nothing of ${product}: look whether it is the right one, and there`,
    );
  }
  if (roots.length < rootVersion) {
    return reject('REPOSITORY_CONFLICT', `${roleObject(product, 'root', roots.length + 1)} is lost: bring it back`);
  }
  const snapshot = await readSnapshot(store, state);
  if (!snapshot.ok) return snapshot;
  const roles = await readRoles(store, product, snapshot.value);
  return roles.ok ? accept({ state, roots, timestamp, snapshot: snapshot.value, roles: roles.value }) : roles;
}

/** What is published at `place` now; read again where another publication wrote memory and store while they were read. */
export async function readCurrent(
  place: RepositoryPlace & { readonly memory: Pick<SignerMemory, 'read'> },
): Promise<Verdict<Published, ReadCode>> {
  for (let reading = 1; ; reading++) {
    const state = await place.memory.read();
    const published = await readPublished(place, state);
    if (published.ok || reading === READINGS_MAX || isSameState(state, await place.memory.read())) return published;
  }
}

async function readRoots(store: ObjectStore, product: string): Promise<readonly Uint8Array[]> {
  const roots: Uint8Array[] = [];
  while (roots.length < ROOTS_MAX) {
    const root = await store.get(roleObject(product, 'root', roots.length + 1), ROOT_BYTES_MAX);
    if (root === undefined) break;
    roots.push(root.bytes);
  }
  return roots;
}

/** Whether the timestamp in the store is of our keys, and not one that the state accounts for. */
function isNewer(
  timestamp: StoredObject | undefined,
  roots: readonly Uint8Array[],
  { state, check }: { readonly state: SignerState; readonly check: SignatureCheck },
): boolean {
  const chain = verifyRootChain(roots, { version: 1, sha256: state.rootOneSha256 }, check);
  if (timestamp === undefined || !chain.ok) return false;
  const shown = verifyRememberedTimestamp({ root: chain.value.newest, now: 0, check }, timestamp.bytes);
  if (!shown.ok) return false;
  return isAhead(shown.value.signed, state);
}

/** Whether a timestamp of our keys is not one that the state accounts for: another signer has published, with a memory of its own. */
export function isAhead({ version, snapshot }: Pick<SignedHead, 'version'> & Timestamp, state: SignerState): boolean {
  if (version > state.timestampVersion || snapshot.version > state.snapshotVersion) return true;
  const isSame = snapshot.version === state.snapshotVersion && snapshot.sha256 === state.snapshotSha256;
  // Of its own newest timestamp the state knows the snapshot; of an older one it knows that its snapshot was no newer.
  return version === state.timestampVersion ? !isSame : snapshot.version === state.snapshotVersion && !isSame;
}

type ReadSnapshot = NonNullable<Published['snapshot']>;

async function readSnapshot(
  store: ObjectStore,
  state: SignerState,
): Promise<Verdict<ReadSnapshot, 'REPOSITORY_CONFLICT'>> {
  const name = roleObject(state.product, 'snapshot', state.snapshotVersion);
  const found = await store.get(name, SNAPSHOT_BYTES_MAX);
  const metadata = found && sha256Hex(found.bytes) === state.snapshotSha256 ? parseSnapshot(found.bytes) : undefined;
  return found !== undefined && metadata?.ok === true
    ? accept({ bytes: found.bytes, metadata: metadata.value })
    : reject('REPOSITORY_CONFLICT', `${name} is not the snapshot that this signer signed last`);
}

async function readRoles(
  store: ObjectStore,
  product: string,
  snapshot: ReadSnapshot,
): Promise<Verdict<ReadonlyMap<string, Uint8Array>, 'REPOSITORY_CONFLICT'>> {
  const roles = new Map<string, Uint8Array>();
  for (const [file, named] of snapshot.metadata.signed.meta) {
    const role = file.slice(0, -'.json'.length);
    const name = roleObject(product, role, named.version);
    const found = await store.get(name, named.length ?? TARGETS_BYTES_MAX);
    if (found === undefined || !verifyFile(found.bytes, named, role).ok) {
      return reject('REPOSITORY_CONFLICT', `${name} is not the file that the snapshot names`);
    }
    roles.set(role, found.bytes);
  }
  return accept(roles);
}
