/**
 * The port to time.
 *
 * - `now` is the host's calendar: whole milliseconds of the years 1970 to 9999, so that each moment can be written (`instant.ts`). A
 *   host may set it in both directions: nobody concludes from two of its answers how long something took.
 * - `sleep` goes by time that only runs forward: setting the calendar neither ends nor prolongs a wait, however long.
 */
import type { Instant } from './instant.ts';

export type Clock = {
  readonly now: () => Instant;
  /**
   * Waits at least `ms`, a whole number of milliseconds from 0 on; anything else is a bug of the caller's. Sleepers wake in the
   * order of their times. Where the clock was made with something that stops it, all waits end then, as if their time had passed.
   */
  readonly sleep: (ms: number) => Promise<void>;
};

/** The last moment that can be written. */
const LAST: Instant = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The nearest moment to `ms` that a clock may say. A host without a usable calendar must start too (R12), so none is refused. */
export function nearestMoment(ms: number): Instant {
  return Number.isNaN(ms) ? 0 : Math.trunc(Math.min(Math.max(ms, 0), LAST));
}
