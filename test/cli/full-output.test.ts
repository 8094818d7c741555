/** Where what is said finds no room, or nobody reads it any more: the exit still tells how it ended, and a daemon goes on. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { generateKey } from '../../signer/key-file.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { CLI } from './run-firmament.ts';

/** Linux has a device without room. */
const hasFull = process.platform === 'linux';

/** Runs `firmament ARGS` with streams that are read, full, or read by somebody who goes. */
function run(args: readonly string[], out: 'pipe' | 'full', said: 'pipe' | 'full'): ChildProcess {
  const stdio = [out, said].map((stream) => (stream === 'full' ? openSync('/dev/full', 'w') : stream));
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', ...stdio] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Ends it. @returns its exit and what was read of either stream. */
async function ended(child: ChildProcess): Promise<{ readonly exit: number | null; readonly text: string }> {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(child, 'close');
  return { exit: child.exitCode, text };
}

test('an answer that finds no room is a fault of the world, without a stack trace; an error of another kind keeps its exit', async () => {
  if (!hasFull) return;
  const folder = temporaryFolder('full-answer');
  writeFileSync(join(folder, 'passphrase'), 'correct horse', { mode: 0o600 });
  const key = ['--out', join(folder, 'key.age'), '--passphrase-file', join(folder, 'passphrase'), '--work-factor', '1'];
  const done = await ended(run(['key-generate', ...key], 'full', 'pipe'));
  expect(done).toEqual({ exit: 69, text: '' });
  const misuse = await ended(run(['fsck'], 'full', 'full'));
  expect(misuse).toEqual({ exit: 64, text: '' });
});

test('a daemon whose log finds no room, or loses its reader, goes on until it is asked to end', async () => {
  if (!hasFull) return;
  const folder = temporaryFolder('full-log');
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('passphrase'), 'correct horse', { mode: 0o600 });
  writeFileSync(at('online.age'), (await generateKey('correct horse', 1)).file, { mode: 0o600 });
  mkdirSync(at('state'));
  // A memory that is damaged: each look for what is due has something to tell.
  writeFileSync(at('state/state.json'), '{}');
  for (const said of ['full', 'pipe'] as const) {
    const child = run(
      [
        ...['signer', '--socket', at('signer.sock'), '--product', 'gateway', '--store', at('store')],
        ...[
          '--state',
          at('state'),
          '--key',
          at('online.age'),
          '--passphrase-file',
          at('passphrase'),
          '--look-ms',
          '50',
        ],
      ],
      'pipe',
      said,
    );
    if (child.stdout === null) throw new Error('it has a stream of its own');
    await once(child.stdout, 'data');
    child.stderr?.destroy();
    await wait(1_000);
    expect(child.exitCode, said).toBe(null);
    child.kill('SIGTERM');
    expect((await ended(child)).exit, said).toBe(0);
  }
});
