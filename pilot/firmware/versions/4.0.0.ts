/** Version 4.0.0: the decoder by table, now with signed fields in two's complement. */
import { EXPECTED_SUMMARIES } from '../expected-summaries.ts';
import { decodeByTable } from '../field-table.ts';
import { runGateway } from '../gateway.ts';
import { fromTwosComplement } from '../twos-complement.ts';
import { summariseReadings } from '../window.ts';

await runGateway({
  firmwareVersion: '4.0.0',
  decode: decodeByTable(fromTwosComplement),
  openWindow: summariseReadings,
  expectedWindows: EXPECTED_SUMMARIES,
});
