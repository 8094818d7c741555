/** A machine that does odd things to the client: outputs that end, pipes and links where files belong, addresses that take no name. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TUF_CLIENT } from '../../../bootloader-verifier/agent/tuf-client/bundle.ts';
import { openMetadataFolder } from '../../../bootloader-verifier/agent/tuf-client/metadata-folder.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { makeScene, type Scene } from './executable-scene.ts';

const PID = 77;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A scene with one target, `file`. */
const withTarget = (): Promise<Scene> => makeScene((r) => r.add('targets', 'file', 'right'));

describe('an output that takes nothing', () => {
  test.each([
    ['a reader that has gone', 'pipe', 'EPIPE'],
    ['a disk that is full', '/dev/full', 'ENOSPC'],
  ])('%s ends the run with its code in one line, and what was downloaded stays', async (_, output, code) => {
    const { metadata, targets, loaded } = await withTarget();
    const stdout = output === 'pipe' ? 'pipe' : openSync(output, 'w');
    const args = [TUF_CLIENT, ...metadata, ...targets, '--target-name', 'file', 'download'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', stdout, 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    child.stdout?.destroy();
    let note = '';
    child.stderr?.on('data', (chunk: Buffer) => (note += chunk.toString()));
    const [exit] = (await once(child, 'close')) as [number];
    expect([exit, note]).toEqual([1, `tuf-client: FILE_UNWRITABLE: standard output (${code})\n`]);
    expect(loaded()).toEqual(['file']);
  });
});

test.each(['?version=1', '?', '#x'])('a base address with %s takes no name: nothing is asked for', async (end) => {
  const { metadata, targets, asked, run } = await withTarget();
  const ended = (args: readonly string[]): readonly string[] =>
    args.map((arg) => (arg.startsWith('http') ? arg + end : arg));
  for (const args of [
    [...ended(metadata), 'refresh'],
    [...metadata, ...ended(targets), '--target-name', 'file', 'download'],
  ]) {
    const { exit, note } = await run(...args);
    expect([exit, note.split(': ')[1]]).toEqual([1, 'USAGE']);
  }
  expect(asked).toEqual([]);
});

test('credentials in an address are sent to its server and shown nowhere', async () => {
  const seen: (string | undefined)[] = [];
  const answers: ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(500).end(),
    (response) => response.writeHead(404).end(),
    (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(),
    (response) => response.writeHead(302, { location: 'ftp://127.0.0.1/' }).end(),
    (response) => response.writeHead(200).end(new Uint8Array(600_000)),
    (response) => void response.writeHead(200, { 'content-length': 9 }).write('x', () => response.destroy()),
    (response) => void response.destroy(),
  ];
  const { folder, run } = await makeScene();
  for (const answer of answers) {
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      answer(response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    for (const end of ['', '?']) {
      const url = `http://user:pass%20word@127.0.0.1:${port}/metadata${end}`;
      const { exit, note } = await run('--metadata-dir', join(folder, 'metadata'), '--metadata-url', url, 'refresh');
      expect(exit).toBe(1);
      expect(note).toMatch(/^tuf-client: [A-Z_]+: ./);
      expect(note).not.toMatch(/user:|pass|word@/);
    }
  }
  expect(new Set(seen)).toEqual(new Set([`Basic ${Buffer.from('user:pass word').toString('base64')}`]));
});

test('several at once on the same folders all end well, and leave what one would', async () => {
  const scene = await withTarget();
  const ended = await Promise.all(Array.from({ length: 4 }, () => scene.download('file')));
  expect(ended).toEqual(Array.from({ length: 4 }, () => ({ exit: 0, note: '' })));
  expect(scene.kept()).toEqual(['root.json', 'snapshot.json', 'targets.json', 'timestamp.json']);
  expect(scene.loaded()).toEqual(['file']);
});

describe('what stands in the place of a target', () => {
  const outside = (scene: Scene): string => join(scene.folder, 'outside');
  const KINDS: readonly (readonly [string, (path: string, scene: Scene) => void])[] = [
    ['a pipe', (path) => void execFileSync('mkfifo', [path])],
    ['a link to a device without end', (path) => symlinkSync('/dev/zero', path)],
    ['a link to the very file', (path, scene) => symlinkSync(outside(scene), path)],
    ['a link to nothing', (path) => symlinkSync('nothing', path)],
    ['a link to itself', (path) => symlinkSync('file', path)],
  ];
  test.each(KINDS)('%s is replaced by the file, and never waited for or written through', async (_, make) => {
    const scene = await withTarget();
    writeFileSync(outside(scene), 'right');
    mkdirSync(join(scene.folder, 'targets'));
    const path = join(scene.folder, 'targets', 'file');
    make(path, scene);
    expect(await scene.download('file')).toEqual({ exit: 0, note: '' });
    expect(lstatSync(path).isFile()).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('right');
    expect(scene.loaded()).toEqual(['file']);
  });

  test('a folder stays, and the run ends with its name and leaves nothing beside it', async () => {
    const scene = await withTarget();
    mkdirSync(join(scene.folder, 'targets', 'file', 'full'), { recursive: true });
    const { exit, note } = await scene.download('file');
    expect([exit, note.split(': ')[1]]).toEqual([1, 'FILE_UNWRITABLE']);
    expect(scene.loaded()).toEqual(['file']);
  });
});

describe('what stands in the place of metadata', () => {
  test.each([
    ['a pipe', (path: string) => void execFileSync('mkfifo', [path])],
    ['a device without end', (path: string) => symlinkSync('/dev/zero', path)],
    ['a folder', (path: string) => void mkdirSync(path)],
  ])('%s ends the run by its name', async (_, make) => {
    const scene = await makeScene();
    for (const role of ['root', 'timestamp', 'targets']) {
      expect((await scene.refresh()).exit).toBe(0);
      const path = join(scene.folder, 'metadata', `${role}.json`);
      const good = readFileSync(path);
      rmSync(path);
      make(path);
      const { exit, note } = await scene.refresh();
      expect([exit, note.split(': ')[1]], role).toEqual([1, 'FILE_UNREADABLE']);
      expect(note).toContain(`${role}.json`);
      rmSync(path, { recursive: true });
      writeFileSync(path, good);
    }
  });

  test('a root to begin with is read up to its limit: one without end is refused', async () => {
    const { folder, run } = await makeScene();
    const { exit, note } = await run('--metadata-dir', join(folder, 'other'), 'init', '/dev/zero');
    expect([exit, note.split(': ')[1]]).toEqual([1, 'JSON_TOO_LARGE']);
    expect(readdirSync(join(folder, 'other'))).toEqual([]);
  });
});

describe('a folder that others write to', () => {
  test('a link under the name of what is not whole yet is not written through', async () => {
    const folder = temporaryFolder('tuf-client');
    const store = await openMetadataFolder(folder, PID);
    writeFileSync(join(folder, 'victim'), 'of somebody');
    symlinkSync('victim', join(folder, `.@${PID}.tmp`));
    await expect(store.write('root', bytes('{}'))).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
    expect(readFileSync(join(folder, 'victim'), 'utf8')).toBe('of somebody');
    const again = await openMetadataFolder(folder, PID);
    await again.write('root', bytes('{}'));
    expect(readdirSync(folder).sort()).toEqual(['root.json', 'victim']);
    expect(readFileSync(join(folder, 'victim'), 'utf8')).toBe('of somebody');
  });

  test('a file that cannot take its place leaves nothing beside it', async () => {
    const folder = temporaryFolder('tuf-client');
    const store = await openMetadataFolder(folder, PID);
    mkdirSync(join(folder, 'root.json', 'full'), { recursive: true });
    await expect(store.write('root', bytes('{}'))).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
    expect(readdirSync(folder)).toEqual(['root.json']);
  });
});
