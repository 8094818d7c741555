/**
 * Operators keep a repository whole with `firmament` alone: they check it, and keep a mirror that any web server serves.
 *
 * - The oracle for the mirror is tuf-js, over a server that knows nothing but files.
 */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Updater } from 'tuf-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refresh } from '../../bootloader-verifier/agent/refresh.ts';
import { repositoryClientHttp } from '../../bootloader-verifier/agent/repository-client-http.ts';
import { openFolderStore } from '../../ota-server/artifact-store-folder.ts';
import { serve } from '../../ota-server/listen.ts';
import { objectStoreFolder } from '../../signer/object-store-folder.ts';
import { signerMemoryFile } from '../../signer/signer-memory-file.ts';
import { accepted } from '../accepted.ts';
import { LOGGED } from '../logged-repository.ts';
import { publishAll } from '../signer/publishing.ts';
import { makeTinyRepository, type TinyRepository } from '../tiny-repository.ts';
import { firmament } from './run-firmament.ts';

let folder = '';
let repository: TinyRepository;
let web: Server;
const at = (...names: readonly string[]): string => join(folder, ...names);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firmament-care-'));
  repository = await makeTinyRepository({ now: Date.now(), log: LOGGED });
  accepted(
    await publishAll(repository, { store: objectStoreFolder(at('store')), memory: signerMemoryFile(at('state')) }),
  );
  await writeFile(at('1.root.json'), repository.factory.root);
  // A server of files: it decodes nothing and knows nothing of us.
  web = createServer((request, response) => {
    readFile(at('mirror', ...(request.url ?? '/').split('/'))).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  }).listen(0, '127.0.0.1');
  await once(web, 'listening');
});
afterAll(async () => {
  web.close();
  await rm(folder, { recursive: true });
});

test('fsck says that a store is whole, and names what is not, with exit 1', async () => {
  const args = ['fsck', '--store', at('store'), '--root-one', at('1.root.json'), '--state', at('state')];
  const whole = await firmament(...args);
  expect(whole.answer, whole.stderr).toMatchObject({ ok: true, damaged: 0, warnings: 0, roots: 1, logSize: 3 });
  const image = at('store', 'gateway', 'metadata', '1.stable.json');
  const bytes = await readFile(image);
  await rm(image);
  const damaged = await firmament(...args);
  await writeFile(image, bytes);
  expect(damaged.exit).toBe(1);
  expect(damaged.answer['code']).toBe('REPOSITORY_DAMAGED');
  expect(damaged.answer['detail']).toContain('damage NOT_FOUND gateway/metadata/1.stable.json');
});

test('a mirror is brought from a server, brought up to date, and serves our devices and tuf-js as plain files', async () => {
  const server = await serve({
    store: await openFolderStore(at('store')),
    host: '127.0.0.1',
    port: 0,
    log: () => undefined,
  });
  try {
    const url = `http://127.0.0.1:${server.port}/r/gateway/`;
    const args = ['mirror', at('mirror'), '--url', url, '--root-one', at('1.root.json')];
    const first = await firmament(...args);
    expect(first.answer, first.stderr).toMatchObject({ ok: true, timestampVersion: 1, logSize: 3 });
    const again = await firmament(...args);
    expect(again.answer, again.stderr).toMatchObject({ ok: true, brought: 2 });
  } finally {
    await server.close();
  }
  const base = `http://127.0.0.1:${(web.address() as AddressInfo).port}/gateway/`;
  const client = repositoryClientHttp(new URL(base), { silenceMsMax: 15_000, stop: new AbortController().signal });
  const rootsAtHand = [repository.factory.root];
  const seen = await refresh({ device: repository.device(), client, rootsAtHand, seen: undefined, now: Date.now() });
  expect(accepted(seen).channelRole.signed.version).toBe(1);
  await rm(at('tuf'), { recursive: true, force: true });
  const metadataDir = await mkdtemp(at('tuf-'));
  await writeFile(join(metadataDir, 'root.json'), repository.factory.root);
  const updater = new Updater({
    metadataDir,
    metadataBaseUrl: `${base}metadata`,
    targetBaseUrl: `${base}targets`,
    targetDir: metadataDir,
  });
  await updater.refresh();
  const target = await updater.getTargetInfo('1.0.0/gateway/image.js');
  const path = await updater.downloadTarget(target ?? expect.unreachable());
  expect(new Uint8Array(await readFile(path))).toEqual(repository.releases.get('1.0.0')?.image);
  const checked = await firmament('fsck', '--store', at('mirror'), '--root-one', at('1.root.json'));
  expect(checked.answer, checked.stderr).toMatchObject({ ok: true, damaged: 0, warnings: 0 });
});

test('gc shows what it would remove, removes it when it is told to, and leaves a whole repository', async () => {
  const leftover = at('store', 'gateway', 'metadata', '.firmament-of-a-cut');
  await writeFile(leftover, '');
  await utimes(leftover, 0, 0);
  const args = ['gc', '--store', at('store'), '--root-one', at('1.root.json'), '--state', at('state')];
  const shown = await firmament(...args);
  expect(shown.answer, shown.stderr).toMatchObject({ ok: true, removed: 0 });
  expect(shown.answer['garbage']).toEqual(['gateway/metadata/.firmament-of-a-cut']);
  const done = await firmament(...args, '--delete');
  expect(done.answer, done.stderr).toMatchObject({ ok: true, removed: 1 });
  const again = await firmament(...args, '--delete');
  expect(again.answer, again.stderr).toMatchObject({ ok: true, removed: 0 });
});

test('a mirror wants one source, and says so', async () => {
  const { exit, stderr } = await firmament('mirror', at('nowhere'), '--root-one', at('1.root.json'));
  expect(exit).toBe(64);
  expect(stderr).toContain('either --url or --store is expected');
});
