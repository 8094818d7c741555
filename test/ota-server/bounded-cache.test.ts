/** The bounded cache, against a list that is kept by hand. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBoundedCache } from '../../ota-server/bounded-cache.ts';

const LIMITS = { entriesMax: 3, bytesMax: 10 };
const KEYS = ['a', 'b', 'c', 'd', 'e'];

test('what was used longest ago goes first, and neither limit is ever exceeded', () => {
  const step = fc.tuple(fc.constantFrom('get', 'peek', 'set', 'delete'), fc.constantFrom(...KEYS), fc.nat(12));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = createBoundedCache<number>(LIMITS, (size) => size);
      let model: (readonly [string, number])[] = [];
      for (const [verb, key, size] of steps) {
        const known = model.find(([each]) => each === key);
        if (verb === 'peek') expect(cache.peek(key)).toBe(known?.[1]);
        if (verb === 'get') expect(cache.get(key)).toBe(known?.[1]);
        if (verb === 'set') cache.set(key, size);
        if (verb === 'delete') cache.delete(key);
        const now = verb === 'set' ? ([key, size] as const) : verb === 'get' ? known : undefined;
        if (verb !== 'peek') model = model.filter(([each]) => each !== key).concat(now === undefined ? [] : [now]);
        const bytes = () => model.reduce((sum, [, each]) => sum + each, 0);
        while (model.length > LIMITS.entriesMax || bytes() > LIMITS.bytesMax) model.shift();
        expect(KEYS.filter((each) => cache.peek(each) !== undefined)).toEqual(model.map(([each]) => each).toSorted());
      }
    }),
  );
});

test('at the limits all is kept, above them the oldest goes, and what is larger than all is not kept', () => {
  const cache = createBoundedCache<number>(LIMITS, (size) => size);
  for (const key of ['a', 'b', 'c']) cache.set(key, 3);
  expect([cache.peek('a'), cache.peek('b'), cache.peek('c')]).toEqual([3, 3, 3]);
  cache.set('c', 4);
  expect(cache.peek('a')).toBe(3);
  cache.set('c', 5);
  expect(cache.peek('a')).toBeUndefined();
  cache.set('d', 11);
  expect(KEYS.map((key) => cache.peek(key))).toEqual([undefined, undefined, undefined, undefined, undefined]);
});
