/**
 * A quorum as people write it down: some keys, and how many of them must sign.
 *
 * - The threshold can be met, by distinct keys: a role that nobody can sign would end the repository.
 * - Metadata name keys by id; the ids are ours, from the keys themselves.
 */
import type { PublicKey } from '../formats/signature-check.ts';
import { keyFingerprint, keyIdOf, KEYS_MAX } from '../formats/tuf-key.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import type { RoleKeys } from '../formats/verify-signatures.ts';

export type Quorum = { readonly keys: readonly PublicKey[]; readonly threshold: number };

/** The role that `quorum` signs, or `DRAFT_REFUSED` if it could never sign it, or a key stands in it twice. */
export function quorumToRole(role: string, quorum: Quorum): Verdict<RoleKeys, 'DRAFT_REFUSED'> {
  const { keys, threshold } = quorum;
  const distinct = new Set(keys.map(keyFingerprint)).size;
  if (distinct < keys.length) return reject('DRAFT_REFUSED', `${role}: a key stands twice`);
  if (!Number.isSafeInteger(threshold) || threshold < 1 || threshold > keys.length || keys.length > KEYS_MAX) {
    return reject('DRAFT_REFUSED', `${role}: a threshold of ${threshold} with ${keys.length} keys`);
  }
  return accept({ keyids: keys.map(keyIdOf), threshold });
}

/** The keys of `quorums` by id, in the order of first mention. */
export function keysById(quorums: readonly Quorum[]): ReadonlyMap<string, PublicKey> {
  return new Map(quorums.flatMap(({ keys }) => keys.map((key) => [keyIdOf(key), key] as const)));
}
