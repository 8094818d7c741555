/**
 * A whole refresh over files at hand, by the device's own code, for every channel at once.
 *
 * - The steps and their order are those of a device: timestamp, snapshot, targets, channels; each bound to this repository and role.
 * - A channel with a history delegates exactly that one, which is checked like the channel and searched behind it.
 * - Every delegated channel is listed in the snapshot: clients that search delegations stop at a gap. A role beside a channel is
 *   listed once it has said something: its paths lead no search there.
 * - Freshness is asked of the online roles, of targets and of the channels named; another channel's expiry is its own matter.
 * - Source: TUF specification 1.0.34, sections 5.4 to 5.6.
 */
import { type BindingCode, type RepositoryId } from '../formats/binding.ts';
import type { SeenMetadata } from '../formats/seen-metadata.ts';
import { channelOf, isSideRole, sideRole } from '../formats/names.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import {
  verifyBoundRole,
  verifyBoundSnapshot,
  verifyBoundTimestamp,
  type BoundTrust,
} from '../bootloader-verifier/boot/verify-bound.ts';
import { verifyHaltRole, verifyRolloutRole, type RolloutCode } from '../bootloader-verifier/boot/verify-rollout.ts';
import {
  findListed,
  verifyChannelRole,
  verifyDelegatedRole,
  verifyTargetsRole,
  type RoleReading,
  type TargetsCode,
  type TrustedTargets,
  type OfferedRole,
} from '../bootloader-verifier/boot/verify-targets.ts';
import {
  verifySeen,
  type SnapshotCode,
  type TimestampCode,
  type Trust,
  type TrustedSnapshot,
} from '../bootloader-verifier/boot/verify-timestamp.ts';
import { parsedRole } from './parsed-role.ts';
import { verifyHistoryDelegation, type HistoryMismatch } from './verify-history.ts';

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
export type RefreshCode =
  TimestampCode | SnapshotCode | TargetsCode | BindingCode | RolloutCode | HistoryMismatch | 'NOT_FOUND';

/** Each file is read once, however many rules of a publication ask for it. */
type ReadingTrust = BoundTrust & RoleReading;

/** Where expiry plays no part. */
const NO_TIME = 0;

/**
 * Decides whether a device that trusts `trust.root` gets through its refresh, whatever channel it follows.
 * @returns the channels, by name.
 */
export function verifyRefresh(input: RefreshInput): Verdict<readonly string[], RefreshCode> {
  const trust: ReadingTrust = { ...input.trust, repository: input.repository, parse: parsedRole };
  const snapshot = verifyOnline(trust, input);
  if (!snapshot.ok) return snapshot;
  const listed = { ...trust, snapshot: snapshot.value };
  const targets = verifyRole(input, listed, {
    name: 'targets',
    verify: (bytes) => verifyTargetsRole(trust.root, bytes, trust),
  });
  if (!targets.ok) return targets;
  const channels: string[] = [];
  const said: string[] = [];
  for (const { name } of targets.value.signed.delegations?.roles ?? []) {
    if (isSideRole(name)) {
      const side = verifySide(input, listed, { name, delegatedBy: targets.value });
      if (!side.ok) return side;
      said.push(name);
      continue;
    }
    const channel = verifyRole(input, listed, {
      name,
      verify: (bytes) => verifyChannelRole(targets.value, { name, bytes }, trust),
    });
    if (!channel.ok) return channel;
    channels.push(name);
    const history = verifyHistoryRole(input, listed, { name, channel: channel.value, targets: targets.value });
    if (!history.ok) return history;
    if (history.value !== undefined) said.push(history.value);
  }
  const stray = [...input.freshChannels].find((name) => !channels.includes(name) && !said.includes(name));
  return stray === undefined ? accept(channels) : reject('ROLE_NOT_DELEGATED', `${stray} is not delegated`);
}

/** The history of a channel that names one. @returns the name of its role. */
function verifyHistoryRole(
  input: RefreshInput,
  trust: ReadingTrust & { readonly snapshot: TrustedSnapshot },
  of: { readonly name: string; readonly channel: TrustedTargets; readonly targets: TrustedTargets },
): Verdict<string | undefined, RefreshCode> {
  const { channel, targets } = of;
  const named = input.freshChannels.has(of.name)
    ? verifyHistoryDelegation(channel, { name: of.name, targets: targets.signed })
    : accept(channel.signed.delegations?.roles[0]?.name);
  if (!named.ok || named.value === undefined) return named;
  const { value: name } = named;
  const verify = (bytes: Uint8Array): ReturnType<typeof verifyDelegatedRole> =>
    verifyDelegatedRole(channel, { name, bytes }, trust);
  const history = verifyRole(input, trust, { name, verify });
  return history.ok ? named : history;
}

/** A role beside a channel, if it has said anything yet. One that is new must not have expired already. */
function verifySide(
  { files, freshChannels }: RefreshInput,
  trust: BoundTrust & { readonly snapshot: TrustedSnapshot },
  { name, delegatedBy }: { readonly name: string; readonly delegatedBy: TrustedTargets },
): Verdict<void, RefreshCode> {
  if (!trust.snapshot.signed.meta.has(`${name}.json`)) return accept(undefined);
  const bytes = files.roles.get(name);
  if (bytes === undefined) return reject('NOT_FOUND', `the file of ${name} is missing`);
  const verify = name === sideRole(channelOf(name), 'halt') ? verifyHaltRole : verifyRolloutRole;
  const role = verify(trust, { name, bytes, delegatedBy });
  if (!role.ok) return role;
  return freshChannels.has(name) && role.value.expires <= trust.now
    ? reject('METADATA_EXPIRED', `${name} has expired`)
    : accept(undefined);
}

function verifyOnline(
  trust: BoundTrust,
  { files, seen }: RefreshInput,
): Verdict<TrustedSnapshot, TimestampCode | SnapshotCode | BindingCode> {
  const remembered = seen && verifySeen(trust, seen);
  const before = remembered?.ok === true ? remembered.value : undefined;
  const timestamp = verifyBoundTimestamp(trust, files.timestamp, before);
  if (!timestamp.ok) return timestamp;
  return verifyBoundSnapshot({ ...trust, timestamp: timestamp.value }, files.snapshot, before);
}

function verifyRole(
  { files, freshChannels }: RefreshInput,
  trust: BoundTrust & { readonly snapshot: TrustedSnapshot },
  { name, verify }: Omit<OfferedRole, 'bytes'>,
): Verdict<TrustedTargets, RefreshCode> {
  const named = findListed(trust.snapshot, name);
  if (!named.ok) return named;
  const bytes = files.roles.get(name);
  if (bytes === undefined) return reject('NOT_FOUND', `the file of ${name} is missing`);
  const timed = name === 'targets' || freshChannels.has(name);
  return verifyBoundRole({ ...trust, now: timed ? trust.now : NO_TIME }, { name, bytes, verify });
}
