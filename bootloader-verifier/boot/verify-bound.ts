/**
 * The steps of a refresh as our devices take them: each part checked as TUF demands, and bound to this repository and its role (R1).
 *
 * - A device takes them over what it fetches, the publisher over what devices would fetch: one order of checks for both.
 * - Source: TUF specification 1.0.34, sections 5.4 to 5.6.
 */
import { verifyBinding, type BindingCode, type RepositoryId } from '../../formats/binding.ts';
import type { SignedHead } from '../../formats/tuf-metadata.ts';
import { accept, type Verdict } from '../../formats/verdict.ts';
import {
  findListed,
  verifyListedRole,
  type SignedRoleCode,
  type TargetsCode,
  type TrustedTargets,
} from './verify-targets.ts';
import {
  verifyFile,
  verifySnapshot,
  verifyTimestamp,
  type Seen,
  type SnapshotCode,
  type TimestampCode,
  type Trust,
  type TrustedSnapshot,
  type TrustedTimestamp,
} from './verify-timestamp.ts';

/** What every step works with, and the repository that each part must name. */
export type BoundTrust = Trust & { readonly repository: RepositoryId };

/** A file that is offered as the role `name`, and how its signatures are checked. */
export type OfferedRole = {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly verify: (bytes: Uint8Array) => Verdict<TrustedTargets, SignedRoleCode>;
};

/** Decides which timestamp to go on with. @param seen what this device saw last, if the root still vouches for it. */
export function verifyBoundTimestamp(
  trust: BoundTrust,
  bytes: Uint8Array,
  seen: Seen | undefined,
): Verdict<TrustedTimestamp, TimestampCode | BindingCode> {
  const timestamp = verifyTimestamp(trust, bytes, seen?.timestamp);
  return timestamp.ok ? bound(trust, 'timestamp', timestamp.value) : timestamp;
}

/** Decides whether `bytes` is the snapshot that `timestamp` names; `seen` as above. */
export function verifyBoundSnapshot(
  trust: BoundTrust & { readonly timestamp: TrustedTimestamp },
  bytes: Uint8Array,
  seen: Seen | undefined,
): Verdict<TrustedSnapshot, SnapshotCode | BindingCode> {
  const snapshot = verifySnapshot(trust, bytes, seen?.snapshot);
  return snapshot.ok ? bound(trust, 'snapshot', snapshot.value) : snapshot;
}

/** Decides on targets or a channel: the file that the snapshot names, its signatures, its binding, its version and expiry. */
export function verifyBoundRole(
  trust: BoundTrust & { readonly snapshot: TrustedSnapshot },
  { name, bytes, verify }: OfferedRole,
): Verdict<TrustedTargets, TargetsCode | BindingCode> {
  const named = findListed(trust.snapshot, name);
  if (!named.ok) return named;
  const whole = verifyFile(bytes, named.value, name);
  if (!whole.ok) return whole;
  const signed = verify(bytes);
  if (!signed.ok) return signed;
  const role = bound(trust, name, signed.value);
  return role.ok ? verifyListedRole(trust, name, role.value) : role;
}

/** `part`, if it names this repository and `role`. */
function bound<T extends { readonly signed: SignedHead }>(
  { repository }: BoundTrust,
  role: string,
  part: T,
): Verdict<T, BindingCode> {
  const binding = verifyBinding(part.signed.firmament, { repository, role });
  return binding.ok ? accept(part) : binding;
}
