/** The executable is killed at every step that it takes on the disk: each file is whole at any time, and the next run goes on. */
import { spawn } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TUF_CLIENT } from '../../../bootloader-verifier/agent/tuf-client/bundle.ts';
import { encodeUtf8, equalBytes } from '../../../formats/bytes.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { LoadedClient } from './loaded-client.ts';
import { SimulatedRepository } from './simulated-repository.ts';

const TOP = ['root', 'snapshot', 'targets', 'timestamp'] as const;
const KILL_AT = new URL('kill-at.js', import.meta.url).href;
/** Two processes for each step. */
const KILLS_MS_MAX = 300_000;
const NEWEST = TOP.map((role) => `${role} 2`).join(', ');

/** Runs the executable in a process of its own, which is killed at its step `at`. Answers its exit, or undefined if it was. */
function runKilled(args: readonly string[], at: number): Promise<number | undefined> {
  const child = spawn(process.execPath, ['--import', KILL_AT, TUF_CLIENT, ...args], {
    stdio: 'ignore',
    env: { ...process.env, KILL_AT: String(at) },
  });
  return new Promise((resolve) =>
    child.on('exit', (code, signal) => resolve(signal === 'SIGKILL' ? undefined : (code ?? -1))),
  );
}

/** Whether each file of `folder` that anyone would see is one of `whole`. */
function expectWhole(folder: string, whole: readonly Uint8Array[]): void {
  for (const name of readdirSync(folder).filter((name) => !name.startsWith('.'))) {
    const bytes = readFileSync(join(folder, name));
    expect(
      whole.some((one) => equalBytes(one, bytes)),
      name,
    ).toBe(true);
  }
}

test(
  'killed at any step of a download, it leaves old files or new ones, and the next run ends as if nothing had been',
  async () => {
    const repository = new SimulatedRepository();
    for (const role of TOP) repository.expires.set(role, Date.UTC(2090, 0, 1));
    repository.add('targets', 'file', 'old');
    await repository.publishAll();
    const client = await LoadedClient.of(repository);
    await client.init();
    await client.find('file');
    const old = join(client.folder, 'old');
    cpSync(join(client.folder, 'metadata'), join(old, 'metadata'), { recursive: true });
    cpSync(join(client.folder, 'targets'), join(old, 'targets'), { recursive: true });
    repository.add('targets', 'file', 'new and longer');
    await repository.publishAll();
    const metadata = [...repository.files].filter(([path]) => path.startsWith('metadata/')).map(([, bytes]) => bytes);
    const former = TOP.map((role) => readFileSync(join(old, 'metadata', `${role}.json`)));
    for (let at = 0; ; at++) {
      const exit = await runKilled(client.downloading('file'), at);
      expectWhole(join(client.folder, 'metadata'), [...metadata, ...former]);
      expectWhole(join(client.folder, 'targets'), ['old', 'new and longer'].map(encodeUtf8));
      expect(await client.find('file'), `step ${at}`).toEqual([sha256Hex(encodeUtf8('new and longer'))]);
      expect(client.versions()).toBe(NEWEST);
      expect(readdirSync(join(client.folder, 'targets'))).toEqual(['file']);
      if (exit !== undefined) {
        expect(exit).toBe(0);
        // Five files, each opened, written, forced and renamed, and its folder opened and forced; and two folders made.
        expect(at).toBe(5 * 6 + 2);
        return;
      }
      for (const folder of ['metadata', 'targets']) {
        rmSync(join(client.folder, folder), { recursive: true });
        cpSync(join(old, folder), join(client.folder, folder), { recursive: true });
      }
    }
  },
  KILLS_MS_MAX,
);
