/**
 * A device's place in a rollout (rule R20): a number from 0 to 9999, the same for device, signer and console.
 *
 * - It is a hash over the plan, its anchor and the device id, so that nobody who signs the plan or makes a device id can choose it.
 * - The first 64 bits of SHA-256, as a big-endian number `x`, give `floor(x * 10000 / 2^64)`: no cohort is favoured by more than
 *   one part in 2^50.
 * - A device that was listed after the rollout began joins at the end: whoever makes device ids once the anchor is known gets no
 *   place among the first. So does a device without an identity.
 * - Specified in `docs/formats/plan.md`.
 */
import { encodeUtf8 } from './bytes.ts';
import type { Instant } from './instant.ts';
import { sha256Bytes } from './sha256.ts';

/** How many cohorts there are: one a basis point. */
export const COHORTS = 10_000;
/** Whoever joins at the end. */
const COHORT_LAST = COHORTS - 1;
const NUMBER_BYTES = 8;

/** Digests in lower-case hex. */
export type CohortInput = { readonly planSha256: string; readonly anchor: string; readonly deviceId: string };

/** A device as a rollout sees it. */
export type RolloutDevice = {
  /** SHA-256 of its IDevID public key (SPKI) in hex; undefined where it has none. */
  readonly deviceId: string | undefined;
  /** When it was listed, where that is known. */
  readonly since: Instant | undefined;
};

/** The cohort of a device by the hash alone, 0 to 9999. */
export function cohortOf({ planSha256, anchor, deviceId }: CohortInput): number {
  const digest = sha256Bytes(encodeUtf8(`firmament-cohort-v1\n${planSha256}\n${anchor}\n${deviceId}\n`));
  // Multiplying from the lowest byte up, what is carried out of the highest one is the number above 2^64.
  return digest.subarray(0, NUMBER_BYTES).reduceRight((carry, byte) => Math.floor((byte * COHORTS + carry) / 256), 0);
}

/** The cohort in which `device` takes part. @param rollout.joinsLast devices listed after this moment come last. */
export function placeDevice(
  rollout: { readonly planSha256: string; readonly anchor: string; readonly joinsLast: Instant | undefined },
  { deviceId, since }: RolloutDevice,
): number {
  if (deviceId === undefined) return COHORT_LAST;
  if (rollout.joinsLast !== undefined && since !== undefined && since > rollout.joinsLast) return COHORT_LAST;
  return cohortOf({ ...rollout, deviceId });
}
