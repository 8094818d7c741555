/**
 * A clock that only moves when the simulation says so: hours pass in no time, and always in the same way.
 *
 * - Sleepers wake in the order of their times, those of one time in the order in which they fell asleep.
 * - Between two wakings everything that the first one set off runs as far as it can.
 */
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../formats/clock.ts';
import type { Instant } from '../formats/instant.ts';

export type VirtualClock = Clock & {
  /** Lets `ms` pass, with everything that happens meanwhile. */
  readonly advance: (ms: number) => Promise<void>;
  /** Lets time pass, from sleeper to sleeper, until `work` has ended. */
  readonly during: <T>(work: Promise<T>) => Promise<T>;
};

type Sleeper = { readonly at: Instant; readonly wake: () => void };

/** A clock that stands at `start`. @param stop ends its waits. */
export function virtualClock(start: Instant, stop?: AbortSignal): VirtualClock {
  let now = start;
  let sleepers: readonly Sleeper[] = [];
  /** Wakes the next sleeper that is due by `until`; says whether there was one. */
  const wakeNext = (until: Instant): boolean => {
    const next = sleepers.reduce<Sleeper | undefined>((a, b) => (a === undefined || b.at < a.at ? b : a), undefined);
    if (next === undefined || next.at > until) return false;
    sleepers = sleepers.filter((sleeper) => sleeper !== next);
    now = next.at;
    next.wake();
    return true;
  };
  return {
    now: () => now,
    sleep: async (ms) => {
      assert(Number.isSafeInteger(ms) && ms >= 0, 'time runs forward, in whole milliseconds');
      if (stop?.aborted === true) return;
      const { promise, resolve: wake } = Promise.withResolvers<void>();
      const sleeper = { at: now + ms, wake };
      const leave = (): void => {
        sleepers = sleepers.filter((other) => other !== sleeper);
        wake();
      };
      sleepers = [...sleepers, sleeper];
      stop?.addEventListener('abort', leave);
      await promise;
      stop?.removeEventListener('abort', leave);
    },
    advance: async (ms) => {
      const until = now + ms;
      do await turn();
      while (wakeNext(until));
      now = until;
    },
    during: async (work) => {
      let isOver = false;
      const over = (): void => {
        isOver = true;
      };
      work.then(over, over);
      for (await turn(); !isOver; await turn()) wakeNext(Number.POSITIVE_INFINITY);
      return work;
    },
  };
}
