/** Shared looks: fresh for everyone, and few. */
import fc from 'fast-check';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { shareLook } from '../../ota-server/shared-look.ts';

test('nobody gets the result of a look that began before they asked', async () => {
  const waits = fc.array(fc.nat(3), { minLength: 1, maxLength: 15 });
  await fc.assert(
    fc.asyncProperty(waits, fc.nat(4), async (pauses, lookMs) => {
      let world = 0;
      const ask = shareLook(
        async () => {
          const seen = world;
          await setTimeout(lookMs);
          return seen;
        },
        () => undefined,
      );
      const answers: Promise<void>[] = [];
      for (const pause of pauses) {
        const asked = ++world;
        answers.push(ask().then((seen) => expect(seen).toBeGreaterThanOrEqual(asked)));
        if (pause > 0) await setTimeout(pause);
      }
      await Promise.all(answers);
    }),
    { numRuns: 30 },
  );
});

test('a thousand questions at once cost one look, and those that come during a look cost one more', async () => {
  let looks = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const ask = shareLook(
    async () => {
      looks++;
      await promise;
      return looks;
    },
    () => undefined,
  );
  const first = Array.from({ length: 1000 }, () => ask());
  while (looks === 0) await setTimeout(1);
  const second = Array.from({ length: 1000 }, () => ask());
  await setTimeout(20);
  expect(looks).toBe(1);
  resolve();
  await Promise.all(first);
  expect(new Set(await Promise.all(second))).toEqual(new Set([2]));
  expect(looks).toBe(2);
});

test('a look that fails fails for those who share it, and for nobody after', async () => {
  let looks = 0;
  const ask = shareLook(
    async () => {
      if (++looks === 1) throw new Error('the store is away');
      return looks;
    },
    () => undefined,
  );
  const [one, two] = await Promise.allSettled([ask(), ask()]);
  expect([one?.status, two?.status]).toEqual(['rejected', 'rejected']);
  expect(await ask()).toBe(2);
});

test('it is told when a look has ended and nobody waits, and not while somebody does', async () => {
  let idle = 0;
  const first = Promise.withResolvers<void>();
  const looks = [first.promise, Promise.resolve()];
  const ask = shareLook(
    async () => looks.shift(),
    () => idle++,
  );
  const one = ask();
  while (looks.length > 1) await setTimeout(1);
  const two = ask();
  first.resolve();
  await one;
  expect(idle).toBe(0);
  await two;
  expect(idle).toBe(1);
});
