/**
 * The clock of the host.
 *
 * - A timer of the host's holds no more than 31 bits of milliseconds and ends at once beyond: a longer wait is one timer after the other.
 */
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { nearestMoment, type Clock } from '../../formats/clock.ts';

const TIMER_MS_MAX = 2 ** 31 - 1;

/** The clock of the machine that this runs on. @param stop ends its waits. */
export function systemClock(stop?: AbortSignal): Clock {
  return {
    now: () => nearestMoment(Date.now()),
    sleep: async (ms) => {
      assert(Number.isSafeInteger(ms) && ms >= 0, 'time runs forward, in whole milliseconds');
      try {
        for (let left = ms; left >= 0; left -= TIMER_MS_MAX) {
          await wait(Math.min(left, TIMER_MS_MAX), undefined, { ...(stop && { signal: stop }) });
        }
      } catch (fault) {
        if (stop?.aborted !== true) throw fault;
      }
    },
  };
}
