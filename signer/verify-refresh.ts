/**
 * A whole refresh over files at hand, by the device's own code, for every channel at once.
 *
 * - The steps and their order are those of a device: timestamp, snapshot, targets, channels; each bound to this repository and role.
 * - Every delegated channel is listed in the snapshot: clients that search delegations stop at a gap.
 * - Freshness is asked of the online roles, of targets and of the channels named; another channel's expiry is its own matter.
 * - Source: TUF specification 1.0.34, sections 5.4 to 5.6.
 */
import { verifyBinding, type BindingCode, type RepositoryId } from '../formats/binding.ts';
import type { SeenMetadata } from '../formats/seen-metadata.ts';
import type { SignedHead } from '../formats/tuf-metadata.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import {
  findListed,
  verifyDelegatedRole,
  verifyListedRole,
  verifyTargetsRole,
  type SignedRoleCode,
  type TargetsCode,
  type TrustedTargets,
} from '../bootloader-verifier/boot/verify-targets.ts';
import {
  verifyFile,
  verifySeen,
  verifySnapshot,
  verifyTimestamp,
  type SnapshotCode,
  type TimestampCode,
  type Trust,
  type TrustedSnapshot,
} from '../bootloader-verifier/boot/verify-timestamp.ts';

/** What a device would fetch, one file a role. */
export type OnlineFiles = {
  readonly timestamp: Uint8Array;
  readonly snapshot: Uint8Array;
  readonly roles: ReadonlyMap<string, Uint8Array>;
};
export type RefreshInput = {
  readonly trust: Trust;
  readonly repository: RepositoryId;
  readonly files: OnlineFiles;
  /** What the device saw before. */
  readonly seen: SeenMetadata | undefined;
  /** Channels that must be delegated and must not have expired. */
  readonly freshChannels: ReadonlySet<string>;
};
export type RefreshCode = TimestampCode | SnapshotCode | TargetsCode | BindingCode | 'NOT_FOUND';

/** Where expiry plays no part. */
const NO_TIME = 0;

/**
 * Decides whether a device that trusts `trust.root` gets through its refresh, whatever channel it follows.
 * @returns the channels, by name.
 */
export function verifyRefresh(input: RefreshInput): Verdict<readonly string[], RefreshCode> {
  const { trust } = input;
  const snapshot = verifyOnline(input);
  if (!snapshot.ok) return snapshot;
  const targets = verifyRole(input, snapshot.value, {
    name: 'targets',
    verify: (bytes) => verifyTargetsRole(trust.root, bytes, trust.check),
  });
  if (!targets.ok) return targets;
  const channels: string[] = [];
  for (const { name } of targets.value.signed.delegations?.roles ?? []) {
    const verify = (bytes: Uint8Array): Verdict<TrustedTargets, SignedRoleCode> =>
      verifyDelegatedRole(targets.value, { name, bytes }, trust.check);
    const channel = verifyRole(input, snapshot.value, { name, verify });
    if (!channel.ok) return channel;
    channels.push(name);
  }
  const stray = [...input.freshChannels].find((name) => !channels.includes(name));
  return stray === undefined ? accept(channels) : reject('ROLE_NOT_DELEGATED', `${stray} is not delegated`);
}

function verifyOnline(input: RefreshInput): Verdict<TrustedSnapshot, TimestampCode | SnapshotCode | BindingCode> {
  const { trust, files, seen } = input;
  const remembered = seen && verifySeen(trust, seen);
  const before = remembered?.ok === true ? remembered.value : undefined;
  const timestamp = verifyTimestamp(trust, files.timestamp, before?.timestamp);
  if (!timestamp.ok) return timestamp;
  const timestampBound = bindingOf(input, timestamp.value.signed, 'timestamp');
  if (!timestampBound.ok) return timestampBound;
  const snapshot = verifySnapshot({ ...trust, timestamp: timestamp.value }, files.snapshot, before?.snapshot);
  if (!snapshot.ok) return snapshot;
  const snapshotBound = bindingOf(input, snapshot.value.signed, 'snapshot');
  return snapshotBound.ok ? snapshot : snapshotBound;
}

type Role = { readonly name: string; readonly verify: (bytes: Uint8Array) => Verdict<TrustedTargets, SignedRoleCode> };

function verifyRole(
  input: RefreshInput,
  snapshot: TrustedSnapshot,
  { name, verify }: Role,
): Verdict<TrustedTargets, RefreshCode> {
  const named = findListed(snapshot, name);
  if (!named.ok) return named;
  const bytes = input.files.roles.get(name);
  if (bytes === undefined) return reject('NOT_FOUND', `the file of ${name} is missing`);
  const whole = verifyFile(bytes, named.value, name);
  if (!whole.ok) return whole;
  const role = verify(bytes);
  if (!role.ok) return role;
  const bound = bindingOf(input, role.value.signed, name);
  if (!bound.ok) return bound;
  const timed = name === 'targets' || input.freshChannels.has(name);
  return verifyListedRole({ ...input.trust, snapshot, now: timed ? input.trust.now : NO_TIME }, name, role.value);
}

function bindingOf({ repository }: RefreshInput, signed: SignedHead, role: string): Verdict<void, BindingCode> {
  return verifyBinding(signed.firmament, { repository, role });
}
