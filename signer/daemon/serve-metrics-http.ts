/**
 * Metrics over HTTP, for a scraper on the same machine: a port of the loopback, or a unix socket of the owner's.
 *
 * - `GET /metrics` and nothing else; no body is read.
 */
import { createServer } from 'node:http';
import { lstat, rm } from 'node:fs/promises';
import { OperationError } from '../../formats/operation-error.ts';

export type MetricsPlace = { readonly path: string } | { readonly host: '127.0.0.1' | '::1'; readonly port: number };
export type RunningMetrics = {
  /** The port, where it is one. */
  readonly port: number | undefined;
  readonly close: () => Promise<void>;
};

/** Serves what `text` says now. @throws OperationError `ADDRESS_UNAVAILABLE`. */
export async function serveMetrics(place: MetricsPlace, text: () => Promise<string>): Promise<RunningMetrics> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404, { connection: 'close' }).end();
      return;
    }
    text().then(
      (body) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body),
      () => response.writeHead(500, { connection: 'close' }).end(),
    );
  });
  if ('path' in place) await removeSocket(place.path);
  await new Promise<void>((resolve, refuse) => {
    server.once('error', (cause) =>
      refuse(new OperationError('ADDRESS_UNAVAILABLE', 'metrics cannot be served there', { retriable: true, cause })),
    );
    const mask = process.umask(0o177);
    server.listen(place, resolve);
    process.umask(mask);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' ? address?.port : undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** One daemon owns its state, and so its sockets: one that lies there was left behind. What is no socket stays, and is in the way. */
async function removeSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() === true) await rm(path, { force: true });
}
