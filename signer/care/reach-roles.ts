/**
 * The walk through what devices refresh, by the device's own code: roots, timestamp, snapshot, and every role that is delegated.
 *
 * - All roots from the first on, for the sleepiest device; then what the newest of them vouches for.
 * - Delegations are followed wherever they lead, each role once; one that is delegated but not listed has said nothing yet.
 * - A role that is listed and no longer delegated must still be the file that the snapshot names: publishers read it.
 * - Expiry is told, not judged: an expired part is whole all the same, and whoever walks decides what that means.
 * - Source: TUF specification 1.0.34, sections 5.3 to 5.6.
 */
import { ROOTS_MAX } from '../../formats/boot-bundle.ts';
import { verifyBinding, type RepositoryId } from '../../formats/binding.ts';
import { parseChannelPart } from '../../formats/channel-part.ts';
import type { Instant } from '../../formats/instant.ts';
import {
  hashedTargetPath,
  isSideRole,
  nameDecoder,
  parseTargetName,
  sideRole,
  channelOf,
} from '../../formats/names.ts';
import type { ReleaseTarget } from '../../formats/release.ts';
import type { SeenMetadata } from '../../formats/seen-metadata.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { ROOT_BYTES_MAX } from '../../formats/tuf-root.ts';
import { SNAPSHOT_BYTES_MAX, TIMESTAMP_BYTES_MAX } from '../../formats/tuf-snapshot.ts';
import { TARGETS_BYTES_MAX } from '../../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import {
  verifyBoundRole,
  verifyBoundSnapshot,
  verifyBoundTimestamp,
  type BoundTrust,
} from '../../bootloader-verifier/boot/verify-bound.ts';
import { verifyHaltRole, verifyRolloutRole } from '../../bootloader-verifier/boot/verify-rollout.ts';
import { verifyNextRoot, verifyPinnedRoot, type TrustedRoot } from '../../bootloader-verifier/boot/verify-root.ts';
import {
  findListed,
  verifyChannelRole,
  verifyTargetsRole,
  type TrustedTargets,
} from '../../bootloader-verifier/boot/verify-targets.ts';
import {
  verifyFile,
  verifySeen,
  type TrustedSnapshot,
  type TrustedTimestamp,
} from '../../bootloader-verifier/boot/verify-timestamp.ts';
import { verifyPinned, type HistoryMismatch } from '../verify-history.ts';
import type { Order, Reach } from './reach.ts';

export type WalkTrust = {
  readonly repository: RepositoryId;
  readonly check: SignatureCheck;
  /** What was seen of this repository before, which must not go back. */
  readonly seen?: SeenMetadata | undefined;
};
/** A role as published. Undefined content: it is only listed, or a role beside a channel. */
export type ReachedRole = {
  readonly name: string;
  readonly version: number;
  readonly bytes: Uint8Array;
  readonly expires: Instant | undefined;
  readonly role: TrustedTargets | undefined;
  /** The targets role delegates it, and it is not one beside a channel. */
  readonly isChannel: boolean;
};
export type ReachedOnline = {
  readonly timestamp: { readonly bytes: Uint8Array; readonly role: TrustedTimestamp };
  readonly snapshot: { readonly bytes: Uint8Array; readonly role: TrustedSnapshot } | undefined;
  readonly roles: readonly ReachedRole[];
};

/** Where expiry plays no part. */
const NO_TIME = 0;

/** The name of version `version` of a role, below the product. */
export function metadataName(role: string, version: number): string {
  return `metadata/${version}.${role}.json`;
}

/** All roots, from the first to the newest, as far as they hold. */
export async function reachRoots(
  reach: Reach,
  { repository, check }: WalkTrust,
): Promise<Verdict<readonly TrustedRoot[]>> {
  const order = (version: number): Order => ({
    name: metadataName('root', version),
    bytesMax: ROOT_BYTES_MAX,
    isFixed: true,
  });
  const bound = (root: Verdict<TrustedRoot>): Verdict<TrustedRoot> => {
    if (!root.ok) return root;
    const { firmament, version } = root.value.metadata.signed;
    const binding = verifyBinding(firmament, { repository, role: 'root', isRootOne: version === 1 });
    return binding.ok ? root : binding;
  };
  const first = await reach.file(order(1), (bytes) => bound(verifyPinnedRoot(bytes, repository.rootOneSha256)));
  if (!first.ok) return first;
  const chain = [first.value];
  for (let newest = first.value; chain.length < ROOTS_MAX;) {
    const former = newest;
    const next = await reach.fileIfAny(order(chain.length + 1), (bytes) => bound(verifyNextRoot(former, bytes, check)));
    if (!next.ok || next.value === undefined) break;
    newest = next.value;
    chain.push(newest);
  }
  return accept(chain);
}

