/**
 * Whether enough distinct keys of a role have signed.
 *
 * - A key counts once: under one key id or several, with one signature or many.
 * - The threshold is at least 1; only keys that the role lists count. One that all of them could not meet is never met.
 * - A signature that does not verify counts for nothing and spoils nothing.
 * - At most `SIGNATURES_MAX` signatures are looked at (the parser holds that), and none after the threshold is met.
 * - Source: TUF specification 1.0.34, sections 4.2.1, 4.3 and 5.3.4.
 */
import { integer, list, object, refine, shape, type Decoder } from './decode.ts';
import type { PublicKey, SignatureCheck } from './signature-check.ts';
import { keyFingerprint, keyIdDecoder, KEYS_MAX } from './tuf-key.ts';
import type { SignatureEntry } from './tuf-metadata.ts';
import { accept, reject, type Verdict } from './verdict.ts';

/** Who may sign a role, and how many of them must. */
export type RoleKeys = {
  readonly keyids: readonly string[];
  readonly threshold: number;
};

/** The `keyids` and `threshold` of a role. */
export const roleKeysDecoder: Decoder<RoleKeys> = refine(
  object('ignored', { keyids: list(keyIdDecoder, KEYS_MAX), threshold: integer(1) }),
  (role) =>
    new Set(role.keyids).size === role.keyids.length
      ? accept({ keyids: role.keyids, threshold: role.threshold })
      : shape('.keyids: a key id stands twice'),
);

/**
 * Decides whether `role`'s threshold is met over `signedBytes`.
 * @param role.keys the keys by id, as the delegating metadata list them.
 * @returns how many distinct keys were found valid (at least the threshold), or `METADATA_THRESHOLD_UNMET`.
 */
export function verifyThreshold(
  metadata: { readonly signedBytes: Uint8Array; readonly signatures: readonly SignatureEntry[] },
  role: RoleKeys & { readonly name: string; readonly keys: ReadonlyMap<string, PublicKey> },
  check: SignatureCheck,
): Verdict<number, 'METADATA_THRESHOLD_UNMET'> {
  const counted = new Set<string>();
  for (const { keyid, sig } of metadata.signatures) {
    if (counted.size >= role.threshold) break;
    const key = role.keyids.includes(keyid) ? role.keys.get(keyid) : undefined;
    if (key === undefined || sig === undefined || counted.has(keyFingerprint(key))) continue;
    if (check(key, metadata.signedBytes, sig)) counted.add(keyFingerprint(key));
  }
  if (counted.size >= role.threshold) return accept(counted.size);
  return reject(
    'METADATA_THRESHOLD_UNMET',
    `${role.name}: ${counted.size} of ${role.threshold} signatures by distinct keys of the role`,
  );
}
