/**
 * The network between the pilot's device and the front of EST, with somebody who listens.
 *
 * - Everything passes as it is; what asks for identities is kept, for whoever wants to say it again.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { parseBase64, parseUtf8 } from '../formats/bytes.ts';
import type { IssueRequest } from '../formats/issue-request.ts';
import { readBody } from '../ota-server/request-body.ts';

const BODY_BYTES_MAX = 65_536;

export type OverheardNetwork = {
  /** The front, as the device reaches it. */
  readonly url: URL;
  /** The front itself. */
  readonly front: URL;
  /** Requests for identities, oldest first. */
  readonly heard: readonly IssueRequest[];
  readonly close: () => Promise<void>;
};

/** Opens it before the front at `est`. */
export async function openNetwork(est: string): Promise<OverheardNetwork> {
  const heard: IssueRequest[] = [];
  const server = createServer((request, response) => {
    pass(new URL(request.url ?? '', est), request, { response, heard }).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const front = new URL(est);
  return {
    url: new URL(front.pathname, `http://127.0.0.1:${port}`),
    front,
    heard,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function pass(
  to: URL,
  request: IncomingMessage,
  { response, heard }: { readonly response: ServerResponse; readonly heard: IssueRequest[] },
): Promise<void> {
  const body = await readBody(request, BODY_BYTES_MAX);
  if (body === undefined) throw new Error('a longer request than any device makes, or a part of one');
  const { method = '' } = request;
  const proof = request.headers['firmament-proof'];
  const field: Record<string, string> = typeof proof === 'string' ? { 'firmament-proof': proof } : {};
  const answer = await fetch(to, { method, headers: field, ...(method === 'POST' && { body: Uint8Array.from(body) }) });
  const csr = parseBase64(parseUtf8(body) ?? '');
  const said = typeof proof === 'string' ? parseBase64(proof) : undefined;
  if (csr !== undefined && said !== undefined) {
    heard.push({ purpose: to.pathname.endsWith('simplereenroll') ? 'rotate' : 'enrol', csr, proof: said });
  }
  const type = answer.headers.get('content-type');
  response.writeHead(answer.status, type === null ? {} : { 'content-type': type });
  response.end(new Uint8Array(await answer.arrayBuffer()));
}
