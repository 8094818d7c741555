/**
 * Targets and channels: the roles that people sign, and that alone can approve.
 *
 * - The top-level role answers to root, a channel to the targets role that delegates to it, by that role's keys and threshold.
 * - Online, the snapshot names version, length and digest of each; from flash alone there is no snapshot, and the floors take its place.
 * - One path for both: a delegated role is checked exactly like the top-level one.
 * - Source: TUF specification 1.0.34, sections 5.6 and 5.6.7.
 */
import type { Code } from '../../formats/codes.ts';
import {
  findDelegation,
  hasAuthority,
  parseTargets,
  type DelegatedRole,
  type Targets,
} from '../../formats/tuf-targets.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import type { Metadata, MetadataParseCode } from '../../formats/tuf-metadata.ts';
import type { MetaFile } from '../../formats/tuf-snapshot.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';
import { verifyThreshold } from '../../formats/verify-signatures.ts';
import type { TufRoot } from './verify-root.ts';
import { fresh, verifyFile, type FileCode, type Trust, type TrustedSnapshot } from './verify-timestamp.ts';

export type TrustedTargets = Verified<Metadata<Targets>>;
export type SignedRoleCode =
  MetadataParseCode | 'METADATA_THRESHOLD_UNMET' | 'ROLE_NOT_DELEGATED' | 'TARGET_NAME_REFUSED';
export type TargetsCode = SignedRoleCode | FileCode | 'METADATA_EXPIRED';

/**
 * How signatures are checked and files are read: by `parseTargets` where nothing else is said. Whoever asks many questions about the
 * same bytes may answer from memory what it said of them.
 */
export type RoleReading = { readonly check: SignatureCheck; readonly parse?: typeof parseTargets };

/** The top-level targets role by the signatures that `root` demands. */
export function verifyTargetsRole(
  root: TufRoot,
  bytes: Uint8Array,
  by: RoleReading,
): Verdict<TrustedTargets, SignedRoleCode> {
  const parsed = (by.parse ?? parseTargets)(bytes);
  if (!parsed.ok) return parsed;
  const { keys, roles } = root.metadata.signed;
  const signed = verifyThreshold(parsed.value, { name: 'targets', keys, ...roles.targets }, by.check);
  return signed.ok ? accept(markVerified(parsed.value)) : signed;
}

/** Whether `delegator` delegates a role of this name, in whichever way. */
export function isDelegated(delegator: TrustedTargets, name: string): boolean {
  const { delegations } = delegator.signed;
  return delegations !== undefined && findDelegation(delegations, name) !== undefined;
}

/**
 * A delegated role by the signatures that its delegator demands (5.6.3).
 * It may list any target: whoever looks for one follows the delegations to it, and no others.
 */
export function verifyDelegatedRole(
  delegator: TrustedTargets,
  role: { readonly name: string; readonly bytes: Uint8Array },
  by: RoleReading,
): Verdict<TrustedTargets, SignedRoleCode> {
  const { delegations } = delegator.signed;
  const delegation = delegations && findDelegation(delegations, role.name);
  if (delegation === undefined) return reject('ROLE_NOT_DELEGATED', `${role.name} is not delegated`);
  const parsed = (by.parse ?? parseTargets)(role.bytes);
  if (!parsed.ok) return parsed;
  const keys = delegations?.keys ?? new Map();
  const signed = verifyThreshold(parsed.value, { ...delegation, keys }, by.check);
  return signed.ok ? accept(markVerified(parsed.value)) : signed;
}

/**
 * A channel, as our devices demand it: a delegated role that was given its authority by paths, and lists nothing outside of them,
 * each target by its SHA-256.
 * @returns the role, or `TARGET_NAME_REFUSED` if it lists a target outside of the paths it was given.
 */
export function verifyChannelRole(
  delegator: TrustedTargets,
  role: { readonly name: string; readonly bytes: Uint8Array },
  by: RoleReading,
): Verdict<TrustedTargets, SignedRoleCode> {
  const delegation = delegator.signed.delegations?.roles.find(isChannel(role.name));
  if (delegation === undefined) return reject('ROLE_NOT_DELEGATED', `${role.name} is not delegated by paths`);
  const channel = verifyDelegatedRole(delegator, role, by);
  if (!channel.ok) return channel;
  for (const [name, { sha256 }] of channel.value.signed.targets) {
    if (sha256 === undefined) return reject('SHAPE_MALFORMED', `${role.name} lists a target without SHA-256`);
    if (!hasAuthority(delegation, name)) {
      return reject('TARGET_NAME_REFUSED', `${role.name} lists a target outside of its paths`);
    }
  }
  return channel;
}

function isChannel(name: string): (role: DelegatedRole) => boolean {
  return (role) => role.name === name && role.pathHashPrefixes === undefined;
}

/** A file that is offered as the role `name`, and how its signatures are checked. */
export type OfferedRole<C extends Code = SignedRoleCode> = {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly verify: (bytes: Uint8Array) => Verdict<TrustedTargets, C>;
};

/** Online: the file that the snapshot names, its signatures, its version and expiry (5.6.2 to 5.6.5), for every role alike. */
export function verifyRoleFile<C extends Code>(
  trust: Trust & { readonly snapshot: TrustedSnapshot },
  { name, bytes, verify }: OfferedRole<C>,
): Verdict<TrustedTargets, TargetsCode | C> {
  const named = findListed(trust.snapshot, name);
  if (!named.ok) return named;
  const whole = verifyFile(bytes, named.value, name);
  if (!whole.ok) return whole;
  const role = verify(bytes);
  return role.ok ? verifyListedRole(trust, name, role.value) : role;
}

/** Online: what `snapshot` says of the file of `role`. */
export function findListed(snapshot: TrustedSnapshot, role: string): Verdict<MetaFile, 'ROLE_NOT_DELEGATED'> {
  const named = snapshot.signed.meta.get(`${role}.json`);
  return named === undefined ? reject('ROLE_NOT_DELEGATED', `${role} is not listed in the snapshot`) : accept(named);
}

/** Whether the accepted `role` has the version that the snapshot names, and has not expired. */
function verifyListedRole(
  trust: Trust & { readonly snapshot: TrustedSnapshot },
  name: string,
  role: TrustedTargets,
): Verdict<TrustedTargets, 'METADATA_VERSION_MISMATCH' | 'METADATA_EXPIRED'> {
  const named = trust.snapshot.signed.meta.get(`${name}.json`)?.version;
  if (role.signed.version !== named) {
    return reject('METADATA_VERSION_MISMATCH', `${name} version ${role.signed.version}, the snapshot names ${named}`);
  }
  return fresh(role, name, trust.now);
}
