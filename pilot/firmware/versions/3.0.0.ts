/** Version 3.0.0: a decoder driven by a table; takes signed fields for sign and magnitude, which the sensors do not send. */
import { EXPECTED_SUMMARIES } from '../expected-summaries.ts';
import { decodeByTable } from '../field-table.ts';
import { runGateway } from '../gateway.ts';
import { fromSignMagnitude } from '../sign-magnitude.ts';
import { summariseReadings } from '../window.ts';

await runGateway({
  firmwareVersion: '3.0.0',
  decode: decodeByTable(fromSignMagnitude),
  openWindow: summariseReadings,
  expectedWindows: EXPECTED_SUMMARIES,
});
