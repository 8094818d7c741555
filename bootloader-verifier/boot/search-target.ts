/**
 * The search for the role that vouches for a target: a walk through the delegations, told role by role what they say.
 *
 * - Pre-order and depth first, each delegator's roles in the order in which it lists them (5.6.7).
 * - Only delegations that were given authority over the name are followed; a terminating one ends the search behind it (5.6.7.2.1).
 * - No role is visited twice, so that cycles end; and at most `VISITED_MAX` delegated roles are (5.6.7.1).
 * - A role is always to be verified against the delegator that the walk came from: `step.delegator`.
 * - Source: TUF specification 1.0.34, section 5.6.7.
 */
import { delegationsFor, type TargetFile } from '../../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import type { TrustedTargets } from './verify-targets.ts';

/** How many delegated roles one search may visit. */
export const VISITED_MAX = 32;

/** A role to be visited. */
export type SearchStep = {
  readonly role: string;
  /** Who delegates to it; undefined for the top-level role, which answers to root. */
  readonly delegator: TrustedTargets | undefined;
};

/** Where the search for `name` stands. */
export type Search = {
  readonly name: string;
  /** What is to be visited, the next one last. */
  readonly open: readonly SearchStep[];
  readonly visited: ReadonlySet<string>;
};

/** The start: at the top-level targets role. */
export function startSearch(name: string): Search {
  return { name, open: [{ role: 'targets', delegator: undefined }], visited: new Set() };
}

/** The role to visit next, or the code with which the search ends without a find. */
export function nextStep(search: Search): Verdict<SearchStep, 'TARGET_UNKNOWN' | 'SEARCH_TOO_LONG'> {
  const step = search.open.findLast(({ role }) => !search.visited.has(role));
  if (step === undefined) return reject('TARGET_UNKNOWN', `no role lists ${JSON.stringify(search.name)}`);
  return search.visited.size <= VISITED_MAX
    ? accept(step)
    : reject('SEARCH_TOO_LONG', `more than ${VISITED_MAX} delegated roles for ${JSON.stringify(search.name)}`);
}

/** The search after a visit of `step`, which was verified as `role`: the target, or where to go on. */
export function stepSearch(search: Search, step: SearchStep, role: TrustedTargets): TargetFile | Search {
  const { targets, delegations } = role.signed;
  const found = targets.get(search.name);
  if (found !== undefined) return found;
  const visited = new Set([...search.visited, step.role]);
  const steps: SearchStep[] = [];
  let open = search.open.slice(0, search.open.lastIndexOf(step));
  for (const { name, terminating } of delegations === undefined ? [] : delegationsFor(delegations, search.name)) {
    steps.push({ role: name, delegator: role });
    if (!terminating) continue;
    open = [];
    break;
  }
  return { name: search.name, open: [...open, ...steps.reverse()], visited };
}

/** Whether the search has found its target. */
export function isFound(outcome: TargetFile | Search): outcome is TargetFile {
  return !('open' in outcome);
}
