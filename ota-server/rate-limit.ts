/**
 * How often a subject may ask for something that costs us: a bucket that fills slowly and is emptied by one each time.
 *
 * - What is kept has a limit; only subjects that were verified and allowed are counted, so strangers push nobody out.
 * - Time is an argument; a clock that runs backwards fills nothing.
 */
import type { Instant } from '../formats/instant.ts';
import { createBoundedCache } from './bounded-cache.ts';

export type RateRule = {
  /** How many at once. */
  readonly burst: number;
  /** How long until one more is allowed. */
  readonly refillMs: number;
};

/** Takes one from the bucket of `subject`; false if it is empty. */
export type RateLimit = (subject: string, now: Instant) => boolean;

const SUBJECTS_MAX = 10_000;

/** Full buckets for everybody. */
export function createRateLimit({ burst, refillMs }: RateRule): RateLimit {
  const buckets = createBoundedCache<{ readonly left: number; readonly at: Instant }>(
    { entriesMax: SUBJECTS_MAX, bytesMax: SUBJECTS_MAX },
    () => 1,
  );
  return (subject, now) => {
    const { left, at } = buckets.get(subject) ?? { left: burst, at: now };
    const filled = Math.min(burst, left + Math.max(0, now - at) / refillMs);
    const isAllowed = filled >= 1;
    buckets.set(subject, { left: isAllowed ? filled - 1 : filled, at: now });
    return isAllowed;
  };
}
