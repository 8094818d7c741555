/**
 * The judgement of a signing event on a key holder's own machine: what it adds is judged again, by the policy at hand (rule R4).
 *
 * - From the bytes of the event alone: roots, targets, former file and evidence are those that `verifyEvent` accepted.
 * - The policy is a file of this person's; only one whose digest the targets role names is judged by.
 * - A denial is a refusal that names every policy that decided: nobody is asked to sign what the policies forbid.
 */
import type { RepositoryId } from '../formats/binding.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { openCedarEngine } from '../policies/policy-engine-cedar.ts';
import { judgeAdded } from '../signer/judge.ts';
import { demandAllowed } from '../signer/sign-vsa.ts';
import type { JudgedEvent } from '../signer/verify-event.ts';
import { visible } from './visible-text.ts';

/**
 * Judges what `event` adds. @param policy the text of a policy, or undefined where this person has none.
 * @returns the judgement as lines for the person who is asked to sign.
 */
export async function judgeEvent(
  { event, targets, trust, added }: JudgedEvent,
  policy: Uint8Array | undefined,
  repository: RepositoryId,
): Promise<Verdict<readonly string[]>> {
  const { judging, builders } = trust;
  if (judging === undefined || added.length === 0) return accept([]);
  if (policy === undefined) {
    return accept(['  ! not judged again on this machine: name the policy that people signed with --policy']);
  }
  const components = added.map(({ component }) => component);
  const { former, evidence: statements } = event;
  const judged = judgeAdded(
    { repository, targets, builders, judging },
    { components, former, statements, policy },
    await openCedarEngine(),
  );
  if (!judged.ok) return judged;
  for (const { component, judgement } of judged.value) {
    const allowed = demandAllowed(judgement, component.image.name);
    if (!allowed.ok) return allowed;
  }
  return accept([
    'Judged again on this machine, by the policy that people signed:',
    ...judged.value.flatMap(({ component, judgement }) =>
      judgement.reasons.map((reason) => `  ${component.component}: ${visible(reason)}`),
    ),
  ]);
}
