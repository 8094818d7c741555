/** The process of `tuf-client`: clock, arguments and streams; what it does stands in `command.ts`. */
import { OperationError } from '../../../formats/operation-error.ts';
import { codeOf } from '../plain-file.ts';
import { runCommand } from './command.ts';

const { signal: stop } = new AbortController();
// Each write is told its fault; a stream that has ended is no reason to end without a word.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

function writeLine(line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(`${line}\n`, (cause) => {
      if (cause === null || cause === undefined) return resolve();
      const detail = `standard output (${codeOf(cause)})`;
      reject(new OperationError('FILE_UNWRITABLE', detail, { retriable: false, cause }));
    });
  });
}

void runCommand(process.argv.slice(2), {
  // 5.1: the fixed start time of the run.
  now: Date.now(),
  pid: process.pid,
  writeLine,
  writeNote: (text) => process.stderr.write(text),
  stop,
}).then((exit) => {
  process.exitCode = exit;
});
