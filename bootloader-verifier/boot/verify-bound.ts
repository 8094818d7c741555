/**
 * The steps of a refresh as our devices take them: each part checked as TUF demands, and bound to this repository and its role (R1).
 *
 * - A device takes them over what it fetches, the publisher over what devices would fetch: one order of checks for both.
 * - Source: TUF specification 1.0.34, sections 5.4 to 5.6.
 */
import { verifyBinding, type BindingCode, type RepositoryId } from '../../formats/binding.ts';
import type { SignedHead } from '../../formats/tuf-metadata.ts';
import { SNAPSHOT_BYTES_MAX } from '../../formats/tuf-snapshot.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import {
  verifyRoleFile,
  type OfferedRole,
  type SignedRoleCode,
  type TargetsCode,
  type TrustedTargets,
} from './verify-targets.ts';
import {
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
  if (bytes.length > SNAPSHOT_BYTES_MAX) {
    return reject('JSON_TOO_LARGE', `snapshot: ${bytes.length} bytes, a device reads ${SNAPSHOT_BYTES_MAX}`);
  }
  const snapshot = verifySnapshot(trust, bytes, seen?.snapshot);
  return snapshot.ok ? bound(trust, 'snapshot', snapshot.value) : snapshot;
}

/** Decides on targets or a channel: the file that the snapshot names, its signatures, its binding, its version and expiry. */
export function verifyBoundRole(
  trust: BoundTrust & { readonly snapshot: TrustedSnapshot },
  { name, bytes, verify }: OfferedRole,
): Verdict<TrustedTargets, TargetsCode | BindingCode> {
  const verifyBound = (file: Uint8Array): Verdict<TrustedTargets, SignedRoleCode | BindingCode> => {
    const signed = verify(file);
    return signed.ok ? bound(trust, name, signed.value) : signed;
  };
  return verifyRoleFile(trust, { name, bytes, verify: verifyBound });
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
