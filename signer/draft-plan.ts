/**
 * The plan of a channel's next version: a new one, or the former one carried on.
 *
 * - A plan is carried on unchanged as long as its release stays in force, so that a rollout outlives a renewal of its channel.
 * - `since` is the version that first carries it; what is resumed is added to what was resumed before.
 */
import { planToJson, planDecoder, type Plan } from '../formats/plan.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';

/** A plan as people write it: the rest follows from the channel. */
export type PlanDraft = Omit<Plan, 'release' | 'since' | 'resumes'>;

/** The plan after `former`, or none. */
export function nextPlan(
  former: Plan | undefined,
  draft: {
    readonly release: string;
    readonly version: number;
    readonly plan: PlanDraft | undefined;
    /** Digests of halts to lift. */
    readonly resumes: readonly string[];
  },
): Verdict<Plan | undefined, 'DRAFT_REFUSED'> {
  const { release, version, plan, resumes } = draft;
  const kept = former?.release === release ? former : undefined;
  const next = plan === undefined ? kept : { ...plan, release, since: version, resumes: [] };
  if (next === undefined) {
    return resumes.length === 0
      ? accept(undefined)
      : reject('DRAFT_REFUSED', 'without a plan there is nothing to resume');
  }
  const whole = { ...next, resumes: [...new Set([...next.resumes, ...resumes])] };
  const read = planDecoder(planToJson(whole));
  return read.ok ? accept(whole) : reject('DRAFT_REFUSED', `plan${read.detail}`);
}