/** What `root` vouches for now, as far as it holds. */
export async function reachOnline(reach: Reach, root: TrustedRoot, walk: WalkTrust): Promise<Verdict<ReachedOnline>> {
  const trust: BoundTrust = { root, now: NO_TIME, check: walk.check, repository: walk.repository };
  const remembered = walk.seen && verifySeen(trust, walk.seen);
  const seen = remembered?.ok === true ? remembered.value : undefined;
  const timestamp = await reach.file(
    { name: 'metadata/timestamp.json', bytesMax: TIMESTAMP_BYTES_MAX, isFixed: false },
    (bytes) => withBytes(bytes, verifyBoundTimestamp(trust, bytes, seen)),
  );
  if (!timestamp.ok) return timestamp;
  const named = timestamp.value.role.signed.snapshot;
  const snapshot = await reach.file(
    {
      name: metadataName('snapshot', named.version),
      bytesMax: Math.min(named.length ?? SNAPSHOT_BYTES_MAX, SNAPSHOT_BYTES_MAX),
      isFixed: true,
    },
    (bytes) => withBytes(bytes, verifyBoundSnapshot({ ...trust, timestamp: timestamp.value.role }, bytes, seen)),
  );
  if (!snapshot.ok) return accept({ timestamp: timestamp.value, snapshot: undefined, roles: [] });
  const roles = await reachRoles(reach, { ...trust, snapshot: snapshot.value.role });
  return accept({ timestamp: timestamp.value, snapshot: snapshot.value, roles });
}

function withBytes<T>(bytes: Uint8Array, role: Verdict<T>): Verdict<{ readonly bytes: Uint8Array; readonly role: T }> {
  return role.ok ? accept({ bytes, role: role.value }) : role;
}

type Listed = BoundTrust & { readonly snapshot: TrustedSnapshot };

/** Every role that the snapshot lists, each by whoever delegates it. */
async function reachRoles(reach: Reach, trust: Listed): Promise<readonly ReachedRole[]> {
  const roles: ReachedRole[] = [];
  const visited = new Set(['targets']);
  const targets = await reachRole(reach, trust, {
    name: 'targets',
    isChannel: false,
    verify: (bytes) => verifyTargetsRole(trust.root, bytes, trust),
  });
  const waiting = targets === undefined ? [] : [targets];
  for (let delegator = waiting.pop(); delegator !== undefined; delegator = waiting.pop()) {
    roles.push(delegator);
    for (const delegated of delegator.role?.signed.delegations?.roles ?? []) {
      const { name } = delegated;
      if (visited.has(name) || !trust.snapshot.signed.meta.has(`${name}.json`)) continue;
      visited.add(name);
      const reached = await reachDelegated(reach, trust, { name, by: delegator });
      if (reached !== undefined) waiting.push(reached);
    }
  }
  for (const file of trust.snapshot.signed.meta.keys()) {
    const name = file.slice(0, -'.json'.length);
    if (visited.has(name)) continue;
    const stray = await reachStray(reach, trust, name);
    if (stray !== undefined) roles.push(stray);
  }
  return roles;
}

function reachDelegated(
  reach: Reach,
  trust: Listed,
  { name, by }: { readonly name: string; readonly by: ReachedRole },
): Promise<ReachedRole | undefined> {
  const delegator = by.role;
  if (delegator === undefined) return Promise.resolve(undefined);
  if (by.name === 'targets' && isSideRole(name)) return reachSide(reach, trust, { name, delegator });
  return reachRole(reach, trust, {
    name,
    isChannel: by.name === 'targets',
    verify: (bytes) => verifyChannelRole(delegator, { name, bytes }, trust),
    also: (role) => verifyPin(by, name, role),
  });
}

