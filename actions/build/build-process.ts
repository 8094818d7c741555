/**
 * Runs a build command and ends everything it has started.
 *
 * - It has a time limit; at the limit, and whenever the command ends, its whole process group is ended.
 * - Of each of its two outputs only the last `OUTPUT_TAIL_BYTES` are kept: a build that prints without end costs nothing.
 * - No shell: the command is a program and its arguments.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';

export const OUTPUT_TAIL_BYTES = 8_192;

export type BuildCommand = {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeLimitMs: number;
};
/** `fault` is undefined when the command ended with exit code 0; `output` is the end of what it printed, errors last. */
export type BuildEnd = { readonly fault: string | undefined; readonly output: string };

/** Runs `command` to its end or to its time limit. Never throws. */
export async function runBuildCommand(command: BuildCommand): Promise<BuildEnd> {
  const child = spawn(command.program, command.args, {
    cwd: command.folder,
    env: command.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32', // A group of its own, which can be ended as a whole.
    windowsHide: true,
  });
  const printed = keepTail(child.stdout);
  const complained = keepTail(child.stderr);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    endGroup(child);
  }, command.timeLimitMs);
  const fault = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(`it cannot be started: ${error.message}`));
    child.once('exit', () => endGroup(child)); // What it left behind would hold its output open.
    child.once('close', (code, signal) => {
      resolve(code === 0 ? undefined : code === null ? `it was ended by ${signal}` : `it ended with exit code ${code}`);
    });
  });
  clearTimeout(timer);
  return { fault: late ? `it took longer than ${command.timeLimitMs} ms` : fault, output: printed() + complained() };
}

/** Keeps the end of what `stream` brings; the result gives it as text. */
function keepTail(stream: Readable): () => string {
  let kept = Buffer.alloc(0);
  stream.on('data', (data: Buffer) => {
    kept = Buffer.concat([kept, data]).subarray(-OUTPUT_TAIL_BYTES);
  });
  return () => kept.toString('utf8');
}

/** Ends the process group of `child`; that it is gone already is what we want. */
function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  if (process.platform === 'win32') {
    child.kill('SIGKILL');
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: nobody is left; EPERM is what some systems say of processes that have just ended.
    const gone = error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM');
    if (!gone) throw error;
  }
}
