/**
 * Fetching a role's file: the version that the snapshot names, never more of it than the role may have.
 *
 * - A file at hand of the very digest that the snapshot names is not fetched again; it is verified like one that was.
 * - Source: TUF specification 1.0.34, section 5.6.
 */
import type { BindingCode } from '../../formats/binding.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { TARGETS_BYTES_MAX } from '../../formats/tuf-targets.ts';
import { accept, type Verdict } from '../../formats/verdict.ts';
import { verifyBoundRole, type BoundTrust } from '../boot/verify-bound.ts';
import { findListed, type TargetsCode, type TrustedTargets, type OfferedRole } from '../boot/verify-targets.ts';
import type { TrustedSnapshot } from '../boot/verify-timestamp.ts';
import { getPresent, type RepositoryClient } from './repository-client.ts';

/** What is listed: the trust of this run, and the snapshot in it. */
export type ListedTrust = BoundTrust & { readonly snapshot: TrustedSnapshot };

/** Files that a device has already, by role; not believed. */
export type AtHand = ReadonlyMap<string, Uint8Array> | undefined;

/** Fetches what the snapshot names for `name`; not verified. */
export async function fetchListed(
  client: RepositoryClient,
  trust: ListedTrust,
  { name, bytesMax, atHand }: { readonly name: string; readonly bytesMax: number; readonly atHand?: AtHand },
): Promise<Verdict<Uint8Array, 'ROLE_NOT_DELEGATED'>> {
  const named = findListed(trust.snapshot, name);
  if (!named.ok) return named;
  const { version, length, sha256 } = named.value;
  const lying = atHand?.get(name);
  if (lying !== undefined && sha256 !== undefined && sha256Hex(lying) === sha256) return accept(lying);
  return accept(await getPresent(client, `metadata/${version}.${name}.json`, limit(length, bytesMax)));
}

/** Step 5.6 for one role: its file, then everything that decides on it. */
export async function fetchRole(
  client: RepositoryClient,
  trust: ListedTrust,
  { name, verify, atHand }: Omit<OfferedRole, 'bytes'> & { readonly atHand?: AtHand },
): Promise<Verdict<{ readonly bytes: Uint8Array; readonly role: TrustedTargets }, TargetsCode | BindingCode>> {
  const bytes = await fetchListed(client, trust, { name, bytesMax: TARGETS_BYTES_MAX, atHand });
  if (!bytes.ok) return bytes;
  const role = verifyBoundRole(trust, { name, bytes: bytes.value, verify });
  return role.ok ? accept({ bytes: bytes.value, role: role.value }) : role;
}

/** What is fetched at most: what the parent says, but never more than the role may have. */
export function limit(length: number | undefined, bytesMax: number): number {
  return Math.min(length ?? bytesMax, bytesMax);
}
