/** What the windows of summarising versions must hold after the self-test, worked out by hand. */
import type { WindowStatus } from './window.ts';

export const EXPECTED_SUMMARIES: ReadonlyMap<number, WindowStatus> = new Map<number, WindowStatus>([
  [7, windowOf(3, [0, 11_639, 32_767], [0, 4_956, 10_000])],
  [8, windowOf(1, [-1, -1, -1], [5_025, 5_025, 5_025])],
  [9, windowOf(2, [-32_768, -17_001, -1_234], [1, 5_000, 9_999])],
]);

type Summary = readonly [low: number, mean: number, high: number];

function windowOf(count: number, temperature: Summary, humidity: Summary): WindowStatus {
  const [temperatureLow, temperatureMean, temperatureHigh] = temperature;
  const [humidityLow, humidityMean, humidityHigh] = humidity;
  return { count, temperatureLow, temperatureMean, temperatureHigh, humidityLow, humidityMean, humidityHigh };
}
