/** What every clock must do; each adapter's test runs it. */
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import type { Clock } from '../../formats/clock.ts';
import { encodeInstant, parseInstant } from '../../formats/instant.ts';

/** A clock, and how its time passes until some work is done. */
export type ClockUnderTest = { readonly clock: Clock; readonly during: <T>(work: Promise<T>) => Promise<T> };

/** Longer than a timer of the host's can be. */
const WEEKS_MS = 2 ** 31;

/** Runs the contract. @param make a clock of its own each time, whose waits `stop` ends. */
export function testClock(make: (stop?: AbortSignal) => ClockUnderTest): void {
  test('contract: the moment is a whole number of milliseconds since 1970, and can be written', () => {
    const { clock } = make();
    const now = clock.now();
    expect(Number.isSafeInteger(now)).toBe(true);
    expect(now).toBeGreaterThanOrEqual(0);
    expect(parseInstant(encodeInstant(now))).toBe(now - (now % 1000));
  });

  test('contract: a wait takes as many milliseconds as it was asked for, by the calendar of the same clock', async () => {
    const { clock, during } = make();
    const from = clock.now();
    await during(clock.sleep(50));
    const took = clock.now() - from;
    // A timer of the host's may end within the millisecond before.
    expect(took).toBeGreaterThanOrEqual(49);
    expect(took).toBeLessThan(50_000);
  });

  test('contract: sleepers wake in the order of their times, and one who sleeps for weeks or years is no exception', async () => {
    const stop = new AbortController();
    const { clock, during } = make(stop.signal);
    const woken: string[] = [];
    const sleeper = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms);
      woken.push(name);
    };
    const years = sleeper('years', Number.MAX_SAFE_INTEGER - clock.now());
    const weeks = sleeper('weeks', WEEKS_MS);
    const long = sleeper('long', 120);
    await during(sleeper('short', 60));
    await during(long);
    expect(woken).toEqual(['short', 'long']);
    stop.abort();
    await Promise.all([years, weeks]);
    expect(woken).toHaveLength(4);
  });

  test('contract: no wait at all ends too, but never before its caller has gone on', async () => {
    const { clock, during } = make();
    const order: string[] = [];
    const slept = clock.sleep(0).then(() => order.push('slept'));
    order.push('went on');
    await during(slept);
    expect(order).toEqual(['went on', 'slept']);
  });

  test('contract: a time that runs backwards, is no whole number or has no end is a bug of the caller, not a short wait', async () => {
    const { clock } = make();
    for (const ms of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53]) {
      await expect(clock.sleep(ms), String(ms)).rejects.toThrow('time runs forward');
    }
  });

  test('contract: whoever is to stop waits no longer, before or meanwhile, and leaves nothing behind at what stops it', async () => {
    const stop = new AbortController();
    const { clock, during } = make(stop.signal);
    for (let i = 0; i < 20; i++) await during(clock.sleep(0));
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
    const waiting = clock.sleep(WEEKS_MS);
    stop.abort();
    await waiting;
    await clock.sleep(WEEKS_MS);
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });
}
