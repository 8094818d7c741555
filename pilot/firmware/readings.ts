/**
 * What the gateway knows of its sensors.
 *
 * - A sensor's sequence number only rises: a frame that repeats or precedes the last one is counted and dropped.
 * - At most `SENSORS_MAX` sensors are remembered; frames of further ones are refused.
 */
import type { Reading } from './frame.ts';
import { WINDOW_MS, type Gatherer, type WindowStatus } from './window.ts';

const SENSORS_MAX = 1024;

export type SensorStatus = Reading & { readonly window: WindowStatus };
export type ReadingsStatus = {
  readonly accepted: number;
  readonly repeated: number;
  readonly refused: number;
  readonly sensors: readonly SensorStatus[];
};
export type Readings = {
  /** Takes a reading, or undefined for a frame that was refused; `now` in milliseconds. */
  readonly take: (reading: Reading | undefined, now: number) => void;
  readonly status: () => ReadingsStatus;
};

/** An empty store; `openWindow` makes the gatherer of a new window. */
export function createReadings(openWindow: () => Gatherer): Readings {
  const sensors = new Map<number, { last: Reading; openedAt: number; window: Gatherer }>();
  let accepted = 0;
  let repeated = 0;
  let refused = 0;
  return {
    take: (reading, now) => {
      const known = reading === undefined ? undefined : sensors.get(reading.sensor);
      if (reading === undefined || (known === undefined && sensors.size >= SENSORS_MAX)) {
        refused++;
      } else if (known !== undefined && reading.sequence <= known.last.sequence) {
        repeated++;
      } else {
        const current = known !== undefined && now - known.openedAt < WINDOW_MS ? known : undefined;
        const { openedAt, window } = current ?? { openedAt: now, window: openWindow() };
        window.add(reading);
        sensors.set(reading.sensor, { last: reading, openedAt, window });
        accepted++;
      }
    },
    status: () => ({
      accepted,
      repeated,
      refused,
      sensors: [...sensors.values()].map(({ last, window }) => ({ ...last, window: window.status() })),
    }),
  };
}
