/**
 * A verb of `firmament` that serves until it is told to end, as a process of its own.
 *
 * - It counts as started once it has said so, in its one JSON line.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { encodeUtf8 } from '../formats/bytes.ts';
import { isJsonObject, parseJson, type JsonObject } from '../formats/json.ts';
import { CLI } from './child.ts';

export type VerbProcess = {
  /** What it said once it had started: where it serves. */
  readonly answer: JsonObject;
  /** Asks it to end, or ends it as a power cut would, and waits until it has. @returns its exit code; none after a kill. */
  readonly end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<number | undefined>;
};

const LINE_BYTES_MAX = 65_536;

/** Starts `firmament ARGS`, by `by` where it is not to run as it is. @throws Error with its line if it does not come to serve. */
export async function startVerb(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  by: readonly string[] = [],
): Promise<VerbProcess> {
  const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
  const [command = process.execPath, ...rest] = [...by, process.execPath, CLI, ...args, '--json'];
  const child = spawn(command, rest, { stdio, env });
  const ended = once(child, 'close');
  const { value: line } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  const answer = parseJson(encodeUtf8(line ?? ''), { bytesMax: LINE_BYTES_MAX });
  if (!answer.ok || !isJsonObject(answer.value) || answer.value.get('ok') !== true) {
    throw new Error(`firmament ${args[0] ?? ''} did not start: ${line ?? 'no word'}`);
  }
  return {
    answer: answer.value,
    end: async (signal) => {
      child.kill(signal);
      await ended;
      return child.exitCode ?? undefined;
    },
  };
}
