/** `--database`: what is an address, that no credential stands in it, and that an embedded database has one owner. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { databaseValue } from '../../cli/database-option.ts';
import { DEVICE_STATE_TYPE, encodeDeviceState } from '../../formats/device-state.ts';
import { sampleState } from '../ota-server/sample-state.ts';
import { CLI, firmament } from './run-firmament.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firmament-database-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('an address is a folder, a host or a socket', () => {
  expect(databaseValue('pglite:state/inventory')).toEqual({ folder: 'state/inventory' });
  const plain = { port: 5432, database: 'firmament', tls: false };
  expect(databaseValue('postgres://db.example/firmament')).toEqual({ postgres: { ...plain, host: 'db.example' } });
  expect(databaseValue('postgres:///firmament?socket=/run/db')).toEqual({ postgres: { ...plain, host: '/run/db' } });
  expect(databaseValue('postgresql://[::1]:6543/firmament?tls=yes')).toEqual({
    postgres: { host: '::1', port: 6543, database: 'firmament', tls: true },
  });
});

test.each([
  'state',
  'pglite:',
  'postgres://user@db.example/firmament',
  'postgres://user:secret@db.example/firmament',
  'postgres://db.example',
  'postgres://db.example/firm/ament',
  'postgres://db.example/firmament?password=secret',
  'postgres://db.example/firmament?socket=/run/db',
  'postgres:///firmament',
  'postgres://db.example/firmament?tls=no',
  'mysql://db.example/firmament',
])('%s is none: it is misuse', (value) => {
  expect(() => databaseValue(value)).toThrow(expect.objectContaining({ code: 'commander.invalidArgument' }));
});

test('PostgreSQL wants a file of credentials that nobody else can read, and shows nothing of it', async () => {
  const at = ['--database', 'postgres://127.0.0.1:9/firmament', '--json'];
  expect(await firmament('devices', ...at)).toMatchObject({ exit: 1, answer: { code: 'CREDENTIALS_REFUSED' } });
  const file = join(folder, 'credentials.json');
  await writeFile(file, '{"user":"firmament","password":"a-secret"}', { mode: 0o644 });
  const open = await firmament('devices', ...at, '--database-credentials', file);
  expect(open).toMatchObject({ exit: 1, answer: { code: 'CREDENTIALS_REFUSED' } });
  await rm(file);
  await writeFile(file, '{"user":"firmament","password":"a-secret"}', { mode: 0o600 });
  const gone = await firmament('devices', ...at, '--database-credentials', file);
  expect(gone).toMatchObject({ exit: 69, answer: { code: 'DATABASE_UNAVAILABLE' } });
  expect(open.stdout + open.stderr + gone.stdout + gone.stderr).not.toContain('a-secret');
});

test('a server keeps what devices say of themselves in its folder, which it owns alone until it ends', async () => {
  const database = `pglite:${join(folder, 'inventory')}`;
  const args = ['serve', '--store', folder, '--port', '0', '--database', database, '--json'];
  const child = spawn(process.execPath, [CLI, ...args]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { port } = JSON.parse(line) as { readonly port: number };
  const headers = { 'content-type': DEVICE_STATE_TYPE };
  const body = encodeDeviceState(sampleState(1)).slice();
  const answer = await fetch(`http://127.0.0.1:${port}/checkin`, { method: 'POST', body, headers });
  expect(answer.status).toBe(202);
  expect(await firmament('devices', '--database', database, '--json')).toMatchObject({
    exit: 69,
    answer: { code: 'LOCK_HELD' },
  });
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([0, null]);
  const listed = await firmament('devices', '--database', database, '--json');
  expect(listed.answer).toMatchObject({ ok: true, devices: [{ name: 'gateway 1', release: '2.0.0', slot: 'b' }] });
});
