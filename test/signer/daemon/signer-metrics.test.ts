/** The signer shows of itself how long roles live and what it was asked, and tells of what ends soon, once a day and in time. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OperationError } from '../../../formats/operation-error.ts';
import { accept, reject } from '../../../formats/verdict.ts';
import { endWarnings, nextLookMs, roleEnds } from '../../../signer/daemon/role-ends.ts';
import { serveMetrics } from '../../../signer/daemon/serve-metrics-http.ts';
import { signerMetrics } from '../../../signer/daemon/signer-metrics.ts';
import type { SignerVerb } from '../../../signer/daemon/verb-table.ts';
import { readCurrent } from '../../../signer/read-published.ts';
import { makeFaultStore } from '../../../simulation/fault-store.ts';
import { accepted } from '../../accepted.ts';
import { makeTinyRepository, TINY_NOW } from '../../tiny-repository.ts';
import { publishAll } from '../publishing.ts';

const DAY_MS = 86_400_000;
const verb = (run: SignerVerb['run']): SignerVerb => ({ bodyBytesMax: 0, run });

async function published(): Promise<ReturnType<typeof roleEnds>> {
  const repository = await makeTinyRepository();
  const { store, memory } = makeFaultStore();
  accepted(await publishAll(repository, { store, memory }));
  return roleEnds(accepted(await readCurrent({ store, memory, product: 'gateway' })));
}

test('every role in force has its end: what people sign, and what the signer signs', async () => {
  const ends = new Map((await published()).map(({ role, expires }) => [role, (expires - TINY_NOW) / DAY_MS]));
  expect(Object.fromEntries(ends)).toEqual({
    root: 365,
    targets: 365,
    stable: 90,
    beta: 90,
    snapshot: 7,
    timestamp: 1,
  });
});

test('people are told three weeks before their roles end, of each version once a day, and when it is over', async () => {
  const ends = await published();
  const told = new Map<string, number>();
  const at = (days: number): readonly string[] =>
    endWarnings('gateway', ends, { now: TINY_NOW + days * DAY_MS, told })
      .map(({ role, code, daysLeft }) => `${role} ${code} ${daysLeft}`)
      .sort();
  expect(at(0)).toEqual([]);
  expect(at(68).filter((line) => /^(stable|beta|root|targets)/.test(line))).toEqual([]);
  expect(at(69)).toEqual(expect.arrayContaining(['stable EXPIRY_NEAR 21', 'beta EXPIRY_NEAR 21']));
  expect(at(69.01)).toEqual(['beta EXPIRY_NEAR 20', 'stable EXPIRY_NEAR 20']);
  expect(at(69.5)).toEqual([]);
  expect(at(90)).toEqual(['beta METADATA_EXPIRED 0', 'stable METADATA_EXPIRED 0']);
  expect(at(95)).toEqual([]);
});

test('the online roles are told of only where they were not renewed in time', async () => {
  const ends = await published();
  const roles = (hours: number): readonly string[] =>
    endWarnings('gateway', ends, { now: TINY_NOW + hours * 3_600_000, told: new Map() }).map(({ role }) => role);
  expect(roles(12)).toEqual([]);
  expect(roles(18)).toEqual(['timestamp']);
});

test('a look that failed is done again soon, then ever later, never later than the next one is due', () => {
  const waits = [0, 1, 2, 3, 6, 7, 8, 1000].map((failed) => nextLookMs(failed, 60_000));
  expect(waits).toEqual([60_000, 1_000, 2_000, 4_000, 32_000, 60_000, 60_000, 60_000]);
});

test('requests are counted by verb and code, failures too; a caller makes no series of its own', async () => {
  const metrics = signerMetrics(() => 3);
  const verbs = metrics.measured(
    new Map([
      ['publish', verb(() => Promise.resolve(accept({})))],
      ['halt', verb(() => Promise.resolve(reject('HALT_MALFORMED', 'a secret of a caller')))],
      ['refresh', verb(() => Promise.reject(new OperationError('LOCK_HELD', 'x', { retriable: true })))],
      ['step', verb(() => Promise.reject(Object.assign(new Error('x'), { code: 'ENOENT' })))],
    ]),
  );
  for (const name of ['publish', 'halt', 'refresh', 'step']) {
    await verbs
      .get(name)
      ?.run(new Uint8Array(), 0)
      .catch(() => undefined);
  }
  metrics.lookFailed('NETWORK_UNREACHABLE');
  metrics.looked({ product: 'gateway', ends: [{ role: 'root', version: 2, expires: 5_500 }], now: 500 });
  const text = await metrics.text();
  for (const line of [
    'firmament_signer_requests_total{verb="publish",code="DONE"} 1',
    'firmament_signer_requests_total{verb="halt",code="HALT_MALFORMED"} 1',
    'firmament_signer_requests_total{verb="refresh",code="LOCK_HELD"} 1',
    'firmament_signer_requests_total{verb="step",code="BUG"} 1',
    'firmament_signer_publications_total 1',
    'firmament_signer_looks_failed_total{code="NETWORK_UNREACHABLE"} 1',
    'firmament_signer_role_expires_seconds{product="gateway",role="root"} 5',
    'firmament_signer_role_version{product="gateway",role="root"} 2',
    'firmament_signer_requests_waiting 3',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect(text).not.toContain('secret');
});

function get(options: object): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, refuse) => {
    request(options, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    })
      .on('error', refuse)
      .end();
  });
}

test('metrics are served at the loopback, or at a socket of the owner alone, and nothing else is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'firmament-metrics-'));
  const path = join(folder, 'metrics.sock');
  const text = (): Promise<string> => Promise.resolve('a 1\n');
  const atSocket = await serveMetrics({ path }, text);
  const atPort = await serveMetrics({ host: '127.0.0.1', port: 0 }, text);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await get({ socketPath: path, path: '/metrics' })).toEqual({ status: 200, text: 'a 1\n' });
  expect(await get({ port: atPort.port, host: '127.0.0.1', path: '/metrics' })).toEqual({ status: 200, text: 'a 1\n' });
  expect((await get({ socketPath: path, path: '/' })).status).toBe(404);
  expect((await get({ socketPath: path, path: '/metrics', method: 'POST' })).status).toBe(404);
  await atSocket.close();
  await atPort.close();
  await rm(folder, { recursive: true });
});

test('a socket that was left behind is replaced; a file of that name is in the way, and stays', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'firmament-metrics-'));
  const file = join(folder, 'file');
  await writeFile(file, 'of somebody');
  const text = (): Promise<string> => Promise.resolve('');
  await expect(serveMetrics({ path: file }, text)).rejects.toMatchObject({ code: 'ADDRESS_UNAVAILABLE' });
  expect(await readFile(file, 'utf8')).toBe('of somebody');
  const path = join(folder, 'metrics.sock');
  const first = await serveMetrics({ path }, text);
  const second = await serveMetrics({ path }, text);
  expect((await get({ socketPath: path, path: '/metrics' })).status).toBe(200);
  await second.close();
  await first.close();
  await rm(folder, { recursive: true });
});
