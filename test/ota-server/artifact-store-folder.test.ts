/** The folder as a store: the contract, and what only a folder can do wrong. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openFolderStore } from '../../ota-server/artifact-store-folder.ts';
import { bytesOf, named, testArtifactStore } from './artifact-store-contract.ts';
import { put } from './published-folder.ts';

const base = mkdtempSync(join(tmpdir(), 'firmament-store-'));
let folders = 0;
afterAll(() => rmSync(base, { recursive: true }));

function newFolder(): string {
  const folder = join(base, String(folders++));
  mkdirSync(folder);
  return folder;
}

const FAULT = { name: 'OperationError', code: 'FILE_UNREADABLE', retriable: false };
const TIMESTAMP = named('gw/metadata/timestamp.json');

describe('the contract of stores', () => {
  testArtifactStore(async () => {
    const folder = newFolder();
    return {
      store: await openFolderStore(folder),
      put: async (name, bytes) => put(folder, name, bytes),
      remove: async (name) => rmSync(join(folder, name)),
    };
  });
});

test('a link to a file is a fault, never followed and never taken for an absence', async () => {
  const folder = newFolder();
  put(folder, TIMESTAMP, 'true');
  writeFileSync(join(base, 'outside.json'), 'outside');
  const store = await openFolderStore(folder);
  for (const to of [join(base, 'outside.json'), 'timestamp.json', '/etc/passwd', 'nowhere']) {
    const name = named('gw/metadata/1.root.json');
    symlinkSync(to, join(folder, name));
    expect(await store.tag(name)).toBeDefined();
    await expect(store.open(name), to).rejects.toMatchObject(FAULT);
    rmSync(join(folder, name));
  }
});

test('a link to a folder is a fault, wherever on the way it stands', async () => {
  const outside = newFolder();
  put(outside, TIMESTAMP, 'outside');
  for (const link of ['gw', 'gw/metadata']) {
    const folder = newFolder();
    const store = await openFolderStore(folder);
    mkdirSync(dirname(join(folder, link)), { recursive: true });
    symlinkSync(join(outside, link), join(folder, link));
    await expect(store.open(TIMESTAMP), link).rejects.toMatchObject(FAULT);
  }
});

test('the folder itself may be reached through a link', async () => {
  const folder = newFolder();
  put(folder, TIMESTAMP, 'true');
  symlinkSync(folder, join(base, 'link'));
  const artifact = await (await openFolderStore(join(base, 'link'))).open(TIMESTAMP);
  expect(artifact?.sizeBytes).toBe(4);
  await artifact?.close();
});

test('a pipe or a socket in the place of an object is a fault, and nobody waits for its other end', async () => {
  const folder = newFolder();
  const store = await openFolderStore(folder);
  mkdirSync(join(folder, 'gw/metadata'), { recursive: true });
  execFileSync('mkfifo', [join(folder, 'gw/metadata/1.pipe.json')]);
  await expect(store.open(named('gw/metadata/1.pipe.json'))).rejects.toMatchObject(FAULT);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, 'gw/metadata/1.s.json'), resolve));
  await expect(store.open(named('gw/metadata/1.s.json'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  server.close();
});

test('a file that was cut while it was read is a fault, not a shorter object', async () => {
  const folder = newFolder();
  put(folder, TIMESTAMP, 'x'.repeat(100_000));
  const artifact = await (await openFolderStore(folder)).open(TIMESTAMP);
  truncateSync(join(folder, TIMESTAMP), 70_000);
  if (artifact === undefined) throw new Error('it was just published');
  await expect(bytesOf(artifact.read())).rejects.toMatchObject(FAULT);
  await artifact.close();
});

test('a folder that is swapped for a link, over and over, is read or refused, but the link is never followed', async () => {
  const folder = newFolder();
  const outside = newFolder();
  put(folder, TIMESTAMP, 'inside');
  put(outside, TIMESTAMP, 'OUTSIDE');
  const store = await openFolderStore(folder);
  const [metadata, aside] = [join(folder, 'gw/metadata'), join(folder, 'gw/aside')];
  const outcomes = new Map<string, number>();
  const openOnce = async (): Promise<void> => {
    const artifact = await store.open(TIMESTAMP).catch((fault: unknown) => String(fault));
    const read = typeof artifact === 'object' ? Buffer.from(await bytesOf(artifact.read())).toString() : artifact;
    if (typeof artifact === 'object') await artifact.close();
    outcomes.set(String(read), (outcomes.get(String(read)) ?? 0) + 1);
  };
  for (let i = 0; i < 200; i++) {
    // The swaps fall between any two of the calls that opening makes.
    const opening = openOnce();
    for (let k = 0; k < i % 7; k++) await setImmediate();
    renameSync(metadata, aside);
    symlinkSync(join(outside, 'gw/metadata'), metadata);
    for (let k = 0; k < i % 5; k++) await setImmediate();
    rmSync(metadata);
    renameSync(aside, metadata);
    await opening;
  }
  const harmless =
    /^(inside|undefined|OperationError: gw\/metadata\/timestamp.json (lies behind a link|is replaced faster))/;
  expect([...outcomes.keys()].filter((outcome) => !harmless.test(outcome))).toEqual([]);
});

test('a file that has just changed has a tag that never comes again, for a clock may not tell two changes apart', async () => {
  const folder = newFolder();
  const store = await openFolderStore(folder);
  const tagsDiffer = async (): Promise<boolean> => {
    put(folder, TIMESTAMP, 'x');
    return (await store.tag(TIMESTAMP)) !== (await store.tag(TIMESTAMP));
  };
  // On a busy machine the file may be old enough by the time it is looked at; sooner or later it is not.
  await expect.poll(tagsDiffer).toBe(true);
});

test('a repository that is no folder is told at the start', async () => {
  writeFileSync(join(base, 'file'), '');
  for (const path of [join(base, 'file'), join(base, 'nowhere')]) {
    await expect(openFolderStore(path), path).rejects.toMatchObject(FAULT);
  }
});
