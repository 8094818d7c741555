/** The desk over a folder: the contract through a real control plane, and what breaks off. */
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createControlPlane } from '../../ota-server/control-plane.ts';
import { issuerKeysHttp } from '../../ota-server/issuer-keys-http.ts';
import { serveListener, type RunningServer } from '../../ota-server/listen.ts';
import { proposalStoreFolder } from '../../ota-server/proposal-store-folder.ts';
import { createRateLimit } from '../../ota-server/rate-limit.ts';
import { CONTROL_LIMITS } from '../../ota-server/serve-control.ts';
import type { ServerEvent } from '../../ota-server/server-event.ts';
import { uploadDeskFolder } from '../../ota-server/upload-desk-folder.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { orderFor, testUploadDesk, type DeskUnderTest } from './upload-desk-contract.ts';

const KEY = new Uint8Array(32).fill(7);
const servers: RunningServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function startDesk(): Promise<DeskUnderTest & { readonly folder: string; readonly events: ServerEvent[] }> {
  const folder = temporaryFolder('desk');
  const uploads = uploadDeskFolder(folder, KEY);
  const events: ServerEvent[] = [];
  const log = (event: ServerEvent): void => void events.push(event);
  const plane = createControlPlane({
    desk: {
      ...{ proposals: proposalStoreFolder(folder), uploads, rate: createRateLimit({ burst: 1, refillMs: 1 }) },
      ...{ uploadMs: 1, randomHex: () => '' },
    },
    rules: [],
    tokens: { audience: '', issuers: new Set(), keys: issuerKeysHttp() },
    receive: uploads.receive,
    log,
    now: Date.now,
  });
  const limits = { ...CONTROL_LIMITS, closingMs: 100 };
  const server = await serveListener(plane, limits, { host: '127.0.0.1', port: 0, log, takesBodies: true });
  servers.push(server);
  return { desk: uploads, base: `http://127.0.0.1:${server.port}`, folder, events };
}

testUploadDesk(startDesk);

test('an upload that breaks off leaves nothing, and the same address takes it whole afterwards', async () => {
  const { desk, base, folder, events } = await startDesk();
  const name = `incoming/gateway/${'0'.repeat(32)}/gateway/image.bin`;
  const bytes = new Uint8Array(10_000);
  const { url } = desk.invite(orderFor(bytes, name, Date.now() + 60_000), Date.now());
  const socket = connect({ port: Number(new URL(base).port), host: '127.0.0.1' });
  socket.write(`PUT ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\nbut only this`);
  await expect.poll(() => readdirSync(folder, { recursive: true }).join()).toMatch(/\.firmament-/);
  socket.destroy();
  const parent = join(folder, name, '..');
  await expect.poll(() => readdirSync(parent)).toEqual([]);
  expect((await fetch(new URL(url, base), { method: 'PUT', body: bytes })).status).toBe(201);
  expect(readdirSync(parent)).toEqual(['image.bin']);
  expect(events.filter(({ event }) => event === 'bug')).toEqual([]);
});

test('a body without a length is refused before it is read', async () => {
  const { desk, base, folder } = await startDesk();
  const name = `incoming/gateway/${'0'.repeat(32)}/gateway/image.bin`;
  const { url } = desk.invite(orderFor(Uint8Array.of(1), name, Date.now() + 60_000), Date.now());
  const body = new ReadableStream({ start: (to) => (to.enqueue(Uint8Array.of(1)), to.close()) });
  const init: RequestInit & { readonly duplex: 'half' } = { method: 'PUT', body, duplex: 'half' };
  expect((await fetch(new URL(url, base), init)).status).toBe(422);
  expect(readdirSync(folder)).toEqual([]);
});

test('another process has another key: its addresses are not ours', async () => {
  const { base } = await startDesk();
  const name = `incoming/gateway/${'0'.repeat(32)}/gateway/image.bin`;
  const other = uploadDeskFolder('unused', new Uint8Array(32).fill(8));
  const { url } = other.invite(orderFor(Uint8Array.of(1), name, Date.now() + 60_000), Date.now());
  const said = await fetch(new URL(url, base), { method: 'PUT', body: Uint8Array.of(1) });
  expect(await said.json()).toMatchObject({ code: 'UPLOAD_REFUSED' });
});
