/** A running data plane over a folder of its own, with requests as raw as a test needs them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openFolderStore } from '../../ota-server/artifact-store-folder.ts';
import { serve, SERVER_LIMITS, type RunningServer, type ServeOptions } from '../../ota-server/listen.ts';
import type { ServerEvent } from '../../ota-server/server-event.ts';
import { put } from './published-folder.ts';

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer };

export type ServerUnderTest = {
  readonly folder: string;
  readonly port: number;
  readonly events: readonly ServerEvent[];
  readonly server: RunningServer;
  put(name: string, content: string | Uint8Array): void;
  /** A GET on a connection of its own. */
  get(path: string, headers?: OutgoingHttpHeaders): Promise<Answer>;
  ask(method: string, path: string, headers?: OutgoingHttpHeaders): Promise<Answer>;
};

/** Starts a server; it ends with the test. */
export async function startServer(
  options: Partial<Omit<ServeOptions, 'limits'>> & { readonly limits?: Partial<ServeOptions['limits']> } = {},
): Promise<ServerUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'firmament-data-plane-'));
  const events: ServerEvent[] = [];
  const server = await serve({
    store: await openFolderStore(folder),
    host: '127.0.0.1',
    port: 0,
    log: (event) => events.push(event),
    ...options,
    limits: { ...SERVER_LIMITS, closingMs: 200, ...options.limits },
  });
  onTestFinished(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  const ask: ServerUnderTest['ask'] = (method, path, headers) => send(server.port, { method, path, headers });
  return {
    folder,
    port: server.port,
    events,
    server,
    put: (name, content) => put(folder, name, content),
    get: (path, headers) => ask('GET', path, headers),
    ask,
  };
}

async function send(
  port: number,
  of: { readonly method: string; readonly path: string; readonly headers: OutgoingHttpHeaders | undefined },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method, path, headers = {} } = of;
    const sent = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Everything that the server sends on one connection after `text` was written to it, until it or we end. */
export async function sendRaw(port: number, text: string): Promise<string> {
  const socket = await dial(port);
  socket.write(Buffer.from(text, 'latin1'));
  return everythingFrom(socket);
}

/** A connection to the server. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  // A server that refuses may close while we still send: what was received until then is what a test looks at.
  socket.on('error', () => undefined);
  return socket;
}

/** What arrives on `socket` until it is closed. */
export async function everythingFrom(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}
