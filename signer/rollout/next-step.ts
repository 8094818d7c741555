/**
 * What the signer may do next in a rollout: a pure decision over plan, open waves, votes and time (P3, R8).
 *
 * - A halt that stands ends everything; so does a gate that can no longer be met: leases run out, and people decide.
 * - A wave opens when the former one has soaked *and* met its gate, and enough devices are expected in it.
 * - Where it is not known any more who is expected, nothing is opened or renewed: people decide.
 * - Silence counts against: a gate is met by confirmations alone, before its deadline.
 * - A lease is renewed once half of it has passed.
 */
import { soakedAt } from '../../formats/decide-wave.ts';
import type { Instant } from '../../formats/instant.ts';
import type { Gate, Plan } from '../../formats/plan.ts';
import type { WAITING } from '../../formats/rollout-status.ts';
import type { WaveStep } from '../../formats/wave-step.ts';

/** The votes in one open wave; each device of its expected set counts once. */
export type Votes = {
  readonly expected: number;
  /** Confirmed before the deadline. */
  readonly confirmed: number;
  readonly failed: number;
};
export type RolloutView = {
  readonly plan: Plan;
  /** The step in force and the end of its lease; undefined if no wave of this plan is open. */
  readonly current: { readonly step: WaveStep; readonly expires: Instant } | undefined;
  readonly isHalted: boolean;
  /** By wave, first to last. */
  readonly votes: readonly Votes[];
  /** Whether who is expected in the open waves is known, as it was logged: a book that was lost counts nobody. */
  readonly isBookWhole: boolean;
  /** How many devices the wave after the open ones would expect. */
  readonly expectedNext: number;
};
export type GateState = 'met' | 'waiting' | 'lost';
/** Why nothing is to be done. */
export type Waiting = (typeof WAITING)[number];
export type NextStep =
  { readonly kind: 'open' | 'renew' | 'complete' } | { readonly kind: 'wait'; readonly because: Waiting };

/** Decides at the moment `now`. */
export function nextStep(view: RolloutView, now: Instant): NextStep {
  const { plan, current } = view;
  if (view.isHalted) return wait('halted');
  if (current === undefined) {
    if (now < plan.notBefore) return wait('not-begun');
    return mayExpect(view) ? { kind: 'open' } : wait('too-few-expected');
  }
  const { open, completedAt } = current.step;
  if (completedAt !== undefined) return wait('completed');
  if (!view.isBookWhole) return wait('book-lost');
  const states = open.map(({ openedAt }, wave) =>
    gateState(plan.waves[wave]?.gate, view.votes[wave], { openedAt, now }),
  );
  if (states.includes('lost')) return wait('gate-lost');
  const renewal = isRenewalDue(view, now) ? { kind: 'renew' as const } : undefined;
  if (now < soakedAt(plan, open)) return renewal ?? wait('soaking');
  if (states.some((state) => state !== 'met')) return renewal ?? wait('gate-unmet');
  if (open.length === plan.waves.length) return { kind: 'complete' };
  return mayExpect(view) ? { kind: 'open' } : (renewal ?? wait('too-few-expected'));
}

/** How a wave's gate stands. */
export function gateState(
  gate: Gate | undefined,
  votes: Votes | undefined,
  { openedAt, now }: { readonly openedAt: Instant; readonly now: Instant },
): GateState {
  if (gate === undefined || votes === undefined) return 'lost';
  const needed = Math.ceil((votes.expected * gate.confirmedBp) / 10_000);
  if (votes.expected - votes.failed < needed) return 'lost';
  if (votes.confirmed >= needed) return 'met';
  return now > openedAt + gate.deadlineSeconds * 1000 ? 'lost' : 'waiting';
}

function mayExpect({ plan, current, expectedNext }: RolloutView): boolean {
  return expectedNext >= (plan.waves[current?.step.open.length ?? 0]?.gate.expectedMin ?? 0);
}

function isRenewalDue({ plan, current }: RolloutView, now: Instant): boolean {
  return current !== undefined && current.expires - now <= (plan.leaseSeconds * 1000) / 2;
}

function wait(because: Waiting): NextStep {
  return { kind: 'wait', because };
}
