/**
 * One refresh of a TUF client: the detailed client workflow, from the kept root to the top-level targets role.
 *
 * - The order and the checks are the specification's; each step names its clause. `now` is fixed for the whole run (5.1).
 * - What a step accepts is kept before the next one begins, the bytes as they came; of a step that refuses, nothing is.
 * - What is kept is verified again before it is used, under the newest root, and asked for again only where it no longer fits.
 * - No file is read beyond what its parent says, nor beyond the limit of its role.
 * - A generic client: no rule of our own is in it.
 * - Source: TUF specification 1.0.34, section 5.
 */
import type { Instant } from '../../../formats/instant.ts';
import type { SignatureCheck } from '../../../formats/signature-check.ts';
import { ROOT_BYTES_MAX } from '../../../formats/tuf-root.ts';
import { SNAPSHOT_BYTES_READ_MAX, TIMESTAMP_BYTES_MAX, type MetaFile } from '../../../formats/tuf-snapshot.ts';
import { TARGETS_BYTES_MAX } from '../../../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../../../formats/verdict.ts';
import {
  verifyInitialRoot,
  verifyNextTufRoot,
  verifyRootFresh,
  type TufRootCode,
  type TufRoot,
} from '../../boot/verify-root.ts';
import {
  findListed,
  verifyRoleFile,
  verifyTargetsRole,
  type OfferedRole,
  type TargetsCode,
  type TrustedTargets,
} from '../../boot/verify-targets.ts';
import {
  recall,
  verifySnapshot,
  verifyTimestamp,
  type Recalled,
  type SnapshotCode,
  type TimestampCode,
  type Trust,
  type TrustedSnapshot,
  type TrustedTimestamp,
} from '../../boot/verify-timestamp.ts';
import { fetchIfPresent, fetchPresent, type Fetcher } from './fetcher.ts';
import type { MetadataStore } from './metadata-store.ts';
import { encodeSegment } from './stored-name.ts';

/** How many newer roots one run takes (5.3.3). */
export const ROOTS_A_RUN_MAX = 256;

export type ClientCode =
  | TufRootCode
  | TimestampCode
  | SnapshotCode
  | TargetsCode
  | 'METADATA_LENGTH_MISMATCH'
  | 'NOT_FOUND'
  | 'TARGET_UNKNOWN'
  | 'SEARCH_TOO_LONG';

/** What a client works with. */
export type TufClient = {
  readonly store: MetadataStore;
  readonly fetcher: Fetcher;
  /** The address of the metadata, with a slash at its end. */
  readonly metadataUrl: string;
  readonly check: SignatureCheck;
  readonly now: Instant;
};

/** What a refresh ends with. */
export type TrustedMetadata = Trust & { readonly snapshot: TrustedSnapshot; readonly targets: TrustedTargets };

/** Keeps `bytes` as the root that everything starts from. Nothing is asked of the network. */
export async function keepInitialRoot(
  { store, check }: Pick<TufClient, 'store' | 'check'>,
  bytes: Uint8Array,
): Promise<Verdict<TufRoot, TufRootCode>> {
  const root = verifyInitialRoot(bytes, check);
  if (root.ok) await store.write('root', bytes);
  return root;
}

/** Runs one refresh. Faults of network and disk throw `OperationError`; everything that the repository says wrongly is a verdict. */
export async function refreshMetadata(client: TufClient): Promise<Verdict<TrustedMetadata, ClientCode>> {
  const root = await refreshRoot(client);
  if (!root.ok) return root;
  const trust: Trust = { root: root.value, now: client.now, check: client.check };
  const recalled = await recallKept(client, trust);
  const timestamp = await refreshTimestamp(client, trust, recalled);
  if (!timestamp.ok) return timestamp;
  const snapshot = await refreshSnapshot(client, { ...trust, timestamp: timestamp.value }, recalled);
  if (!snapshot.ok) return snapshot;
  const online = { ...trust, snapshot: snapshot.value };
  const targets = await obtainRole(client, online, {
    name: 'targets',
    verify: (bytes) => verifyTargetsRole(trust.root, bytes, trust),
  });
  return targets.ok ? accept({ ...online, targets: targets.value }) : targets;
}

/** 5.2 and 5.3: from the kept root to the newest one. */
async function refreshRoot(client: TufClient): Promise<Verdict<TufRoot, ClientCode>> {
  const kept = await client.store.read('root');
  if (kept === undefined) return reject('NOT_FOUND', 'there is no trusted root: init stores one');
  const initial = verifyInitialRoot(kept, client.check);
  if (!initial.ok) return initial;
  let root = initial.value;
  for (let taken = 0; taken < ROOTS_A_RUN_MAX; taken++) {
    // 5.3.3: the next version, until there is none.
    const url = `${client.metadataUrl}${root.metadata.signed.version + 1}.root.json`;
    const bytes = await fetchIfPresent(client.fetcher, { url, bytesMax: ROOT_BYTES_MAX });
    if (!bytes.ok) return bytes;
    if (bytes.value === undefined) break;
    // 5.3.4 to 5.3.6.
    const next = verifyNextTufRoot(root, bytes.value, client.check);
    if (!next.ok) return next;
    // 5.3.7 and 5.3.8.
    root = next.value;
    await client.store.write('root', bytes.value);
  }
  // 5.3.10.
  const fresh = verifyRootFresh(root, client.now);
  return fresh.ok ? accept(root) : fresh;
}

