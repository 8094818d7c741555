/** `firmament mirror` killed while it waits for any kind of object: what it showed stays whole, and the next run goes on and clears up. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { objectStoreFolder } from '../../signer/object-store-folder.ts';
import { signerMemoryFile } from '../../signer/signer-memory-file.ts';
import { accepted } from '../accepted.ts';
import { filesBelow } from '../files-below.ts';
import { LOGGED } from '../logged-repository.ts';
import { deviceSees, publishAll } from '../signer/publishing.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { makeTinyRepository, type TinyRepository } from '../tiny-repository.ts';
import { CLI, firmament } from './run-firmament.ts';

/** More than a stream holds back before it reaches the disk. */
const IMAGE_BYTES = 2_000_000;
const LOOK_MS = 10;
const LOOKS_MAX = 2_000;

let folder: string;
let web: Server;
/** What the server goes on for ever about: it sends the first half and then nothing. */
let stalls: RegExp | undefined;
let stalled = 0;
const at = (...names: readonly string[]): string => join(folder, ...names);

beforeAll(async () => {
  folder = temporaryFolder('mirror', afterAll);
  web = createServer((request, response) => {
    const url = request.url ?? '';
    const path = at('store', ...url.split('/').slice(2));
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return void response.writeHead(404).end();
    const bytes = readFileSync(path);
    if (stalls?.test(url) !== true) return void response.end(bytes);
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, bytes.length / 2), () => stalled++);
  }).listen(0, '127.0.0.1');
  await once(web, 'listening');
});
afterAll(() => {
  web.close();
  web.closeAllConnections();
});

const args = (): readonly string[] => [
  ...['mirror', at('mirror'), '--root-one', at('1.root.json'), '--json'],
  ...['--url', `http://127.0.0.1:${(web.address() as AddressInfo).port}/r/gateway/`],
];

async function publish(repository: TinyRepository): Promise<void> {
  const to = { store: objectStoreFolder(at('store')), memory: signerMemoryFile(at('state')) };
  accepted(await publishAll(repository, to));
}

const mirrored = (): ReadonlyMap<string, Uint8Array> => filesBelow(at('mirror'));

function leftovers(): readonly string[] {
  return [...mirrored()]
    .filter(([name, { length }]) => name.includes('.firmament-') && length > 0)
    .map(([name]) => name);
}

/** Kills a run once the server has sent it half of something that `what` names, and `isDone`. */
async function killAt(what: RegExp, isDone: () => boolean): Promise<void> {
  stalls = what;
  stalled = 0;
  const child = spawn(process.execPath, [CLI, ...args()], { stdio: 'ignore' });
  const ended = once(child, 'close');
  try {
    for (let look = 0; stalled === 0 || !isDone(); look++) {
      if (look === LOOKS_MAX || child.exitCode !== null) throw new Error(`it never waited for ${String(what)}`);
      await wait(LOOK_MS);
    }
  } finally {
    child.kill('SIGKILL');
    await ended;
    stalls = undefined;
  }
}

/** In the order in which they are asked for: what has been brought is not asked for again. */
const KINDS = [
  ...[/timestamp\.json$/, /\.snapshot\.json$/, /\.stable\.json$/, /\/proof\//, /checkpoint$/, /\/tile\/0\//],
  ...[/\/tile\/entries\//, /\.image\.js$/, /\.provenance\.json$/],
];

test('killed at any kind of object, over and over, it shows what it showed; then it goes on, and leaves nothing behind', async () => {
  const image = (letter: string): Uint8Array => new Uint8Array(IMAGE_BYTES).fill(letter.charCodeAt(0));
  const repository = await makeTinyRepository({ now: Date.now(), log: LOGGED, first: { image: image('a') } });
  await publish(repository);
  writeFileSync(at('1.root.json'), repository.factory.root);
  expect((await firmament(...args())).answer).toMatchObject({ ok: true, timestampVersion: 1 });
  const before = await deviceSees(mirrored(), repository);
  await repository.publishRelease({ now: Date.now(), image: image('b') });
  await publish(repository);
  for (const what of KINDS) {
    // What is streamed lies there while it comes; all else is judged before it is written.
    const isStreamed = /image|provenance/.test(what.source);
    await killAt(what, () => !what.source.includes('image') || leftovers().length > 0);
    expect(await deviceSees(mirrored(), repository), String(what)).toEqual(before);
    expect(leftovers().length, String(what)).toBeLessThanOrEqual(isStreamed ? 1 : 0);
  }
  // What it was killed at last, and the two that are asked for each time.
  const done = await firmament(...args());
  expect(done.answer, done.stderr).toMatchObject({ ok: true, timestampVersion: 2, brought: 3 });
  expect(await deviceSees(mirrored(), repository)).toMatchObject({ channel: 2, boots: true });
  expect([...mirrored().keys()].filter((name) => name.includes('.firmament-'))).toEqual([]);
  const checked = await firmament('fsck', '--store', at('mirror'), '--root-one', at('1.root.json'));
  expect(checked.answer, checked.stderr).toMatchObject({ ok: true, damaged: 0, warnings: 0 });
}, 120_000);
