/** Slow, greedy and leaving clients, and the orderly end of the server. Limits are made short; nothing is timed. */
import { expect, test } from 'vitest';
import { openFolderStore } from '../../ota-server/artifact-store-folder.ts';
import type { ArtifactStore } from '../../ota-server/artifact-store.ts';
import { DOWNLOADS_AHEAD_MAX } from '../../ota-server/download.ts';
import { serve, SERVER_LIMITS } from '../../ota-server/listen.ts';
import { dial, everythingFrom, sendRaw, startServer } from './running-server.ts';

const TIMESTAMP = '/r/gw/metadata/timestamp.json';
const TARGET = `gw/targets/1.0.0/app/${'a'.repeat(64)}.bin`;
const GET_TARGET = `GET /r/${TARGET} HTTP/1.1\r\nHost: x\r\n\r\n`;
const LARGE = 64 * 1024 * 1024;

/** A store that holds one endless-looking target and counts who has it open. */
function countingStore(
  sizeBytes: number,
): ArtifactStore & { readonly counts: { open: number; most: number; opened: number } } {
  const counts = { open: 0, most: 0, opened: 0 };
  return {
    counts,
    tag: async () => undefined,
    open: async () => {
      counts.opened++;
      counts.most = Math.max(counts.most, ++counts.open);
      return {
        sizeBytes,
        tag: 'tag',
        read: async function* () {
          for (let at = 0; at < sizeBytes; at += 65_536) yield new Uint8Array(Math.min(65_536, sizeBytes - at));
        },
        close: async () => void counts.open--,
      };
    },
  };
}

test('a head that comes too slowly is refused, and so is a body that never comes', async () => {
  const { port } = await startServer({ limits: { headMs: 200, requestMs: 400 } });
  for (const beginning of ['G', `GET ${TIMESTAMP} HTTP/1.1\r\nHost: x\r\nX: y\r\n`]) {
    expect(await sendRaw(port, beginning)).toMatch(/^HTTP\/1.1 408 [^]*"code":"REQUEST_TIMEOUT"/);
  }
});

