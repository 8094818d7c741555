/** Version 1.0.0: receives, decodes, counts. */
import { decodeDirect } from '../decode-direct.ts';
import { runGateway } from '../gateway.ts';
import { countReadings } from '../window.ts';

await runGateway({
  firmwareVersion: '1.0.0',
  decode: decodeDirect,
  openWindow: countReadings,
  expectedWindows: new Map([
    [7, { count: 3 }],
    [8, { count: 1 }],
    [9, { count: 2 }],
  ]),
});
