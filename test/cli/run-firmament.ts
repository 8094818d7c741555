/** `firmament` as a child process: what it says on either stream, how it ends, and the answer of its one JSON line. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Output } from '../../cli/outcome.ts';
import { runFirmament } from '../../cli/run-firmament.ts';
import type { Host } from '../../cli/verb.ts';
import { PROJECT } from '../results.ts';

export const CLI: string = join(PROJECT, 'cli', 'main.ts');

export type Ended = {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The JSON line; an empty object where there is none. */
  readonly answer: Readonly<Record<string, unknown>>;
};

/** Runs `firmament ARGS` without a terminal. */
export function firmament(...args: readonly string[]): Promise<Ended> {
  return firmamentIn({}, ...args);
}

/** The same with more environment. */
export function firmamentIn(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended> {
  return run([process.execPath, CLI, ...args], env);
}

/** The same, bound by the modes of files, which bind no `root` on Linux. */
export function firmamentBound(...args: readonly string[]): Promise<Ended> {
  const bound = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all'] : [];
  return run([...bound, process.execPath, CLI, ...args], {});
}

function run([program = '', ...args]: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const options = { env: { ...process.env, ...env }, timeout: 60_000 };
  return new Promise((resolve) => {
    const child = execFile(program, args, options, (_, stdout, stderr) =>
      resolve({ exit: child.exitCode ?? -1, stdout, stderr, answer: answerIn(stdout) }),
    );
    child.stdin?.end();
  });
}

function answerIn(stdout: string): Ended['answer'] {
  const lines = stdout.split('\n');
  return lines.length === 2 && lines[1] === '' ? (JSON.parse(lines[0] ?? '') as Ended['answer']) : {};
}

/** What the process of `firmament ARGS` runs, without a process: for lines that end before anything of the system is touched. */
export async function firmamentHere(...args: readonly string[]): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  const host: Host = {
    now: Date.now,
    newId: () => '',
    newKey: (sizeBytes) => new Uint8Array(sizeBytes),
    env: {},
    say: (text) => void (stderr += text),
    isInteractive: false,
    stop: AbortSignal.abort(),
  };
  const output: Output = { json: true, out: (text) => void (stdout += text), say: host.say, debug: false };
  const exit = await runFirmament(args, host, output);
  return { exit, stdout, stderr, answer: answerIn(stdout) };
}
