/** A real server on the loopback that answers as a test tells it, and ends with that test. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;
export type OddServer = {
  /** The address of a product below it. */
  readonly base: URL;
  /** What it was asked, in order. */
  readonly asked: IncomingMessage[];
  /** How it answers from now on. */
  readonly answer: (handler: Handler) => void;
  readonly close: () => Promise<void>;
};

/** Starts it; until it is told otherwise it has nothing. */
export async function oddServer(): Promise<OddServer> {
  let handler: Handler = answering(404);
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    void handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  onTestFinished(close);
  const { port } = server.address() as AddressInfo;
  return { base: new URL(`http://127.0.0.1:${port}/r/gateway/`), asked, answer: (next) => (handler = next), close };
}

/** A handler that gives one and the same answer. */
export function answering(
  status: number,
  body: string | Uint8Array = '',
  headers: Readonly<Record<string, string>> = {},
): Handler {
  return (_, response) => void response.writeHead(status, headers).end(body);
}
