/**
 * One refresh: the TUF client workflow with the rules that our devices add to it.
 *
 * - The order is the specification's (5.3 to 5.6): root, timestamp, snapshot, targets, then the device's channel and
 *   the two roles beside it; each step's file is fetched only after the former was accepted, and `now` is fixed for the whole run (5.1).
 * - Roots and channel must be logged, where roots demand it (P6).
 * - Every part must name this repository and its own role (R1).
 * - Nothing of a failed step is kept: what was seen is handed out once the whole refresh has passed.
 * - The root chain starts at the root that the floors pin, wherever a copy of it is found, and has at most `ROOTS_MAX` links,
 *   as many as a boot bundle holds.
 * - No file is read beyond the limit of its role, whatever length its parent names.
 */
import { ROOTS_MAX, type LogProofs } from '../../formats/boot-bundle.ts';
import { verifyBinding, type BindingCode } from '../../formats/binding.ts';
import { parseChannelPart } from '../../formats/channel-part.ts';
import { repositoryOf } from '../../formats/factory-record.ts';
import type { Instant } from '../../formats/instant.ts';
import { ROOT_BYTES_MAX } from '../../formats/tuf-root.ts';
import { SNAPSHOT_BYTES_MAX, TIMESTAMP_BYTES_MAX } from '../../formats/tuf-snapshot.ts';
import { accept, type Verdict } from '../../formats/verdict.ts';
import { verifyBoundSnapshot, verifyBoundTimestamp, type BoundTrust } from '../boot/verify-bound.ts';
import type { DeviceTrust } from '../boot/verify-bundle.ts';
import type { LoggedParts } from '../boot/verify-log.ts';
import type { RolloutCode } from '../boot/verify-rollout.ts';
import {
  verifyNextRoot,
  verifyPinnedRoot,
  verifyRootChain,
  verifyRootFresh,
  type RootCode,
  type TrustedRoot,
} from '../boot/verify-root.ts';
import { verifyChannelRole, verifyTargetsRole, type TargetsCode, type TrustedTargets } from '../boot/verify-targets.ts';
import { verifySeen, type SnapshotCode, type TimestampCode, type TrustedSnapshot } from '../boot/verify-timestamp.ts';
import type { SeenMetadata } from '../../formats/seen-metadata.ts';
import { fetchRole, limit, type AtHand } from './fetch-role.ts';
import { fetchRollout, type RolloutNews } from './fetch-rollout.ts';
import { refreshLog, type RefreshLogCode } from './refresh-log.ts';
import { getPresent, type RepositoryClient } from './repository-client.ts';

export type RefreshCode =
  RefreshLogCode | RootCode | TimestampCode | SnapshotCode | TargetsCode | BindingCode | RolloutCode;

/** What a refresh brings home: the files as signed, ready for a boot bundle, and the accepted channel. */
export type Refreshed = {
  /** Root files from the pinned one to the newest. */
  readonly roots: readonly Uint8Array[];
  /** Proofs that roots and channel are logged, where roots demand a log. */
  readonly proofs: LogProofs | undefined;
  readonly seen: SeenMetadata;
  readonly targets: Uint8Array;
  readonly channel: Uint8Array;
  readonly channelRole: TrustedTargets;
  /** What the roles beside the channel say of its rollout. */
  readonly rollout: RolloutNews;
};

export type RefreshInput = {
  readonly device: DeviceTrust;
  readonly client: RepositoryClient;
  /** Root files at hand, from a boot bundle or the factory; they need not contain the pinned one. */
  readonly rootsAtHand: readonly Uint8Array[];
  /** Targets and channel at hand, from a boot bundle: not fetched again while the snapshot names them. */
  readonly rolesAtHand?: AtHand;
  readonly seen: SeenMetadata | undefined;
  readonly now: Instant;
};

/** Runs one refresh. Network faults throw `OperationError`; everything that the server says wrongly is a verdict. */
export async function refresh(input: RefreshInput): Promise<Verdict<Refreshed, RefreshCode>> {
  const roots = await refreshRoots(input);
  if (!roots.ok) return roots;
  const { newest, chain } = roots.value;
  const { device, now } = input;
  const trust: BoundTrust = { root: newest, now, check: device.check, repository: repositoryOf(device.factory) };
  const online = await refreshOnline(input, trust);
  if (!online.ok) return online;
  const listed = { ...trust, snapshot: online.value.snapshot };
  const { rolesAtHand: atHand } = input;
  const targets = await fetchRole(input.client, listed, {
    name: 'targets',
    atHand,
    verify: (bytes) => verifyTargetsRole(newest, bytes, trust),
  });
  if (!targets.ok) return targets;
  const { channelName: name } = device.factory;
  const channel = await fetchRole(input.client, listed, {
    name,
    atHand,
    verify: (bytes) => verifyChannelRole(targets.value.role, { name, bytes }, trust),
  });
  if (!channel.ok) return channel;
  const logged = await refreshLog(input.client, loggedParts(trust, chain, { name, ...channel.value }), {
    check: trust.check,
    seen: input.seen?.checkpoint,
  });
  if (!logged.ok) return logged;
  const rollout = await fetchRollout(input.client, listed, { channel: name, targets: targets.value.role });
  if (!rollout.ok) return rollout;
  return accept({
    roots: chain.map((root) => root.bytes),
    proofs: logged.value?.proofs,
    seen: { ...online.value.seen, checkpoint: logged.value?.checkpoint },
    targets: targets.value.bytes,
    channel: channel.value.bytes,
    channelRole: channel.value.role,
    rollout: rollout.value,
  });
}

