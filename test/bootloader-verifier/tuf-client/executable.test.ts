/** The executable as it is committed: equal to its source, and run as people run it, against a server that tells its requests. */
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { bundleTufClient, TUF_CLIENT } from '../../../bootloader-verifier/agent/tuf-client/bundle.ts';
import { makeScene, runClient } from './executable-scene.ts';
import { LoadedClient } from './loaded-client.ts';
import { SimulatedRepository } from './simulated-repository.ts';

test('the committed executable is what its source gives, byte for byte', async () => {
  expect(readFileSync(TUF_CLIENT, 'utf8')).toBe(await bundleTufClient());
});

test('ML-DSA, which few repositories need, is not evaluated before a key of it is met', () => {
  const text = readFileSync(TUF_CLIENT, 'utf8');
  expect(text).toContain('var init_signature_check_ml_dsa = __esm({');
  expect(text.match(/init_signature_check_ml_dsa\(\)/g)).toHaveLength(1);
  expect(text).toContain('checkSignatureMlDsa2 = (...given) => (init_signature_check_ml_dsa(),');
});

test('init keeps the root and asks for nothing; refresh keeps the four roles and nothing else', async () => {
  const scene = await makeScene();
  expect([scene.kept(), scene.asked]).toEqual([['root.json'], []]);
  expect(await scene.refresh()).toEqual({ exit: 0, note: '' });
  expect(scene.kept()).toEqual(['root.json', 'snapshot.json', 'targets.json', 'timestamp.json']);
});

test('targets are taken in their order to the first that fails, and what is there is not fetched again', async () => {
  const scene = await makeScene((r) => {
    r.expires.set('../a', Date.UTC(2090, 0, 1));
    r.delegate('targets', '../a', { paths: ['*/*', '*'] });
    r.add('../a', 'sub/one', 'first');
    r.add('targets', 'two', 'second');
  });
  expect(await scene.download('sub/one', 'missing', 'two')).toMatchObject({
    exit: 1,
    note: expect.stringContaining('TARGET_UNKNOWN') as string,
  });
  expect(scene.loaded()).toEqual(['sub%2Fone']);
  expect(scene.kept()).toContain('..%2Fa.json');
  expect((await scene.download('sub/one', 'two')).exit).toBe(0);
  expect(scene.loaded()).toEqual(['sub%2Fone', 'two']);
  expect(readFileSync(join(scene.folder, 'targets', 'two'), 'utf8')).toBe('second');
  expect(scene.asked.filter((path) => path.includes('.one'))).toHaveLength(1);
});

test('a target that was altered on disk is fetched again, and one altered on the server never gets its name', async () => {
  const scene = await makeScene((r) => r.add('targets', 'file', 'right'));
  expect((await scene.download('file')).exit).toBe(0);
  const path = join(scene.folder, 'targets', 'file');
  writeFileSync(path, 'wrong');
  expect((await scene.download('file')).exit).toBe(0);
  expect(readFileSync(path, 'utf8')).toBe('right');
  rmSync(path);
  const served = [...scene.repository.files.keys()].find((name) => name.endsWith('.file')) ?? '';
  for (const [content, code] of [
    ['wrong', 'IMAGE_HASH_MISMATCH'],
    ['right, and more', 'IMAGE_LENGTH_MISMATCH'],
    ['rig', 'IMAGE_LENGTH_MISMATCH'],
  ] as const) {
    scene.repository.files.set(served, Buffer.from(content));
    expect(await scene.download('file')).toMatchObject({ exit: 1, note: expect.stringContaining(code) as string });
    expect(scene.loaded()).toEqual([]);
  }
});

test('every fault ends with exit 1 and its code: usage, no root, a bad root, no server', async () => {
  const scene = await makeScene();
  const folder = join(scene.folder, 'empty');
  const at = ['--metadata-dir', folder];
  writeFileSync(join(scene.folder, 'bad.json'), '{}');
  for (const [args, code] of [
    [[], 'USAGE'],
    [['--no-such-option', 'refresh'], 'USAGE'],
    [[...at, 'refresh'], 'USAGE'],
    [[...at, '--metadata-url', 'http://127.0.0.1:1/', 'refresh', 'more'], 'USAGE'],
    [[...at, '--metadata-url', 'http://127.0.0.1:1/', 'download'], 'USAGE'],
    [[...at, '--metadata-url', 'http://127.0.0.1:1/', 'refresh'], 'NOT_FOUND'],
    [[...at, 'init', join(scene.folder, 'absent.json')], 'FILE_UNREADABLE'],
    [[...at, 'init', join(scene.folder, 'bad.json')], 'SHAPE_MALFORMED'],
    [
      ['--metadata-dir', join(scene.folder, 'metadata'), '--metadata-url', 'http://127.0.0.1:1/', 'refresh'],
      'NETWORK_UNREACHABLE',
    ],
    [['--metadata-dir', join(scene.folder, 'metadata'), '--metadata-url', 'ftp://127.0.0.1/', 'refresh'], 'USAGE'],
  ] as const) {
    const { exit, note } = await scene.run(...args);
    expect([exit, note.split(': ')[1]], args.join(' ')).toEqual([1, code]);
  }
  expect(readdirSync(folder)).toEqual([]);
});

test('copied to a place of its own, it runs there', async () => {
  const scene = await makeScene();
  const copy = join(scene.folder, 'tuf-client');
  copyFileSync(TUF_CLIENT, copy);
  const args = ['--metadata-dir', join(scene.folder, 'other'), 'init', join(scene.folder, 'root.json')];
  expect((await runClient(copy, args)).exit).toBe(0);
});

test('what a process that is gone left half written is removed, and what a living one writes is not', async () => {
  const scene = await makeScene();
  writeFileSync(join(scene.folder, 'metadata', '.@999999999.tmp'), 'half');
  writeFileSync(join(scene.folder, 'metadata', `.@${process.pid}.tmp`), 'half');
  expect((await scene.refresh()).exit).toBe(0);
  expect(scene.kept().filter((name) => name.startsWith('.'))).toEqual([`.@${process.pid}.tmp`]);
});

test('it ends where any of its files comes without end, and keeps what it had', async () => {
  const repository = new SimulatedRepository();
  await repository.publishAll();
  const client = await LoadedClient.of(repository);
  await client.init();
  for (const [name, kept] of [
    ['2.root.json', 'root 1'],
    ['timestamp.json', 'root 1'],
    ['1.snapshot.json', 'root 1, timestamp 1'],
    ['1.targets.json', 'root 1, snapshot 1, timestamp 1'],
  ] as const) {
    client.server.answer((request, response) => {
      const path = request.url?.replace('/r/gateway/', '') ?? '';
      if (path === `metadata/${name}`) Readable.from(spaces()).pipe(response);
      else response.writeHead(repository.files.has(path) ? 200 : 404).end(repository.files.get(path));
    });
    expect(await client.refresh(), name).toBe('METADATA_TOO_LARGE');
    expect(client.versions(), name).toBe(kept);
  }
});

function* spaces(): Generator<Uint8Array> {
  for (;;) yield new Uint8Array(65_536).fill(0x20);
}