test('a connection that says nothing, or nothing more, is closed', async () => {
  const { port, put } = await startServer({ limits: { headMs: 200, requestMs: 400, idleMs: 100 } });
  put('gw/metadata/timestamp.json', '{}');
  expect(await sendRaw(port, '')).toMatch(/^(HTTP\/1.1 408 [^]*)?$/);
  expect(await sendRaw(port, `GET ${TIMESTAMP} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(/^HTTP\/1.1 200 [^]*\{\}$/);
});

test('a device that stops reading is cut off, and its file is closed', async () => {
  const store = countingStore(LARGE);
  const { port } = await startServer({ store, limits: { silentMs: 200 } });
  const socket = await dial(port);
  socket.pause();
  socket.write(GET_TARGET);
  await expect.poll(() => store.counts).toMatchObject({ opened: 1, open: 0 });
  socket.destroy();
});

test('a device that leaves takes its waiting downloads with it: each file is closed, the others are never opened', async () => {
  const store = countingStore(LARGE);
  const { port } = await startServer({ store });
  const socket = await dial(port);
  socket.write(GET_TARGET.repeat(10));
  await new Promise((resolve) => socket.once('data', resolve));
  socket.destroy();
  await expect.poll(() => store.counts).toEqual({ opened: 1, open: 0, most: 1 });
});

test('a connection has one file open however many downloads it asks for ahead, and gets all of them in order', async () => {
  const store = countingStore(1000);
  const { port } = await startServer({ store });
  const last = GET_TARGET.replace('Host', 'Connection: close\r\nHost');
  const answer = await sendRaw(port, GET_TARGET.repeat(DOWNLOADS_AHEAD_MAX) + last);
  expect(answer.match(/HTTP\/1.1 200 OK/g)).toHaveLength(DOWNLOADS_AHEAD_MAX + 1);
  expect(store.counts).toMatchObject({ opened: DOWNLOADS_AHEAD_MAX + 1, open: 0, most: 1 });
});

test('a connection that asks for more downloads ahead than that is closed', async () => {
  const store = countingStore(LARGE);
  const { port } = await startServer({ store });
  await sendRaw(port, GET_TARGET.repeat(DOWNLOADS_AHEAD_MAX + 2));
  await expect.poll(() => store.counts.open).toBe(0);
  expect(store.counts.opened).toBeLessThanOrEqual(1);
});

test('polls sent ahead are answered in order, whichever way each takes', async () => {
  const { port, put } = await startServer();
  put('gw/metadata/timestamp.json', 'timestamp');
  put('gw/metadata/1.root.json', 'root');
  put(TARGET, 'target');
  const paths = ['1.root.json', 'timestamp.json', '2.root.json', 'timestamp.json', '1.root.json'];
  const asked = paths.map((path) => `GET /r/gw/metadata/${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join('');
  const end = GET_TARGET.replace('Host', 'Connection: close\r\nHost');
  for (let i = 0; i < 3; i++) {
    const bodies = (await sendRaw(port, asked + end)).split(/HTTP\/1.1 \d+ [^]*?\r\n\r\n/).slice(1);
    expect(bodies.map((body) => (body.startsWith('{') ? 'problem' : body))).toEqual([
      ...['root', 'timestamp', 'problem', 'timestamp', 'root'],
      'target',
    ]);
  }
});

test('at most so many connections are open; one more is refused at once and the operator told', async () => {
  const { port, events } = await startServer({ limits: { connectionsMax: 2 } });
  const held = [await dial(port), await dial(port)];
  expect(await sendRaw(port, `GET ${TIMESTAMP} HTTP/1.1\r\nHost: x\r\n\r\n`)).toBe('');
  await expect
    .poll(() => events.at(-1))
    .toEqual({ event: 'connections-refused', detail: '2 are open, which is the maximum' });
  held[0]?.destroy();
  await expect
    .poll(async () => sendRaw(port, `GET ${TIMESTAMP} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`))
    .toMatch(/^HTTP\/1.1 404 /);
  held[1]?.destroy();
});

test('closing lets a download end, keeps no connection open after it, and takes no new one', async () => {
  const store = countingStore(LARGE);
  const { port, server, events } = await startServer({ store, limits: { closingMs: 300_000, idleMs: 300_000 } });
  const socket = await dial(port);
  const idle = await dial(port);
  idle.write(`GET ${TIMESTAMP} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await new Promise((resolve) => idle.once('data', resolve));
  socket.pause();
  socket.write(GET_TARGET);
  await expect.poll(() => store.counts.open).toBe(1);
  const closing = server.close();
  await everythingFrom(idle);
  await expect(dial(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  let received = 0;
  socket.on('data', (chunk) => (received += chunk.length)).resume();
  await Promise.all([closing, new Promise((resolve) => socket.once('close', resolve))]);
  expect(received).toBeGreaterThan(LARGE);
  expect(events.at(-1)).toEqual({ event: 'closed' });
});

test('closing cuts what does not end in time', async () => {
  const store = countingStore(LARGE);
  const { port, server } = await startServer({ store, limits: { closingMs: 100 } });
  const socket = await dial(port);
  socket.pause();
  socket.write(GET_TARGET);
  await expect.poll(() => store.counts.open).toBe(1);
  await server.close();
  await expect.poll(() => store.counts.open).toBe(0);
  socket.destroy();
});

test('an address that cannot be listened at is told with its code', async () => {
  const { port, folder } = await startServer();
  const options = { store: await openFolderStore(folder), log: () => undefined, limits: SERVER_LIMITS };
  await expect(serve({ ...options, host: '127.0.0.1', port })).rejects.toMatchObject({
    name: 'OperationError',
    code: 'ADDRESS_UNAVAILABLE',
  });
});
