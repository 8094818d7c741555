/** The simulator's randomness: repeatable, and spread over the whole range. */
import { expect, test } from 'vitest';
import { seededRandom } from '../../simulation/seed.ts';
import { SEED } from './seed.ts';

test('a seed gives the same numbers every time, and another seed gives others', () => {
  const draw = (seed: number): readonly number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 20 }, () => random(1_000_000));
  };
  expect(draw(SEED)).toEqual(draw(SEED));
  expect(draw(SEED)).not.toEqual(draw(SEED + 1));
});

test('numbers stay below their bound and reach every value of it', () => {
  const random = seededRandom(SEED);
  const drawn = Array.from({ length: 2_000 }, () => random(10));
  expect(new Set(drawn), `seed ${SEED}`).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  for (let value = 0; value < 10; value++) {
    expect(drawn.filter((number) => number === value).length, `seed ${SEED}`).toBeGreaterThan(100);
  }
});
