/**
 * Who vouches for a target: the search through the delegations, over the metadata of one refresh.
 *
 * - Roles are obtained like the top-level one, and verified against the delegator that the search came from: a role that is kept,
 *   or that was found good on another way, is verified again on this one (5.6.7).
 * - Where a role on the way cannot be had or is refused, the search ends: there is no looking elsewhere.
 */
import type { TargetFile } from '../../../formats/tuf-targets.ts';
import { accept, type Verdict } from '../../../formats/verdict.ts';
import { isFound, nextStep, startSearch, stepSearch, type SearchStep } from '../../boot/search-target.ts';
import { verifyDelegatedRole, type TrustedTargets } from '../../boot/verify-targets.ts';
import { obtainRole, type ClientCode, type TrustedMetadata, type TufClient } from './refresh-metadata.ts';

/** Finds targets one after the other; a role that was verified for a delegator is not verified for it again. */
export type TargetFinder = (name: string) => Promise<Verdict<TargetFile, ClientCode>>;

/** A finder over what a refresh has accepted. */
export function targetFinder(client: TufClient, trusted: TrustedMetadata): TargetFinder {
  const known = new Map<TrustedTargets, Map<string, TrustedTargets>>();
  const visit = async ({ role, delegator }: SearchStep): Promise<Verdict<TrustedTargets, ClientCode>> => {
    if (delegator === undefined) return accept(trusted.targets);
    const roles = known.get(delegator) ?? new Map<string, TrustedTargets>();
    known.set(delegator, roles);
    const before = roles.get(role);
    if (before !== undefined) return accept(before);
    const verify = (bytes: Uint8Array): ReturnType<typeof verifyDelegatedRole> =>
      verifyDelegatedRole(delegator, { name: role, bytes }, trusted);
    const obtained = await obtainRole(client, trusted, { name: role, verify });
    if (obtained.ok) roles.set(role, obtained.value);
    return obtained;
  };
  return async (name) => {
    let search = startSearch(name);
    for (;;) {
      const step = nextStep(search);
      if (!step.ok) return step;
      const role = await visit(step.value);
      if (!role.ok) return role;
      const outcome = stepSearch(search, step.value, role.value);
      if (isFound(outcome)) return accept(outcome);
      search = outcome;
    }
  };
}
