/** The daemon as a process: what keeps it from serving ends it whole, with its code. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateKey } from '../../signer/key-file.ts';
import { asPublisher } from '../../signer/state-owner.ts';
import { firmament } from './run-firmament.ts';

let folder = '';
let taken: Server;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firmament-signer-'));
  await writeFile(at('passphrase'), 'correct horse', { mode: 0o600 });
  await writeFile(at('online.age'), (await generateKey('correct horse', 1)).file, { mode: 0o600 });
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await new Promise((resolve) => taken.close(resolve));
  await rm(folder, { recursive: true });
});

test.each([['--product', 'gateway'], []])(
  'where the place for metrics is taken the daemon ends, and nothing of it answers or holds its state (%s %s)',
  async (...product) => {
    const { port } = taken.address() as AddressInfo;
    const ended = await firmament(
      ...['signer', '--socket', at('signer.sock'), '--store', at('store'), '--state', at('state'), ...product],
      ...['--key', at('online.age'), '--passphrase-file', at('passphrase'), '--metrics', `127.0.0.1:${port}`],
    );
    expect(ended).toMatchObject({ exit: 69, answer: { ok: false, code: 'ADDRESS_UNAVAILABLE' } });
    expect(await asPublisher(at('state/state.json'), () => Promise.resolve('free'))).toBe('free');
  },
);

test('a signer of all products makes no memory beside that of one product, nor the other way round: a backup would hold both', async () => {
  const start = (...options: readonly string[]): ReturnType<typeof firmament> =>
    firmament(
      ...['signer', '--socket', at('odd.sock'), '--store', at('store'), ...options],
      ...['--key', at('online.age'), '--passphrase-file', at('passphrase'), '--metrics', '127.0.0.1:1'],
    );
  await mkdir(at('one'));
  await writeFile(at('one/state.json'), '{}');
  expect(await start('--state', at('one'))).toMatchObject({ exit: 64, answer: { ok: false, code: 'USAGE' } });
  expect(await readdir(at('one'))).toEqual(['state.json']);
  await mkdir(at('many'));
  await writeFile(at('many/state.db'), '');
  const other = await start('--state', at('many'), '--product', 'gateway');
  expect(other).toMatchObject({ exit: 64, answer: { ok: false, code: 'USAGE' } });
  expect(await readdir(at('many'))).toEqual(['state.db']);
});

test.each(['state.db', 'state.json'])(
  'publish makes no memory of one product of, or beside, that of a deployment (%s)',
  async (file) => {
    await mkdir(at('deployment'), { recursive: true });
    await writeFile(at('deployment/state.db'), '');
    const ended = await firmament(
      ...['publish', '--product', 'gateway', '--store', at('store'), '--state', at(`deployment/${file}`)],
      ...['--key', at('online.age'), '--passphrase-file', at('passphrase')],
    );
    expect(ended).toMatchObject({ exit: 64, answer: { ok: false, code: 'USAGE' } });
    expect(await readdir(at('deployment'))).toEqual(['state.db']);
  },
);

test.each([
  ['signer', 'store/signer'],
  ['signer', 'store'],
  ['publish', 'store/state.json'],
])(
  'the memory of a signer never lies in the store that is held against it, and served to everybody (%s %s)',
  async (verb, state) => {
    const where = verb === 'signer' ? ['--socket', at('inside.sock'), '--metrics', '127.0.0.1:1'] : [];
    const ended = await firmament(
      ...[verb, '--product', 'gateway', '--store', at('store'), '--state', at(state), ...where],
      ...['--key', at('online.age'), '--passphrase-file', at('passphrase')],
    );
    expect(ended).toMatchObject({ exit: 64, answer: { ok: false, code: 'USAGE' } });
    expect(existsSync(at('store'))).toBe(false);
  },
);
