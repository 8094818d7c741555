/** The clock of the host: what every clock must do, and a calendar that the host sets as it likes. */
import { onTestFinished, test, expect, vi } from 'vitest';
import { encodeInstant } from '../../../formats/instant.ts';
import { systemClock } from '../../../bootloader-verifier/agent/clock-system.ts';
import { testClock } from '../../formats/clock-contract.ts';

testClock((stop) => ({ clock: systemClock(stop), during: (work) => work }));

/** Lets this test set the calendar of the host; timers go on as they are. */
function calendar(): (ms: number) => void {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  return (ms) => void vi.setSystemTime(ms);
}

test('a host whose calendar says what no date can be is given the nearest moment that can be written, not a fault', () => {
  const set = calendar();
  for (const [host, written] of [
    [-8.64e15, '1970-01-01T00:00:00Z'],
    [-1, '1970-01-01T00:00:00Z'],
    [0, '1970-01-01T00:00:00Z'],
    [1_893_456_000_000, '2030-01-01T00:00:00Z'],
    [Date.UTC(9999, 11, 31, 23, 59, 59), '9999-12-31T23:59:59Z'],
    [Date.UTC(10_000, 0, 1), '9999-12-31T23:59:59Z'],
    [8.64e15, '9999-12-31T23:59:59Z'],
  ] as const) {
    set(host);
    expect(encodeInstant(systemClock().now()), String(host)).toBe(written);
  }
});

test('a calendar that is set back or forth meanwhile neither ends a wait nor prolongs it', async () => {
  const set = calendar();
  const clock = systemClock();
  const woken: string[] = [];
  const long = clock.sleep(200).then(() => woken.push('long'));
  const short = clock.sleep(100).then(() => woken.push('short'));
  set(0);
  set(Date.UTC(2099, 0, 1));
  const next = clock.sleep(10).then(() => woken.push('next'));
  set(1_000);
  await Promise.all([long, short, next]);
  expect(woken).toEqual(['next', 'short', 'long']);
});
