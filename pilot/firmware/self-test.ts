/**
 * The self-test: the gateway sends itself frames through its real sockets and compares what its own status then says.
 *
 * - The frames stand here as the bytes that real sensors sent, not made by code of ours: an encoder and a decoder that share
 *   a mistake would agree.
 * - They cover what decoders get wrong: zero, the highest values, one below zero, the lowest temperature.
 * - A damaged frame must be refused, and a repeated one dropped.
 */
import { connect } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { readFrame, type Decoder, type Reading } from './frame.ts';
import type { ReadingsStatus } from './readings.ts';
import type { WindowStatus } from './window.ts';

const LIMIT_MS = 10_000;
const PAUSE_MS = 10;

const KNOWN: readonly (readonly [hex: string, reading: Reading])[] = [
  ['466d0100000000070000000108661306ea083d71', { sensor: 7, sequence: 1, temperature: 2150, humidity: 4870 }],
  ['466d0100000000070000000200000000acca3c7b', { sensor: 7, sequence: 2, temperature: 0, humidity: 0 }],
  ['466d010000000007000000037fff2710db1c33ed', { sensor: 7, sequence: 3, temperature: 32767, humidity: 10000 }],
  ['466d010000000008ffffffffffff13a133cd60ac', { sensor: 8, sequence: 4294967295, temperature: -1, humidity: 5025 }],
  ['466d01000000000900000001fb2e270f0a66c881', { sensor: 9, sequence: 1, temperature: -1234, humidity: 9999 }],
  ['466d0100000000090000000280000001fe566144', { sensor: 9, sequence: 2, temperature: -32768, humidity: 1 }],
];
const REPEATED = '466d0100000000070000000200000000acca3c7b';
/** The first frame with one bit of its temperature turned over. */
const DAMAGED = '466d0100000000070000000108671306ea083d71';

/** What the self-test needs of the gateway that it tests. */
export type Tested = {
  readonly decode: Decoder;
  readonly sensorPort: number;
  readonly statusPort: number;
  /** The whole status that belongs to these readings. */
  readonly statusOf: (readings: ReadingsStatus) => object;
  /** What the windows of the known sensors must hold. */
  readonly expectedWindows: ReadonlyMap<number, WindowStatus>;
};

/** Runs the self-test. @returns undefined when all is well, or what is not, in a sentence. */
export async function runSelfTest(tested: Tested): Promise<string | undefined> {
  return decodingFault(tested.decode) ?? (await serviceFault(tested));
}

function decodingFault(decode: Decoder): string | undefined {
  for (const [hex, expected] of KNOWN) {
    const reading = readFrame(bytesOf(hex), decode);
    if (!isDeepStrictEqual(reading, expected)) {
      return `frame ${hex} was read as ${JSON.stringify(reading ?? 'refused')} instead of ${JSON.stringify(expected)}`;
    }
  }
  return readFrame(bytesOf(DAMAGED), decode) === undefined ? undefined : 'a damaged frame was read as a sound one';
}

async function serviceFault(tested: Tested): Promise<string | undefined> {
  const last = new Map(KNOWN.map(([, reading]) => [reading.sensor, reading]));
  const sensors = [...last.values()].map((reading) => ({
    ...reading,
    window: tested.expectedWindows.get(reading.sensor) ?? {},
  }));
  const expected = tested.statusOf({ accepted: KNOWN.length, repeated: 1, refused: 1, sensors });
  const sensor = connect(tested.sensorPort, '127.0.0.1');
  sensor.on('error', () => sensor.destroy()); // The gateway closes on us at the damaged frame, as it should.
  sensor.end(bytesOf(`${KNOWN.map(([hex]) => hex).join('')}${REPEATED}${DAMAGED}`));
  let status: unknown;
  for (let waitedMs = 0; waitedMs < LIMIT_MS; waitedMs += PAUSE_MS) {
    status = await readStatus(tested.statusPort);
    if (isDeepStrictEqual(status, expected)) return undefined;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return `the status says ${JSON.stringify(status)} instead of ${JSON.stringify(expected)}`;
}

async function readStatus(port: number): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/status`, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  return response.json();
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
