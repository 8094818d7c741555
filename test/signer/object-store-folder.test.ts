/** The store in a folder, and the files and locks beneath it: whole files or none, one writer at a time, over processes. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { makeFaultStore } from '../../simulation/fault-store.ts';
import { createFile, MODE_PUBLIC, MODE_SECRET, readFileBounded, replaceFile } from '../../signer/durable-file.ts';
import { whileLocked } from '../../signer/lock-file.ts';
import { objectStoreFolder } from '../../signer/object-store-folder.ts';
import { signerMemoryFile } from '../../signer/signer-memory-file.ts';
import { accepted } from '../accepted.ts';
import { testObjectStore } from './object-store-contract.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const isWindows = process.platform === 'win32';

let top = '';
beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'firmament-store-'));
});
afterAll(() => rm(top, { recursive: true }));

const newFolder = (): Promise<string> => mkdtemp(join(top, 'case-'));

describe('the store in a folder', () => {
  testObjectStore(async () => objectStoreFolder(join(await newFolder(), 'not', 'yet', 'there')));

  test('a link in the place of an object is no object: who serves the folder does not follow it', async () => {
    const folder = await newFolder();
    const store = objectStoreFolder(folder);
    await store.put('gateway/metadata/1.root.json', bytes('root'), 'create-only');
    await symlink(
      join(folder, 'gateway', 'metadata', '1.root.json'),
      join(folder, 'gateway', 'metadata', '2.root.json'),
    );
    await expect(store.get('gateway/metadata/2.root.json', 9)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining('is a link') as unknown,
    });
  });

  test('it leaves nothing but the objects and its lock', async () => {
    const folder = await newFolder();
    const store = objectStoreFolder(folder);
    await store.put('gateway/metadata/timestamp.json', bytes('one'), 'create-only');
    const etag = (await store.get('gateway/metadata/timestamp.json', 9))?.etag ?? '';
    await store.put('gateway/metadata/timestamp.json', bytes('two'), { replaces: etag });
    await store.put('gateway/metadata/timestamp.json', bytes('three'), 'create-only');
    expect((await readdir(folder, { recursive: true })).sort()).toEqual([
      '.lock',
      'gateway',
      join('gateway', 'metadata'),
      join('gateway', 'metadata', 'timestamp.json'),
    ]);
  });

  test.each([
    '../outside',
    '/etc/passwd',
    'a/../b',
    'a//b',
    'a/.hidden',
    '',
    'a\\b',
    'a/b\0',
    'long/'.repeat(205) + 'x',
  ])('the name %j never becomes a path', async (name) => {
    const store = objectStoreFolder(await newFolder());
    await expect(store.get(name, 9)).rejects.toThrow('a name of the layout');
    await expect(store.put(name, bytes('x'), 'create-only')).rejects.toThrow('a name of the layout');
  });
});

describe('the store of the simulator', () => {
  testObjectStore(() => Promise.resolve(makeFaultStore().store));
});

describe('durable files', () => {
  test('a secret is readable by its owner alone, from its first byte on', async () => {
    const path = join(await newFolder(), 'keys', 'secret');
    expect(await createFile(path, { bytes: bytes('x'), mode: MODE_SECRET })).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(isWindows ? 0o666 : 0o600);
  });

  test('a file that is there is never created again, and a link in its place is not followed', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'victim'), 'old');
    await symlink(join(folder, 'victim'), join(folder, 'link'));
    expect(await createFile(join(folder, 'link'), { bytes: bytes('new'), mode: MODE_PUBLIC })).toBe(false);
    await replaceFile(join(folder, 'link'), { bytes: bytes('new'), mode: MODE_PUBLIC });
    expect(await readFile(join(folder, 'victim'), 'utf8')).toBe('old');
    expect(await readFile(join(folder, 'link'), 'utf8')).toBe('new');
  });

  test('faults of the file system are operation errors with the path, and leave no temporary file', async () => {
    const folder = await newFolder();
    await mkdir(join(folder, 'is-a-folder', 'full'), { recursive: true });
    const content = { bytes: bytes('x'), mode: MODE_PUBLIC };
    await expect(replaceFile(join(folder, 'is-a-folder'), content)).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
    await writeFile(join(folder, 'file'), '');
    await expect(createFile(join(folder, 'file', 'below'), content)).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
    await expect(readFileBounded(join(folder, 'is-a-folder'), 9)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    expect(await readFileBounded(join(folder, 'file', 'below'), 9)).toBeUndefined();
    expect((await readdir(folder)).sort()).toEqual(['file', 'is-a-folder']);
  });

  test('a file is read up to its limit and not one byte beyond', async () => {
    const path = join(await newFolder(), 'file');
    await writeFile(path, 'four');
    expect(await readFileBounded(path, 4)).toEqual(bytes('four'));
    await expect(readFileBounded(path, 3)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });

  test('what stands in the place of a file is neither waited for nor read without end', async () => {
    if (isWindows) return;
    const folder = await newFolder();
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, '/dev/zero']) {
      await expect(readFileBounded(path, 9)).rejects.toMatchObject({ code: 'FILE_UNREADABLE', message: /plain/ });
    }
    await expect(readFileBounded('/dev/zero', 200_000, 'with-end')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    const writer = spawn('sh', ['-c', `printf from-a-pipe > '${pipe}'`]);
    await once(writer, 'spawn');
    expect(await readFileBounded(pipe, 11, 'with-end')).toEqual(bytes('from-a-pipe'));
    if (writer.exitCode === null) await once(writer, 'exit');
  });
});

describe('locks', () => {
  test('work under one lock never overlaps', async () => {
    const lock = join(await newFolder(), 'lock');
    let inside = 0;
    const work = async (): Promise<number> => {
      const met = ++inside;
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
      return met;
    };
    expect(await Promise.all(Array.from({ length: 6 }, () => whileLocked(lock, work)))).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test('work that fails frees the lock', async () => {
    const lock = join(await newFolder(), 'lock');
    await expect(whileLocked(lock, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await whileLocked(lock, () => Promise.resolve('free'))).toBe('free');
  });

  test('another process waits for it, and a process that is killed leaves it free', async () => {
    const lock = join(await newFolder(), 'lock');
    const script = `import { whileLocked } from ${JSON.stringify(new URL('../../signer/lock-file.ts', import.meta.url).href)};
      await whileLocked(${JSON.stringify(lock)}, () => { console.log('held'); return new Promise(() => setInterval(() => {}, 1000)); });`;
    const child = spawn(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '-e',
      script,
    ]);
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    let isFree = false;
    const waiting = whileLocked(lock, () => Promise.resolve((isFree = true)));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isFree).toBe(false);
    child.kill('SIGKILL');
    expect(await waiting).toBe(true);
  });
});

describe("the signer's memory in a file", () => {
  const state = {
    product: 'gateway',
    rootOneSha256: 'ab'.repeat(32),
    timestampVersion: 1,
    snapshotVersion: 1,
    snapshotSha256: 'cd'.repeat(32),
  };

  test('what is written is read, by its owner alone', async () => {
    const path = join(await newFolder(), 'signer', 'state.json');
    const memory = signerMemoryFile(path);
    expect(await memory.read()).toBeUndefined();
    accepted(await memory.write(state, undefined));
    accepted(await memory.write({ ...state, timestampVersion: 2 }, state));
    expect(await memory.write({ ...state, timestampVersion: 3 }, state)).toMatchObject({ code: 'CONDITION_FAILED' });
    expect(await memory.read()).toEqual({ ...state, timestampVersion: 2 });
    expect((await stat(path)).mode & 0o777).toBe(isWindows ? 0o666 : 0o600);
  });

  test.each(['', '{}', '{"version":1}'])('a damaged state, %j, is a fault and never reads as nothing', async (text) => {
    const path = join(await newFolder(), 'state.json');
    await writeFile(path, text);
    await expect(signerMemoryFile(path).read()).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});
