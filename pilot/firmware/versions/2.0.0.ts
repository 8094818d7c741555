/** Version 2.0.0: shows lowest, mean and highest of each sensor's window. */
import { decodeDirect } from '../decode-direct.ts';
import { EXPECTED_SUMMARIES } from '../expected-summaries.ts';
import { runGateway } from '../gateway.ts';
import { summariseReadings } from '../window.ts';

await runGateway({
  firmwareVersion: '2.0.0',
  decode: decodeDirect,
  openWindow: summariseReadings,
  expectedWindows: EXPECTED_SUMMARIES,
});
