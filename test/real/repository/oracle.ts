/** Runs programs of ours over other people's libraries: they take one JSON object and print one. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const TOO_LATE_MS = 120_000;

/** What `command` prints, given the JSON of `input`. A fault that it tells throws with its words. */
export async function askOracle(command: readonly [string, ...string[]], input?: unknown): Promise<unknown> {
  const [program, ...args] = command;
  const running = promisify(execFile)(program, args, { timeout: TOO_LATE_MS });
  running.child.stdin?.end(JSON.stringify(input ?? {}));
  const answer = JSON.parse((await running).stdout) as { readonly fault?: string };
  if (answer.fault !== undefined) throw new Error(answer.fault);
  return answer;
}
