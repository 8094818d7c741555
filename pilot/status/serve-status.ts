/**
 * Serves the status page on the loopback.
 *
 * - Everything comes from here and nothing may be loaded from elsewhere: the content policy says so.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import express from 'express';
import { renderMain, renderPage, type Status } from './status-page.ts';

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'";

export type StatusServer = { readonly url: string; readonly close: () => Promise<void> };

/** Serves what `status` says, newly asked at each request. @param port 0 lets the system choose. */
export async function serveStatus(status: () => Promise<Status>, port: number): Promise<StatusServer> {
  const app = express();
  app.disable('x-powered-by');
  app.use((_request, response, next) => {
    response.set({
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
    next();
  });
  app.get('/', async (_request, response) => void response.type('html').send(renderPage(await status())));
  app.get('/status', async (_request, response) => void response.type('html').send(renderMain(await status()).markup));
  for (const file of ['status.css', 'status.js']) {
    app.get(`/${file}`, (_request, response) => response.sendFile(join(import.meta.dirname, file)));
  }
  const server = createServer(app);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${actual}/`, close };
}
