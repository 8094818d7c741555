/**
 * Targets and channels: the roles that people sign, and that alone can approve.
 *
 * - The top-level role answers to root, a channel to the targets role that delegates to it, by that role's keys and threshold.
 * - Online, the snapshot names version, length and digest of each; from flash alone there is no snapshot, and the floors take its place.
 * - One path for both: a delegated role is checked exactly like the top-level one.
 * - Source: TUF specification 1.0.34, sections 5.6 and 5.6.7.
 */
import { hasAuthority, parseTargets, type DelegatedRole, type Targets } from '../../formats/tuf-targets.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import type { Metadata, MetadataParseCode } from '../../formats/tuf-metadata.ts';
import type { MetaFile } from '../../formats/tuf-snapshot.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';
import { verifyThreshold } from '../../formats/verify-signatures.ts';
import type { TrustedRoot } from './verify-root.ts';
import { fresh, type FileCode, type Trust, type TrustedSnapshot } from './verify-timestamp.ts';

export type TrustedTargets = Verified<Metadata<Targets>>;
export type SignedRoleCode =
  MetadataParseCode | 'METADATA_THRESHOLD_UNMET' | 'ROLE_NOT_DELEGATED' | 'TARGET_NAME_REFUSED';
export type TargetsCode = SignedRoleCode | FileCode | 'METADATA_EXPIRED';

/** The top-level targets role by the signatures that `root` demands. */
export function verifyTargetsRole(
  root: TrustedRoot,
  bytes: Uint8Array,
  check: SignatureCheck,
): Verdict<TrustedTargets, SignedRoleCode> {
  const parsed = parseTargets(bytes);
  if (!parsed.ok) return parsed;
  const { keys, roles } = root.metadata.signed;
  const signed = verifyThreshold(parsed.value, { name: 'targets', keys, ...roles.targets }, check);
  return signed.ok ? accept(markVerified(parsed.value)) : signed;
}

/** Whether `delegator` delegates a role of this name. */
export function isDelegated(delegator: TrustedTargets, name: string): boolean {
  return findDelegation(delegator, name).ok;
}

/** The delegation of `name` in `delegator`. */
function findDelegation(delegator: TrustedTargets, name: string): Verdict<DelegatedRole, 'ROLE_NOT_DELEGATED'> {
  const role = delegator.signed.delegations?.roles.find((delegated) => delegated.name === name);
  return role === undefined ? reject('ROLE_NOT_DELEGATED', `${name} is not delegated`) : accept(role);
}

/**
 * A delegated role by the signatures that its delegator demands.
 * @returns the role, or `TARGET_NAME_REFUSED` if it lists a target outside of the paths it was given.
 */
export function verifyDelegatedRole(
  delegator: TrustedTargets,
  role: { readonly name: string; readonly bytes: Uint8Array },
  check: SignatureCheck,
): Verdict<TrustedTargets, SignedRoleCode> {
  const delegation = findDelegation(delegator, role.name);
  if (!delegation.ok) return delegation;
  const parsed = parseTargets(role.bytes);
  if (!parsed.ok) return parsed;
  const keys = delegator.signed.delegations?.keys ?? new Map();
  const signed = verifyThreshold(parsed.value, { ...delegation.value, keys }, check);
  if (!signed.ok) return signed;
  for (const name of parsed.value.signed.targets.keys()) {
    if (!hasAuthority(delegation.value, name)) {
      return reject('TARGET_NAME_REFUSED', `${role.name} lists a target outside of its paths`);
    }
  }
  return accept(markVerified(parsed.value));
}

/** Online: what `snapshot` says of the file of `role`. */
export function findListed(snapshot: TrustedSnapshot, role: string): Verdict<MetaFile, 'ROLE_NOT_DELEGATED'> {
  const named = snapshot.signed.meta.get(`${role}.json`);
  return named === undefined ? reject('ROLE_NOT_DELEGATED', `${role} is not listed in the snapshot`) : accept(named);
}

/** Online: whether the accepted `role` has the version that the snapshot names, and has not expired. */
export function verifyListedRole(
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
