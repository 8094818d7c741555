/** Runs small Python programs where python-tuf is installed. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { pythonOf } from '../parts.ts';

const TOO_LATE_MS = 120_000;
const OUTPUT_BYTES_MAX = 64_000_000;
const PRELUDE = 'import json, sys\ngiven = json.loads(sys.stdin.buffer.read().decode("utf-8"))\n';

/**
 * Runs `program` with the JSON of `input` as its variable `given`.
 * @returns the JSON that it prints; throws with its last words when it fails.
 */
export async function python(program: string, input: unknown): Promise<unknown> {
  const options = { timeout: TOO_LATE_MS, maxBuffer: OUTPUT_BYTES_MAX };
  const running = promisify(execFile)(pythonOf('python-tuf'), ['-c', PRELUDE + program], options);
  running.child.stdin?.end(JSON.stringify(input));
  return JSON.parse((await running).stdout);
}
