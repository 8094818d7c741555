/** A plan in words, from the bytes that are to be signed. */
import { encodeInstant } from '../formats/instant.ts';
import type { Plan } from '../formats/plan.ts';

/** Lines for people; undefined is what devices do without a plan. */
export function describePlan(plan: Plan | undefined): readonly string[] {
  if (plan === undefined) return ['  plan: none, for all devices at once'];
  const { waves, leaseSeconds, haltSeconds, voters, base, resumes } = plan;
  return [
    `  plan since version ${plan.since}, not before ${encodeInstant(plan.notBefore)}`,
    ...waves.map(
      ({ cohortBp, soakSeconds, gate }, index) =>
        `    wave ${index + 1}: ${percent(cohortBp)} of devices for at least ${soakSeconds} s; then ${percent(gate.confirmedBp)} ` +
        `of at least ${gate.expectedMin} expected ones must have confirmed within ${gate.deadlineSeconds} s`,
    ),
    `    a lease of ${leaseSeconds} s; a halt stops every device within ${haltSeconds} s; ${voters} devices vote`,
    `    devices that run nothing take ${base ?? 'nothing until their wave opens'}; from a file: ${fromFile(plan)}`,
    ...resumes.map((halt) => `    RESUMES after the halt ${halt}`),
  ];
}

function fromFile({ offline, offlineUntil, direction }: Plan): string {
  if (!offline) return 'not allowed';
  const until = offlineUntil === undefined ? '' : ` until ${encodeInstant(offlineUntil)}`;
  return `allowed${until}${direction === undefined ? '' : `, ${direction} only`}`;
}

function percent(basisPoints: number): string {
  return `${basisPoints / 100} %`;
}
