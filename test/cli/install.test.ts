/** The launchers on a machine that has nothing yet: what is installed, when, and what a failure says. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';

const LAUNCHERS = join(import.meta.dirname, '..', '..', 'cli');
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A checkout with nothing but the launchers, and an npm that notes how it was called and ends with `npmStatus`. */
function freshCheckout(npmStatus: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'firmament-install-'));
  folders.push(folder);
  mkdirSync(join(folder, 'cli'));
  for (const name of ['install.js', 'node24.js']) cpSync(join(LAUNCHERS, name), join(folder, 'cli', name));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'package-lock.json'), '{}');
  const note = `fs.appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n'); fs.mkdirSync('node_modules', { recursive: true });`;
  writeFileSync(join(folder, 'npm.js'), `import fs from 'node:fs'; ${note} process.exitCode = ${npmStatus};`);
  return folder;
}

/** Runs `node ARGS` in `folder` as npm would run it there. */
function node(folder: string, ...args: readonly string[]): { readonly status: number | null; readonly stderr: string } {
  const env = { ...process.env, npm_execpath: join(folder, 'npm.js') };
  return spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' });
}

/** How npm was called so far, one line a call. */
function npmCalls(folder: string): readonly string[] {
  const path = join(folder, 'npm-calls');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}

test('a first start installs exactly the lock file without install scripts, a second start installs nothing', () => {
  const folder = freshCheckout(0);
  expect(node(folder, 'cli/install.js').status).toBe(0);
  expect(npmCalls(folder)).toEqual(['ci --ignore-scripts --include=dev --include=optional']);
  expect(node(folder, 'cli/install.js').status).toBe(0);
  expect(npmCalls(folder)).toHaveLength(1);
});

test('a changed lock file is installed at the next start', () => {
  const folder = freshCheckout(0);
  node(folder, 'cli/install.js');
  writeFileSync(join(folder, 'package-lock.json'), '{ "lockfileVersion": 3 }');
  expect(node(folder, 'cli/install.js').status).toBe(0);
  expect(npmCalls(folder)).toHaveLength(2);
});

test('an installation that fails is told with its code, ends with 69 and is tried again at the next start', () => {
  const folder = freshCheckout(1);
  const first = node(folder, 'cli/install.js');
  expect(first).toMatchObject({ status: 69, stderr: expect.stringContaining('INSTALL_FAILED') as string });
  expect(node(folder, 'cli/node24.js', 'absent.js')).toMatchObject({ status: 69 });
  expect(npmCalls(folder)).toHaveLength(2);
});

test('the exit code and the arguments of the script are handed on as they are', () => {
  const folder = freshCheckout(0);
  writeFileSync(join(folder, 'script.js'), 'process.exitCode = Number(process.argv[3]);');
  expect(node(folder, 'cli/node24.js', 'script.js', 'a b', '42').status).toBe(42);
  expect(node(folder, 'cli/node24.js')).toMatchObject({
    status: 64,
    stderr: expect.stringContaining('usage') as string,
  });
});

test('a signal reaches the script, which may end in its own way', async () => {
  const folder = freshCheckout(0);
  writeFileSync(
    join(folder, 'script.js'),
    "process.on('SIGTERM', () => process.exit(7)); setInterval(() => undefined, 1000); process.stdout.write('ready');",
  );
  node(folder, 'cli/install.js');
  const child = spawn(process.execPath, ['cli/node24.js', 'script.js'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  const [status] = (await once(child, 'exit')) as [number | null];
  expect(status).toBe(7);
});
