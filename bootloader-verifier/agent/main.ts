/** The process of `firmament-device`: clock, signals and streams, handed to its verbs. */
import { randomBytes } from 'node:crypto';
import { systemClock } from './clock-system.ts';
import { runVerb } from './verbs.ts';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

try {
  process.exitCode = await runVerb(process.argv.slice(2), {
    nodePath: process.execPath,
    clock: systemClock(stop.signal),
    newSecret: (count) => Uint8Array.from(randomBytes(count)),
    writeLine: (line) => process.stdout.write(`${line}\n`),
    writeNote: (text) => process.stderr.write(text),
    stop: stop.signal,
  });
} catch (fault) {
  const message = fault instanceof Error ? fault.message : 'unknown';
  process.stdout.write(`${JSON.stringify({ ok: false, code: 'BUG', detail: message })}\n`);
  process.exitCode = 70;
}
