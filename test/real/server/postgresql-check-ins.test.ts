/** Check-ins over a PostgreSQL that is killed: devices are served throughout, and what they said last stands there once it is back. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEVICE_STATE_TYPE, encodeDeviceState } from '../../../formats/device-state.ts';
import { CLI, firmament } from '../../cli/run-firmament.ts';
import { sampleState } from '../../ota-server/sample-state.ts';
import { startPostgres, type PostgresServer } from './postgres-server.ts';

const DEVICES = 200;
const KILLS = 5;
const WAIT_MS_MAX = 60_000;

type Served = { readonly port: number; readonly child: ChildProcess; readonly lines: string[] };
let server: PostgresServer;
let folder: string;
const running: ChildProcess[] = [];

beforeAll(async () => {
  server = await startPostgres();
  folder = mkdtempSync(join(tmpdir(), 'firmament-served-'));
  mkdirSync(join(folder, 'gateway', 'metadata'), { recursive: true });
  writeFileSync(join(folder, 'gateway', 'metadata', 'timestamp.json'), '{}');
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await server.stop();
  rmSync(folder, { recursive: true });
});

function databaseOptions(): readonly string[] {
  return ['--database', `postgres://127.0.0.1:${server.port}/firmament`, '--database-credentials', server.credentials];
}

/** Starts `firmament serve` over the database. */
async function startServe(): Promise<Served> {
  const child = spawn(process.execPath, [
    CLI,
    'serve',
    '--store',
    folder,
    '--port',
    '0',
    '--json',
    ...databaseOptions(),
  ]);
  running.push(child);
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { port: (JSON.parse(line) as { readonly port: number }).port, child, lines };
}

async function sayAll({ port }: Served, release: string): Promise<void> {
  for (let device = 0; device < DEVICES; device++) {
    const headers = { 'content-type': DEVICE_STATE_TYPE };
    const body = encodeDeviceState({ ...sampleState(device), release }).slice();
    expect((await fetch(`http://127.0.0.1:${port}/checkin`, { method: 'POST', body, headers })).status).toBe(202);
    expect((await fetch(`http://127.0.0.1:${port}/r/gateway/metadata/timestamp.json`)).status).toBe(200);
  }
}

/** How many devices the inventory shows at `release`. */
async function shown(release: string): Promise<number> {
  const { answer } = await firmament('devices', ...databaseOptions(), '--json');
  const devices = (answer['devices'] ?? []) as readonly { readonly release: string }[];
  return devices.filter((device) => device.release === release).length;
}

test('PostgreSQL is killed while devices check in: all are served and taken, the log says what waits, and nothing is lost', async () => {
  // Both start at once on a database without tables.
  const [one, two] = await Promise.all([startServe(), startServe()]);
  for (let round = 1; round <= KILLS; round++) {
    const release = `${round}.0.0`;
    const served = round % 2 === 0 ? two : one;
    const faults = (): number => served.lines.filter((line) => line.includes('inventory-fault')).length;
    const before = faults();
    await Promise.all([sayAll(served, release), server.kill()]);
    await expect.poll(faults, { timeout: WAIT_MS_MAX }).toBeGreaterThan(before);
    await server.start();
    await expect.poll(() => shown(release), { timeout: WAIT_MS_MAX, interval: 500 }).toBe(DEVICES);
  }
  for (const { child, lines } of [one, two]) {
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(lines.filter((line) => /inventory-dropped|"bug"|password/.test(line))).toEqual([]);
  }
}, 240_000);
