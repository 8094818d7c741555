/** The release policy that we ship: its cases, each a request with the outcome that is expected, put before the real engine. */
import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openCedarEngine } from '../../policies/policy-engine-cedar.ts';
import type { PolicyRequest } from '../../policies/policy-engine.ts';
import { accepted } from '../accepted.ts';

type PolicyCase = {
  readonly name: string;
  readonly means: string;
  readonly request: PolicyRequest;
  readonly expected: { readonly allowed: boolean; readonly policies: readonly string[] };
};

const FOLDER = new URL('../../policies/', import.meta.url);
const POLICY = await readFile(new URL('release.cedar', FOLDER), 'utf8');
const CASES = await Promise.all(
  (await readdir(new URL('cases/', FOLDER))).map(async (file): Promise<PolicyCase> => {
    const text = await readFile(new URL(`cases/${file}`, FOLDER), 'utf8');
    return { name: file, ...(JSON.parse(text) as Omit<PolicyCase, 'name'>) };
  }),
);
const decide = await openCedarEngine();

test.each(CASES)('$name: $means', ({ request, expected }) => {
  const { allowed, decided } = accepted(decide(POLICY, request));
  expect({ allowed, policies: decided.map(({ id }) => id) }).toEqual(expected);
});

test('every policy that we ship decides at least one case', () => {
  const ids = [...POLICY.matchAll(/@id\("([^"]+)"\)/g)].map(([, id]) => id);
  const deciding = new Set(CASES.flatMap(({ expected }) => expected.policies));
  expect(ids.length).toBeGreaterThan(0);
  expect([...deciding].sort()).toEqual([...ids].sort());
});

test('without any one of its forbids the policy allows what that one refuses, or names it no longer', () => {
  const policies = POLICY.split(/\n(?=@id)/).slice(1);
  for (const left of policies) {
    const id = /@id\("([^"]+)"\)/.exec(left)?.[1] ?? '';
    const text = policies.filter((policy) => policy !== left).join('\n');
    const ofIt = CASES.find(({ expected }) => expected.policies.join() === id);
    if (ofIt === undefined) throw new Error(`no case for ${id} alone`);
    expect(accepted(decide(text, ofIt.request)).decided.map((note) => note.id)).not.toEqual([id]);
  }
});
