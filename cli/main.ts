/**
 * The process of `firmament`: clock, streams and signals, handed to the verb that is called.
 *
 * - A stream may find no room, or lose its reader. What was only said is lost then, and a daemon goes on; an answer that could not be
 *   written is a fault of the world.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { systemClock } from '../bootloader-verifier/agent/clock-system.ts';
import type { Output } from './outcome.ts';
import { runFirmament } from './run-firmament.ts';
import type { Host } from './verb.ts';

const args = process.argv.slice(2);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

process.stderr.on('error', () => undefined);
let isAnswerLost = false;
process.stdout.on('error', () => (isAnswerLost = true));
process.on('exit', (code) => {
  if (isAnswerLost && code === 0) process.exitCode = 69;
});

const host: Host = {
  now: systemClock().now,
  newId: () => randomUUID(),
  newKey: (sizeBytes) => Uint8Array.from(randomBytes(sizeBytes)),
  env: process.env,
  say: (text) => void process.stderr.write(text),
  isInteractive: process.stdin.isTTY && process.stderr.isTTY,
  stop: stop.signal,
};
const output: Output = {
  json: !process.stdout.isTTY || args.includes('--json'),
  out: (text) => void process.stdout.write(text),
  say: host.say,
  debug: process.env['FIRMAMENT_DEBUG'] !== undefined,
};

process.exitCode = await runFirmament(args, host, output);
