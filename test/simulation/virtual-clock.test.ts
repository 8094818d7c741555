/** The simulator's clock: time passes in order, all at once, and only when it is told to. */
import { expect, test } from 'vitest';
import { virtualClock } from '../../simulation/virtual-clock.ts';
import { testClock } from '../formats/clock-contract.ts';

const DAY_MS = 86_400_000;

testClock((stop) => {
  const clock = virtualClock(Date.UTC(2030, 0, 1), stop);
  return { clock, during: clock.during };
});

test('sleepers wake in the order of their times, and see the time at which they asked to wake', async () => {
  const clock = virtualClock(1_000);
  const woken: [string, number][] = [];
  const sleeper = async (name: string, ms: number): Promise<void> => {
    await clock.sleep(ms);
    woken.push([name, clock.now()]);
  };
  const all = [sleeper('late', DAY_MS), sleeper('first', 10), sleeper('second', 10)];
  await clock.advance(DAY_MS - 1);
  expect(woken).toEqual([
    ['first', 1_010],
    ['second', 1_010],
  ]);
  await clock.advance(1);
  await Promise.all(all);
  expect(woken.at(-1)).toEqual(['late', 1_000 + DAY_MS]);
});

test('what a sleeper does after waking takes part in the same stretch of time', async () => {
  const clock = virtualClock(0);
  const ticks: number[] = [];
  const ticker = (async (): Promise<void> => {
    for (let i = 0; i < 5; i++) {
      await clock.sleep(60_000);
      ticks.push(clock.now());
    }
  })();
  await clock.advance(180_000);
  expect(ticks).toEqual([60_000, 120_000, 180_000]);
  await clock.advance(DAY_MS);
  await ticker;
  expect(clock.now()).toBe(180_000 + DAY_MS);
});

test('time runs for as long as a piece of work needs, and no longer', async () => {
  const clock = virtualClock(0);
  const unrelated = clock.sleep(DAY_MS);
  const result = await clock.during(clock.sleep(5_000).then(() => 'done'));
  expect([result, clock.now()]).toEqual(['done', 5_000]);
  await expect(clock.during(clock.sleep(1_000).then(() => Promise.reject(new Error('work'))))).rejects.toThrow('work');
  await clock.advance(DAY_MS);
  await unrelated;
});
