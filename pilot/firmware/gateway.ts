/**
 * The gateway: what every version of the firmware does, with the parts in which versions differ handed in.
 *
 * - It listens, tests itself, says so in one line, and serves only if the test passed (`docs/formats/image-contract.md`).
 * - The readings of the self-test are forgotten before the first sensor counts.
 */
import type { Decoder } from './frame.ts';
import { listenForSensors, listenForStatus } from './listeners.ts';
import { watchParent } from './parent.ts';
import { createReadings, type ReadingsStatus } from './readings.ts';
import { runSelfTest } from './self-test.ts';
import type { Gatherer, WindowStatus } from './window.ts';

/** The parts in which versions differ. */
export type Version = {
  readonly firmwareVersion: string;
  readonly decode: Decoder;
  readonly openWindow: () => Gatherer;
  /** What the windows must hold after the frames of the self-test, by sensor. */
  readonly expectedWindows: ReadonlyMap<number, WindowStatus>;
};

/** What a device reads of the detail at most. */
const DETAIL_LENGTH_MAX = 1_024;

/** Runs the gateway until it is told to stop. */
export async function runGateway(version: Version): Promise<void> {
  const { firmwareVersion } = version;
  const mode = process.env['FIRMAMENT_MODE'];
  watchParent(() => process.exit(1));
  process.on('SIGTERM', () => process.exit(0));
  let readings = createReadings(version.openWindow);
  const statusOf = (of: ReadingsStatus): object => ({ firmwareVersion, mode, ...of });
  const sensors = await listenForSensors(version.decode, () => readings);
  const status = await listenForStatus(() => statusOf(readings.status()));
  print({ gateway: 'listening', sensorPort: sensors.port, statusPort: status.port });

  const tested = { ...version, sensorPort: sensors.port, statusPort: status.port, statusOf };
  const fault = mode === 'trial' || mode === 'normal' ? await runSelfTest(tested) : `there is no mode ${mode}`;
  readings = createReadings(version.openWindow);
  const detail = (fault ?? 'frames, listeners and status agree').slice(0, DETAIL_LENGTH_MAX);
  print({ firmament: 'self-test', ok: fault === undefined, firmwareVersion, detail });
  if (fault === undefined) return;
  process.exitCode = 1;
  sensors.close();
  status.close();
}

/** One line of JSON for the device. */
function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
