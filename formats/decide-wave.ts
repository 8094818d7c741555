/**
 * Whether a device may take the release of a plan now: one function for device, signer and console.
 *
 * In this order:
 * - a halt that stands stops everybody, whatever else is signed;
 * - the rollout must step through this very plan, and no wave may have opened before the former one had soaked: the plan's own
 *   times hold, whoever holds the rollout key;
 * - a completed rollout is open to all, also without fresh time (rule R13);
 * - else the lease must run, by the device's own time, and be no longer than the plan allows;
 * - and the device's cohort must lie below the last open wave.
 * What is held is no fault: the device goes on with what it runs.
 */
import { COHORTS, placeDevice, type RolloutDevice } from './cohort.ts';
import { standingHalt, type Halt } from './halt.ts';
import { encodeInstant, type Instant } from './instant.ts';
import { planDigest, type Plan, type PlanPlace } from './plan.ts';
import type { WaveStep } from './wave-step.ts';

export type WaveCode =
  'PLAN_HALTED' | 'WAVE_NOT_OPEN' | 'PLAN_MISMATCH' | 'WAVE_TOO_EARLY' | 'LEASE_EXPIRED' | 'LEASE_TOO_LONG';
export type WaveInput = {
  readonly plan: Plan;
  readonly place: PlanPlace;
  /** The rollout role's newest file: its part, and its `expires`. */
  readonly rollout: { readonly step: WaveStep; readonly expires: Instant } | undefined;
  readonly halts: readonly Halt[];
  readonly device: RolloutDevice;
  /** Fresh time, or undefined where the device has none. */
  readonly now: Instant | undefined;
};
type Place = {
  /** Undefined as long as nothing is open: cohorts are drawn when the first wave opens. */
  readonly cohort: number | undefined;
  /** Cohorts below it are in. */
  readonly boundBp: number;
};
export type WaveDecision = Place &
  (
    | { readonly kind: 'open'; /** Undefined once the rollout is completed. */ readonly leaseEnds: Instant | undefined }
    | { readonly kind: 'held'; readonly code: WaveCode; readonly detail: string }
  );

/** By how much the clocks of device and signer may differ. */
export const CLOCK_SKEW_MS_MAX = 300_000;

/** Decides about one device at one moment. */
export function decideWave(input: WaveInput): WaveDecision {
  const { plan, place, rollout, device } = input;
  const sha256 = planDigest(plan, place);
  const halt = standingHalt({ ...plan, sha256 }, input.halts, place);
  if (halt !== undefined) return held('PLAN_HALTED', `halted at ${encodeInstant(halt.at)}: ${halt.reason}`);
  if (rollout === undefined) return held('WAVE_NOT_OPEN', `no wave of ${plan.release} is open yet`);
  const { step } = rollout;
  if (step.plan !== sha256)
    return held('PLAN_MISMATCH', `the rollout steps through another plan than ${plan.release}'s`);
  const cohort = placeDevice({ planSha256: sha256, ...step }, device);
  const at = { cohort, boundBp: openBound(plan, step) };
  const early = findEarly(plan, step);
  if (early !== undefined) return held('WAVE_TOO_EARLY', early, at);
  if (step.completedAt !== undefined) return decideCompleted(input, step.completedAt, at);
  const lease = checkLease(plan, { ...rollout, now: input.now });
  if (lease !== undefined) return held(lease.code, lease.detail, at);
  return cohort < at.boundBp
    ? { kind: 'open', leaseEnds: rollout.expires, ...at }
    : held('WAVE_NOT_OPEN', `wave ${step.open.length} reaches cohorts below ${at.boundBp}, this is ${cohort}`, at);
}

/** The cohorts below it are in, by the waves that `step` has opened. */
function openBound(plan: Plan, step: WaveStep): number {
  return plan.waves[step.open.length - 1]?.cohortBp ?? 0;
}

/** The earliest moment at which the wave after `open` may open, or the rollout complete, by soak alone. */
export function soakedAt(plan: Plan, open: readonly { readonly openedAt: Instant }[]): Instant {
  const last = open.at(-1);
  return last === undefined ? plan.notBefore : last.openedAt + (plan.waves[open.length - 1]?.soakSeconds ?? 0) * 1000;
}

/** What `step` claims before the plan allows it, in words; undefined if it keeps to the plan. */
function findEarly(plan: Plan, { open, completedAt }: WaveStep): string | undefined {
  if (open.length > plan.waves.length) return `${open.length} waves are open, the plan has ${plan.waves.length}`;
  for (const [index, { openedAt }] of open.entries()) {
    const soaked = soakedAt(plan, open.slice(0, index));
    if (openedAt < soaked) {
      return `wave ${index + 1} opened at ${encodeInstant(openedAt)}, it may from ${encodeInstant(soaked)} on`;
    }
  }
  if (completedAt === undefined) return undefined;
  if (open.length < plan.waves.length) return `completed with ${open.length} of ${plan.waves.length} waves open`;
  return completedAt < soakedAt(plan, open) ? 'completed before the last wave had soaked' : undefined;
}

function decideCompleted(input: WaveInput, completedAt: Instant, at: Place): WaveDecision {
  return input.now !== undefined && completedAt > input.now + CLOCK_SKEW_MS_MAX
    ? held('WAVE_TOO_EARLY', `completed at ${encodeInstant(completedAt)}, which is to come`, at)
    : { kind: 'open', cohort: at.cohort, boundBp: COHORTS, leaseEnds: undefined };
}

function checkLease(
  plan: Plan,
  { step, expires, now }: { readonly step: WaveStep; readonly expires: Instant; readonly now: Instant | undefined },
): { readonly code: WaveCode; readonly detail: string } | undefined {
  if (now === undefined) return { code: 'LEASE_EXPIRED', detail: 'without time only a completed rollout is taken' };
  const openedAt = step.open.at(-1)?.openedAt ?? 0;
  if (openedAt > now + CLOCK_SKEW_MS_MAX) {
    return { code: 'WAVE_TOO_EARLY', detail: `the wave opens at ${encodeInstant(openedAt)}` };
  }
  if (expires <= now) return { code: 'LEASE_EXPIRED', detail: `the lease ended at ${encodeInstant(expires)}` };
  return expires > now + plan.leaseSeconds * 1000 + CLOCK_SKEW_MS_MAX
    ? { code: 'LEASE_TOO_LONG', detail: `it ends at ${encodeInstant(expires)}, ${plan.leaseSeconds} s are allowed` }
    : undefined;
}

function held(code: WaveCode, detail: string, at: Place = { cohort: undefined, boundBp: 0 }): WaveDecision {
  return { kind: 'held', code, detail, ...at };
}
