/** The process of `tuf-client`: clock, arguments and streams; what it does stands in `command.ts`. */
import { runCommand } from './command.ts';

const { signal: stop } = new AbortController();
void runCommand(process.argv.slice(2), {
  // 5.1: the fixed start time of the run.
  now: Date.now(),
  pid: process.pid,
  writeLine: (line) => process.stdout.write(`${line}\n`),
  writeNote: (text) => process.stderr.write(text),
  stop,
}).then((exit) => {
  process.exitCode = exit;
});