/** 5.3.11: what is kept of timestamp and snapshot, unless their keys were rotated. */
async function recallKept({ store }: TufClient, trust: Trust): Promise<Recalled & { readonly bytes?: Uint8Array }> {
  const [timestamp, snapshot] = [await store.read('timestamp'), await store.read('snapshot')];
  const recalled = recall(trust, { timestamp, snapshot });
  if (recalled.rotated) {
    await store.remove('timestamp');
    await store.remove('snapshot');
  }
  return recalled.snapshot !== undefined && snapshot !== undefined ? { ...recalled, bytes: snapshot } : recalled;
}

/** 5.4. */
async function refreshTimestamp(
  client: TufClient,
  trust: Trust,
  recalled: Recalled,
): Promise<Verdict<TrustedTimestamp, ClientCode>> {
  const url = `${client.metadataUrl}timestamp.json`;
  const bytes = await fetchPresent(client.fetcher, { url, bytesMax: TIMESTAMP_BYTES_MAX });
  if (!bytes.ok) return bytes;
  const timestamp = verifyTimestamp(trust, bytes.value, recalled.timestamp);
  // 5.4.3.1: of the version that is kept already, the kept one stays.
  if (timestamp.ok && timestamp.value !== recalled.timestamp) await client.store.write('timestamp', bytes.value);
  return timestamp;
}

/** 5.5. */
async function refreshSnapshot(
  client: TufClient,
  trust: Trust & { readonly timestamp: TrustedTimestamp },
  recalled: Recalled & { readonly bytes?: Uint8Array },
): Promise<Verdict<TrustedSnapshot, ClientCode>> {
  const named = trust.timestamp.signed.snapshot;
  const { bytes: before } = recalled;
  const kept = isOfLength(before, named) ? verifySnapshot(trust, before, undefined) : undefined;
  if (kept?.ok === true) return kept;
  const url = addressOf(client, trust, { role: 'snapshot', version: named.version });
  const bytes = await fetchNamed(client.fetcher, named, { url, bytesMax: SNAPSHOT_BYTES_READ_MAX });
  if (!bytes.ok) return bytes;
  const snapshot = verifySnapshot(trust, bytes.value, recalled.snapshot);
  if (snapshot.ok) await client.store.write('snapshot', bytes.value);
  return snapshot;
}

/** 5.6 for one role: the kept file where it is the one that the snapshot names, or else that one from the repository. */
export async function obtainRole(
  client: TufClient,
  trust: Trust & { readonly snapshot: TrustedSnapshot },
  { name, verify }: Omit<OfferedRole, 'bytes'>,
): Promise<Verdict<TrustedTargets, ClientCode>> {
  const named = findListed(trust.snapshot, name);
  if (!named.ok) return named;
  const kept = await client.store.read(name);
  const known = isOfLength(kept, named.value) ? verifyRoleFile(trust, { name, bytes: kept, verify }) : undefined;
  if (known?.ok === true) return known;
  const url = addressOf(client, trust, { role: name, version: named.value.version });
  const bytes = await fetchNamed(client.fetcher, named.value, { url, bytesMax: TARGETS_BYTES_MAX });
  if (!bytes.ok) return bytes;
  const role = verifyRoleFile(trust, { name, bytes: bytes.value, verify });
  if (role.ok) await client.store.write(name, bytes.value);
  return role;
}

/** Where a role's file lies: its version stands before its name where snapshots are consistent (5.3.12, 6.2). */
function addressOf(
  { metadataUrl }: TufClient,
  { root }: Trust,
  file: { readonly role: string; readonly version: number },
): string {
  const version = root.metadata.signed.consistentSnapshot ? `${file.version}.` : '';
  return `${metadataUrl}${version}${encodeSegment(file.role)}.json`;
}

/** Whether there is a file of the very length that its parent says, where it says one. */
function isOfLength(bytes: Uint8Array | undefined, { length }: MetaFile): bytes is Uint8Array {
  return bytes !== undefined && (length === undefined || bytes.length === length);
}

/** The file that a parent names: of the very length that it says, and never longer than the role may be. */
async function fetchNamed(
  fetcher: Fetcher,
  { length }: MetaFile,
  { url, bytesMax }: { readonly url: string; readonly bytesMax: number },
): Promise<Verdict<Uint8Array, ClientCode>> {
  const bytes = await fetchPresent(fetcher, { url, bytesMax: Math.min(length ?? bytesMax, bytesMax) });
  return bytes.ok && length !== undefined && bytes.value.length < length
    ? reject('METADATA_LENGTH_MISMATCH', `${url}: ${bytes.value.length} bytes, its parent names ${length}`)
    : bytes;
}
