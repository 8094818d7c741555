/** How often a subject may propose. */
import { expect, test } from 'vitest';
import { createRateLimit } from '../../ota-server/rate-limit.ts';
import { controlForTests } from './running-control.ts';

const RULE = { burst: 3, refillMs: 1_000 };

test('a subject may do as much at once as the rule says, then one at a time as the bucket fills', () => {
  const rate = createRateLimit(RULE);
  expect([0, 0, 0, 0].map((at) => rate('a', at))).toEqual([true, true, true, false]);
  expect([999, 1_000, 1_001, 60_000, 60_000, 60_000, 60_000].map((at) => rate('a', at))).toEqual([
    ...[false, true, false, true, true, true, false],
  ]);
});

test('one subject takes nothing from another, and a clock that runs backwards gives nothing', () => {
  const rate = createRateLimit(RULE);
  for (let i = 0; i < 3; i++) rate('a', 5_000);
  expect(rate('b', 5_000)).toBe(true);
  expect(rate('a', 1)).toBe(false);
  expect(rate('a', 900)).toBe(false);
});

const control = controlForTests({ burst: 2, refillMs: 3_600_000 });

test('a workflow that proposes too often is told to come later, whatever it sends', async () => {
  for (let i = 0; i < 2; i++) expect((await control.propose(await control.token())).status).toBe(201);
  const said = await control.propose(await control.token());
  expect(said.status).toBe(429);
  expect(said.body).toContain('"code":"RATE_LIMITED"');
  expect(said.headers.get('retry-after')).toMatch(/^\d+$/);
});
