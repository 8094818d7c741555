/** Plans on the command line: what is written is what is planned, and what is meant wrongly is no plan. */
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { describePlan } from '../../cli/describe-plan.ts';
import { addPlanOptions, planOf, type PlanOptions } from '../../cli/plan-option.ts';
import { planDecoder, planToJson } from '../../formats/plan.ts';
import type { PlanDraft } from '../../signer/draft-plan.ts';
import { accepted } from '../accepted.ts';

const FIRST = 'share=10,soak=1d,confirmed=97.5,least=20,within=2d';
const LAST = 'share=100,soak=0s,confirmed=99,least=0,within=90m';

function planned(...args: readonly string[]): PlanDraft | undefined {
  const command = addPlanOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return planOf(command.parse(args, { from: 'user' }).opts<PlanOptions>(), 1_767_225_600_500);
}

test('waves, times and limits are planned as they are written', () => {
  const plan = planned('--wave', FIRST, '--wave', LAST, '--lease', '30m', '--halt-within', '2h', '--base', '1.0.0');
  expect(plan).toMatchObject({ notBefore: 1_767_225_600_000, leaseSeconds: 1800, haltSeconds: 7200, base: '1.0.0' });
  expect(plan?.waves).toEqual([
    { cohortBp: 1000, soakSeconds: 86_400, gate: { expectedMin: 20, confirmedBp: 9750, deadlineSeconds: 172_800 } },
    { cohortBp: 10_000, soakSeconds: 0, gate: { expectedMin: 0, confirmedBp: 9900, deadlineSeconds: 5400 } },
  ]);
  expect(planned()).toBeUndefined();
});

test.each([
  'share=101,soak=1d,confirmed=95,least=1,within=2d',
  'share=10,soak=1d,confirmed=95,least=1',
  'share=10,soak=1d,confirmed=95,least=1,within=2d,force=yes',
  'share=10,soak=1,confirmed=95,least=1,within=2d',
  'share=1e1,soak=1d,confirmed=95,least=1,within=2d',
])('the wave %s is refused', (wave) => {
  expect(() => planned('--wave', wave)).toThrow();
});

test('a key holder reads every wave, and what is resumed, before signing', () => {
  const plan = planned('--wave', FIRST, '--wave', LAST);
  if (plan === undefined) throw new Error('it is planned');
  const whole = accepted(planDecoder(planToJson({ ...plan, release: '2.0.0', since: 3, resumes: ['ab'.repeat(32)] })));
  const words = describePlan(whole).join('\n');
  expect(words).toContain('wave 1: 10 % of devices for at least 86400 s; then 97.5 % of at least 20 expected ones');
  expect(words).toContain(`RESUMES after the halt ${'ab'.repeat(32)}`);
  expect(describePlan(undefined)).toEqual(['  plan: none, for all devices at once']);
});
