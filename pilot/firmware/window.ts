/**
 * Windows of time, in which a sensor's readings are gathered.
 *
 * - A window opens with the first reading after the last one has passed, and holds what came within `WINDOW_MS`.
 * - How readings are gathered differs between versions: only counted, or with lowest, mean and highest.
 */
import type { Reading } from './frame.ts';

export const WINDOW_MS = 60_000;

/** What the status shows of a window; numbers only, in the units of `Reading`. */
export type WindowStatus = Readonly<Record<string, number>>;

/** Gathers the readings of one window. */
export type Gatherer = { readonly add: (reading: Reading) => void; readonly status: () => WindowStatus };

/** Counts readings. */
export function countReadings(): Gatherer {
  let count = 0;
  return {
    add: () => {
      count++;
    },
    status: () => ({ count }),
  };
}

/** Counts readings and keeps lowest, mean and highest of both values; means are rounded towards zero. */
export function summariseReadings(): Gatherer {
  const temperature = summary();
  const humidity = summary();
  return {
    add: (reading) => {
      temperature.add(reading.temperature);
      humidity.add(reading.humidity);
    },
    status: () => {
      const { count, low, mean, high } = temperature.status();
      const { low: humidityLow, mean: humidityMean, high: humidityHigh } = humidity.status();
      return {
        count,
        temperatureLow: low,
        temperatureMean: mean,
        temperatureHigh: high,
        humidityLow,
        humidityMean,
        humidityHigh,
      };
    },
  };
}

type Summary = { readonly count: number; readonly low: number; readonly mean: number; readonly high: number };

function summary(): { readonly add: (value: number) => void; readonly status: () => Summary } {
  let count = 0;
  let sum = 0;
  let low = 0;
  let high = 0;
  return {
    add: (value) => {
      low = count === 0 ? value : Math.min(low, value);
      high = count === 0 ? value : Math.max(high, value);
      count++;
      sum += value;
    },
    status: () => ({ count, low, mean: count === 0 ? 0 : Math.trunc(sum / count), high }),
  };
}
