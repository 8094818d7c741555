/**
 * Fetching a role's file: the version that the snapshot names, never more of it than the role may have.
 *
 * - Source: TUF specification 1.0.34, section 5.6.
 */
import type { BindingCode } from '../../formats/binding.ts';
import { TARGETS_BYTES_MAX } from '../../formats/tuf-targets.ts';
import { accept, type Verdict } from '../../formats/verdict.ts';
import { verifyBoundRole, type BoundTrust } from '../boot/verify-bound.ts';
import { findListed, type TargetsCode, type TrustedTargets, type OfferedRole } from '../boot/verify-targets.ts';
import type { TrustedSnapshot } from '../boot/verify-timestamp.ts';
import { getPresent, type RepositoryClient } from './repository-client.ts';

/** What is listed: the trust of this run, and the snapshot in it. */
export type ListedTrust = BoundTrust & { readonly snapshot: TrustedSnapshot };

/** Fetches what the snapshot names for `name`; not verified. */
export async function fetchListed(
  client: RepositoryClient,
  trust: ListedTrust,
  { name, bytesMax }: { readonly name: string; readonly bytesMax: number },
): Promise<Verdict<Uint8Array, 'ROLE_NOT_DELEGATED'>> {
  const named = findListed(trust.snapshot, name);
  if (!named.ok) return named;
  const { version, length } = named.value;
  return accept(await getPresent(client, `metadata/${version}.${name}.json`, limit(length, bytesMax)));
}

/** Step 5.6 for one role: its file, then everything that decides on it. */
export async function fetchRole(
  client: RepositoryClient,
  trust: ListedTrust,
  { name, verify }: Omit<OfferedRole, 'bytes'>,
): Promise<Verdict<{ readonly bytes: Uint8Array; readonly role: TrustedTargets }, TargetsCode | BindingCode>> {
  const bytes = await fetchListed(client, trust, { name, bytesMax: TARGETS_BYTES_MAX });
  if (!bytes.ok) return bytes;
  const role = verifyBoundRole(trust, { name, bytes: bytes.value, verify });
  return role.ok ? accept({ bytes: bytes.value, role: role.value }) : role;
}

/** What is fetched at most: what the parent says, but never more than the role may have. */
export function limit(length: number | undefined, bytesMax: number): number {
  return Math.min(length ?? bytesMax, bytesMax);
}
