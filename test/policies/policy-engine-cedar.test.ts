/** The engine of policies: which texts it refuses whole, and that nothing it stumbles over counts as a yes. */
import { describe, expect, test } from 'vitest';
import { openCedarEngine, POLICIES_MAX, POLICY_BYTES_MAX } from '../../policies/policy-engine-cedar.ts';
import type { PolicyRequest } from '../../policies/policy-engine.ts';

const decide = await openCedarEngine();
const SHA256 = 'ab'.repeat(32);
const REQUEST: PolicyRequest = {
  principal: { id: 'https://builder.example/one', attributes: { id: 'https://builder.example/one', sources: [] } },
  resource: {
    id: SHA256,
    attributes: {
      ...{ product: 'gateway', component: 'gateway', firmwareVersion: '1.0.0', hardwareIds: ['gw-1'] },
      ...{ length: 3, sha256: SHA256 },
    },
  },
  context: {
    ...{ signers: [], subjects: [], source: { uri: 'git+https://a.example/b', pin: 'c', algorithm: 'gitCommit' } },
    ...{ runs: 2, reproduced: true, independentRebuilds: 0, counter: { offered: 2 } },
  },
};

/** A policy with whatever it needs. */
function policy(body: string, id = 'one'): string {
  return `@id("${id}") @reason("because") ${body};\n`;
}
const permit = (condition = 'true', id = 'one'): string =>
  policy(`permit (principal, action, resource) when { ${condition} }`, id);
const forbid = (condition = 'true', id = 'two'): string =>
  policy(`forbid (principal, action, resource) when { ${condition} }`, id);
const undecided = { ok: false, code: 'POLICY_UNDECIDED' };
const malformed = (detail: RegExp): object => ({
  ok: false,
  code: 'POLICY_MALFORMED',
  detail: expect.stringMatching(detail) as string,
});

describe('a decision', () => {
  test('is no where no policy permits', () => {
    expect(decide(permit('context.runs > 2'), REQUEST)).toMatchObject({
      ok: true,
      value: { allowed: false, decided: [] },
    });
  });

  test('is yes where one permits, and names it with its reason', () => {
    const note = { id: 'one', effect: 'permit', reason: 'because', level: undefined };
    expect(decide(permit(), REQUEST)).toMatchObject({ ok: true, value: { allowed: true, decided: [note] } });
  });

  test('is no where one forbids, whatever permits, and names those that forbid', () => {
    const text = permit() + permit('context.reproduced', 'three') + forbid();
    expect(decide(text, REQUEST)).toMatchObject({ ok: true, value: { allowed: false, decided: [{ id: 'two' }] } });
  });

  test('is none where a forbid fails while it is evaluated: leaving it out would allow', () => {
    const overflowing = forbid('context.runs * 9223372036854775807 < 0');
    expect(decide(permit() + overflowing, REQUEST)).toMatchObject(undecided);
  });

  test('is none where a fact is missing', () => {
    const { runs: _, ...context } = REQUEST.context;
    expect(decide(permit(), { ...REQUEST, context })).toMatchObject(undecided);
  });

  test('is none where there is a fact that the schema does not know', () => {
    const context = { ...REQUEST.context, approved: true };
    expect(decide(permit(), { ...REQUEST, context })).toMatchObject(undecided);
  });

  test('takes a fact for a text, whatever stands in it', () => {
    const attributes = { ...REQUEST.resource.attributes, component: '"; permit(principal, action, resource); //' };
    const request = { ...REQUEST, resource: { ...REQUEST.resource, attributes } };
    expect(decide(permit('resource.component == "gateway"'), request)).toMatchObject({ value: { allowed: false } });
  });
});

describe('a policy text is refused', () => {
  test.each<readonly [string, string, RegExp]>([
    ['that does not parse', 'permit (principal', /unexpected|expected|parse/],
    ['without a policy', '// nothing\n', /0 policies/],
    ['with a policy without an id', '@reason("because") permit (principal, action, resource);', /@id/],
    ['with an id in other letters', permit('true', 'One'), /@id/],
    ['with a policy without a reason', '@id("one") permit (principal, action, resource);', /@reason/],
    ['with a reason that reverses what is shown', permit().replace('because', 'b\u202eause'), /@reason/],
    ['with a reason of two lines', permit().replace('because', 'be\\ncause'), /@reason/],
    ['with two policies of one id', permit() + forbid('true', 'one'), /one id/],
    ['with a template', policy('permit (principal == ?principal, action, resource)'), /template/],
    ['that asks for a fact that does not exist', permit('context.approved'), /approved/],
    ['that compares what cannot be compared', permit('context.runs == "2"'), /./],
    ['with a policy that can never apply', permit() + forbid('false'), /impossible|false/],
    ['that names another action', policy('permit (principal, action == Action::"boot", resource)'), /boot/],
    ['with letters that are made to be mistaken', permit('resource.component == "gаteway"'), /script|confus/i],
    ['with a level that is no level', permit().replace('@reason', '@level("slsa 3") @reason'), /@level/],
  ])('%s', (_, text, detail) => {
    expect(decide(text, REQUEST)).toMatchObject(malformed(detail));
  });

  test('one byte longer than the limit, and read at the limit', () => {
    const text = permit();
    const filled = text + '/'.repeat(POLICY_BYTES_MAX - text.length);
    expect(decide(filled, REQUEST)).toMatchObject({ ok: true });
    expect(decide(`${filled}/`, REQUEST)).toMatchObject(malformed(/at most/));
  });

  test('with one policy more than the limit, and read at the limit', () => {
    const many = (count: number): string => Array.from({ length: count }, (_, i) => permit('true', `p-${i}`)).join('');
    expect(decide(many(POLICIES_MAX), REQUEST)).toMatchObject({ ok: true });
    expect(decide(many(POLICIES_MAX + 1), REQUEST)).toMatchObject(malformed(/1 to/));
  });
});

test('an engine that a text has broken refuses that text, and every one after it', async () => {
  const engine = await openCedarEngine();
  const deep = permit(`${'('.repeat(2_000)}true${')'.repeat(2_000)}`);
  expect(engine(deep, REQUEST)).toMatchObject(malformed(/nests too deeply/));
  expect(engine(permit(), REQUEST)).toMatchObject(malformed(/gave up/));
});
