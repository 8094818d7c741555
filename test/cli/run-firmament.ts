/** `firmament` as a child process: what it says on either stream, how it ends, and the answer of its one JSON line. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
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
    const child = execFile(program, args, options, (_, stdout, stderr) => {
      const lines = stdout.split('\n');
      const answer = lines.length === 2 && lines[1] === '' ? (JSON.parse(lines[0] ?? '') as Ended['answer']) : {};
      resolve({ exit: child.exitCode ?? -1, stdout, stderr, answer });
    });
    child.stdin?.end();
  });
}