/** What must be logged of what was accepted. */
function loggedParts(
  { repository }: BoundTrust,
  roots: readonly TrustedRoot[],
  channel: { readonly name: string; readonly bytes: Uint8Array; readonly role: TrustedTargets },
): Omit<LoggedParts, 'proofs'> {
  const { name, bytes, role } = channel;
  const part = parseChannelPart(role.signed.firmament);
  // A channel without a release in force is refused when its bundle is judged.
  const release = part.ok ? part.value.release : '';
  return { repository, roots, channel: { name, bytes, version: role.signed.version }, release };
}

/** Steps 5.2 and 5.3: from the pinned root, one version at a time, until the server has no next one. */
async function refreshRoots(
  input: RefreshInput,
): Promise<Verdict<RootChain, RootCode | BindingCode | 'METADATA_EXPIRED'>> {
  const { device, client } = input;
  const repository = repositoryOf(device.factory);
  const start = await pinnedChain(input);
  if (!start.ok) return start;
  const chain = [...start.value.chain];
  let { newest } = start.value;
  while (chain.length < ROOTS_MAX) {
    const bytes = await client.get(`metadata/${newest.metadata.signed.version + 1}.root.json`, ROOT_BYTES_MAX);
    if (bytes === undefined) break;
    const next = verifyNextRoot(newest, bytes, device.check);
    if (!next.ok) return next;
    const bound = verifyBinding(next.value.metadata.signed.firmament, { repository, role: 'root' });
    if (!bound.ok) return bound;
    newest = next.value;
    chain.push(newest);
  }
  const fresh = verifyRootFresh(newest, input.now);
  return fresh.ok ? accept({ newest, chain }) : fresh;
}

type RootChain = { readonly newest: TrustedRoot; readonly chain: readonly TrustedRoot[] };

/** The chain from the pinned root on, from what is at hand, or else from the server by version and digest. */
async function pinnedChain(input: RefreshInput): Promise<Verdict<RootChain, RootCode>> {
  const { device, client, rootsAtHand } = input;
  const { root } = device.floors;
  for (const files of [rootsAtHand, [device.factory.root]]) {
    const atHand = verifyRootChain(files, root, device.check);
    if (atHand.ok) return atHand;
  }
  const bytes = await getPresent(client, `metadata/${root.version}.root.json`, ROOT_BYTES_MAX);
  const pinned = verifyPinnedRoot(bytes, root.sha256);
  return pinned.ok ? accept({ newest: pinned.value, chain: [pinned.value] }) : pinned;
}

/** Steps 5.4 and 5.5. */
async function refreshOnline(
  input: RefreshInput,
  trust: BoundTrust,
): Promise<
  Verdict<
    { readonly snapshot: TrustedSnapshot; readonly seen: SeenMetadata },
    TimestampCode | SnapshotCode | BindingCode
  >
> {
  const { client } = input;
  const verified = input.seen === undefined ? undefined : verifySeen(trust, input.seen);
  const seen = verified?.ok === true ? verified.value : undefined;
  const offered = await getPresent(client, 'metadata/timestamp.json', TIMESTAMP_BYTES_MAX);
  const timestamp = verifyBoundTimestamp(trust, offered, seen);
  if (!timestamp.ok) return timestamp;
  const { version, length } = timestamp.value.signed.snapshot;
  const bytes = await getPresent(client, `metadata/${version}.snapshot.json`, limit(length, SNAPSHOT_BYTES_MAX));
  const snapshot = verifyBoundSnapshot({ ...trust, timestamp: timestamp.value }, bytes, seen);
  if (!snapshot.ok) return snapshot;
  // Where the server offers the version again that was seen, it is the seen one that went on.
  const timestampBytes =
    input.seen !== undefined && timestamp.value === seen?.timestamp ? input.seen.timestamp : offered;
  return accept({ snapshot: snapshot.value, seen: { timestamp: timestampBytes, snapshot: bytes } });
}
