/**
 * The moment that a signer signs by: its clock, held against the moment at which its memory says that it has signed last.
 *
 * - It never runs back. By a clock that was set back the moment of the last signature stands still, until the clock is past it: nothing
 *   that is shown ends before what it takes the place of, no wave seems to have opened earlier, no draft comes out past its time.
 * - It does not jump far: by a clock that is more than a snapshot's life past the last signature nothing is signed, because it would
 *   live on as much too long once the clock is right again.
 * - Clock and memory cannot tell which of them is wrong. A person who says what time it is decides that, for an hour.
 */
import { encodeInstant, type Instant } from '../formats/instant.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { SNAPSHOT_LIFETIME_MS, TIMESTAMP_LIFETIME_MS } from './lifetimes.ts';
import type { SignerState } from './signer-state.ts';

export type SigningClock = {
  readonly now: Instant;
  /** What time it is by a person's word. */
  readonly vouchedTime?: Instant | undefined;
  readonly timestampLifetimeMs?: number | undefined;
};
type Remembered = Pick<SignerState, 'standing'> | undefined;

/** How far a clock may be from a person's word, and how long that word counts. */
const VOUCHED_MS = 3_600_000;
/** How far it may lie before the last signature until that is told. */
export const BEHIND_MS_MAX = 3_600_000;

/** The moment to sign by. @param state what the signer remembers; before the first publication the clock alone counts. */
export function signingTime(state: Remembered, clock: SigningClock): Verdict<Instant, 'CLOCK_AHEAD'> {
  const last = lastSigned(state, clock);
  if (last === undefined || isVouched(clock)) return accept(clock.now);
  if (clock.now - last <= SNAPSHOT_LIFETIME_MS) return accept(Math.max(clock.now, last));
  const times = `it was signed last at ${encodeInstant(last)}, and the clock says ${encodeInstant(clock.now)}`;
  return reject('CLOCK_AHEAD', `${times}: say which time it is with --clock-is, or set the clock`);
}

/** Whether the clock lies so far before the last signature that somebody must see to it. */
export function clockBehind(state: Remembered, clock: SigningClock): Verdict<void, 'CLOCK_BEHIND'> {
  const last = lastSigned(state, clock);
  if (last === undefined || isVouched(clock) || last - clock.now <= BEHIND_MS_MAX) return accept(undefined);
  const times = `it was signed last at ${encodeInstant(last)}, and the clock says ${encodeInstant(clock.now)}`;
  return reject(
    'CLOCK_BEHIND',
    `${times}: set the clock, or, if it was wrong then, say which time it is with --clock-is`,
  );
}

/** Whether a person's word stands for the clock. */
function isVouched({ now, vouchedTime }: SigningClock): boolean {
  return vouchedTime !== undefined && Math.abs(now - vouchedTime) <= VOUCHED_MS;
}

/** Whether what ends at `expires` outlives all that is made by this clock now: only a clock that was ahead has signed that. */
export function outlives(expires: Instant, lifetimeMs: number, clock: SigningClock): boolean {
  return isVouched(clock) && expires > clock.now + lifetimeMs;
}

function lastSigned(
  state: Remembered,
  { timestampLifetimeMs = TIMESTAMP_LIFETIME_MS }: SigningClock,
): Instant | undefined {
  const expires = state?.standing?.timestampExpires;
  return expires === undefined ? undefined : expires - timestampLifetimeMs;
}