/** A channel names its history by version and content: another one of the same quorum is none. */
function verifyPin(by: ReachedRole, name: string, history: TrustedTargets): Verdict<void, HistoryMismatch> {
  const part =
    by.isChannel && name === sideRole(by.name, 'history') ? parseChannelPart(by.role?.signed.firmament) : undefined;
  const pin = part?.ok === true ? part.value.history : undefined;
  return pin === undefined ? accept(undefined) : verifyPinned(history, pin);
}

async function reachRole(
  reach: Reach,
  trust: Listed,
  offered: {
    readonly name: string;
    readonly isChannel: boolean;
    readonly verify: (bytes: Uint8Array) => ReturnType<typeof verifyTargetsRole>;
    readonly also?: (role: TrustedTargets) => Verdict<void>;
  },
): Promise<ReachedRole | undefined> {
  const { name, isChannel, verify, also = () => accept(undefined) } = offered;
  const order = orderOf(trust, name);
  if (order === undefined) return undefined;
  const reached = await reach.file(order.order, (bytes) => {
    const role = verifyBoundRole(trust, { name, bytes, verify });
    const whole = role.ok ? also(role.value) : role;
    return role.ok && !whole.ok ? whole : withBytes(bytes, role);
  });
  if (!reached.ok) return undefined;
  const { bytes, role } = reached.value;
  return { name, version: order.version, bytes, expires: role.signed.expires, role, isChannel };
}

async function reachSide(
  reach: Reach,
  trust: Listed,
  { name, delegator }: { readonly name: string; readonly delegator: TrustedTargets },
): Promise<ReachedRole | undefined> {
  const order = orderOf(trust, name);
  if (order === undefined) return undefined;
  const verify = name === sideRole(channelOf(name), 'halt') ? verifyHaltRole : verifyRolloutRole;
  const reached = await reach.file(order.order, (bytes) => {
    const side: Verdict<unknown> = verify(trust, { name, bytes, delegatedBy: delegator });
    return side.ok ? accept(bytes) : side;
  });
  if (!reached.ok) return undefined;
  return { ...order, name, bytes: reached.value, expires: undefined, role: undefined, isChannel: false };
}

/** A role that is listed, but that nobody delegates any more. */
async function reachStray(reach: Reach, trust: Listed, name: string): Promise<ReachedRole | undefined> {
  const order = orderOf(trust, name);
  const named = findListed(trust.snapshot, name);
  if (order === undefined || !named.ok) return undefined;
  const reached = await reach.file(order.order, (bytes) => {
    const whole = verifyFile(bytes, named.value, name);
    return whole.ok ? accept(bytes) : whole;
  });
  if (!reached.ok) return undefined;
  return { ...order, name, bytes: reached.value, expires: undefined, role: undefined, isChannel: false };
}

/** Where the role that the snapshot lists stands; undefined for a name that no role of ours has: it is never made a path. */
function orderOf(trust: Listed, name: string): { readonly order: Order; readonly version: number } | undefined {
  const named = findListed(trust.snapshot, name);
  if (!named.ok || !nameDecoder(name).ok) return undefined;
  const { version, length } = named.value;
  const bytesMax = Math.min(length ?? TARGETS_BYTES_MAX, TARGETS_BYTES_MAX);
  return { order: { name: metadataName(name, version), bytesMax, isFixed: true }, version };
}

/** The targets that `roles` list, each content once, by its place below the product. */
export function targetsOf(roles: readonly ReachedRole[]): ReadonlyMap<string, Verdict<ReleaseTarget>> {
  const targets = new Map<string, Verdict<ReleaseTarget>>();
  for (const { role } of roles) {
    for (const [name, { length, sha256 }] of role?.signed.targets ?? []) {
      if (sha256 === undefined) continue;
      const target = { name, length, sha256 };
      const isOurs = parseTargetName(name) !== undefined;
      targets.set(
        hashedTargetPath(target),
        isOurs ? accept(target) : reject('TARGET_NAME_REFUSED', 'a target is not named RELEASE/COMPONENT/FILE'),
      );
    }
  }
  return targets;
}
