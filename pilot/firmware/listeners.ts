/**
 * The gateway's two listeners, on loopback: sensors send frames to one, people read the status from the other.
 *
 * - A connection that sends anything but sound frames is closed at the first fault: bytes after it have no known place.
 * - Ports are chosen by the system and printed.
 */
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { FRAME_BYTES, readFrame, type Decoder } from './frame.ts';
import type { Readings } from './readings.ts';

const HOST = '127.0.0.1';
const CONNECTIONS_MAX = 256;
const SENSOR_IDLE_MS = 120_000;

export type Listener = { readonly port: number; readonly close: () => void };

/** Listens for sensors; what they send goes to `readings()`. */
export async function listenForSensors(decode: Decoder, readings: () => Readings): Promise<Listener> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    let held = new Uint8Array(0);
    open.add(socket);
    socket.setTimeout(SENSOR_IDLE_MS, () => socket.destroy());
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (data: Uint8Array) => {
      const bytes = new Uint8Array(held.length + data.length);
      bytes.set(held);
      bytes.set(data, held.length);
      let at = 0;
      for (; bytes.length - at >= FRAME_BYTES; at += FRAME_BYTES) {
        const reading = readFrame(bytes.subarray(at, at + FRAME_BYTES), decode);
        readings().take(reading, Date.now());
        if (reading === undefined) {
          socket.destroy();
          return;
        }
      }
      held = bytes.slice(at);
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  const port = await listen(server);
  return {
    port,
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** Answers `GET /status` with `status()` as JSON. */
export async function listenForStatus(status: () => object): Promise<Listener> {
  const server = createHttpServer((request, response) => {
    const found = request.method === 'GET' && request.url === '/status';
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify(found ? status() : { error: 'GET /status is all there is' }));
  });
  server.maxConnections = CONNECTIONS_MAX;
  const port = await listen(server);
  return {
    port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, HOST, resolve);
  });
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP listener has a port');
  return address.port;
}
