/**
 * One server of the bench in a process of its own: `KIND FOLDER`, where FOLDER holds `bench/metadata/timestamp.json`.
 *
 * - Sends `{ port }` once it listens. To any message it answers `{ cpuMicros }`, the processor time it has used so far,
 *   all its threads included.
 * - Ends when the bench does.
 */
import assert from 'node:assert';
import express from 'express';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { openFolderStore } from '../../ota-server/artifact-store-folder.ts';
import { serve, SERVER_LIMITS } from '../../ota-server/listen.ts';

/** Connections stay open while the other servers have their rounds. */
const IDLE_MS = 120_000;

/** Ours, as it is served in production. */
async function startOurs(folder: string): Promise<number> {
  const store = await openFolderStore(folder);
  const limits = { ...SERVER_LIMITS, idleMs: IDLE_MS };
  return (await serve({ store, host: '127.0.0.1', port: 0, log: () => undefined, limits })).port;
}

/** The file server that comes with Express, everything switched off that a poll does not need. */
async function startExpressStatic(folder: string): Promise<number> {
  const app = express();
  app.disable('x-powered-by');
  app.use('/r', express.static(folder, { index: false, redirect: false, fallthrough: false, lastModified: false }));
  return listen(createServer(app));
}

/** The least that Node can do: one known answer, its head as flat lists, no look at any store. */
async function startBare(folder: string): Promise<number> {
  const body = readFileSync(join(folder, 'bench/metadata/timestamp.json'));
  const etag = `"${hash('sha256', body, 'hex')}"`;
  const fields = ['ETag', etag, 'Cache-Control', 'no-cache'];
  const whole = [...fields, 'Content-Type', 'application/json', 'Content-Length', String(body.length)];
  return listen(
    createServer((request, response) => {
      if (request.headers['if-none-match'] === etag) response.writeHead(304, fields).end();
      else response.writeHead(200, whole).end(body);
    }),
  );
}

async function listen(server: Server): Promise<number> {
  server.keepAliveTimeout = IDLE_MS;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert(typeof address === 'object' && address !== null);
  return address.port;
}

const STARTS: Readonly<Record<string, (folder: string) => Promise<number>>> = {
  ours: startOurs,
  'express.static': startExpressStatic,
  'bare node:http': startBare,
};

const [kind = '', folder = ''] = process.argv.slice(2);
const start = STARTS[kind];
assert(start !== undefined && process.send !== undefined, 'started by the bench with a kind of server');
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMicros: user + system });
});
process.on('disconnect', () => process.exit());
process.send({ port: await start(folder) });
