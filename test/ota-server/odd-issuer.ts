/** Issuers that count who asks them, lie, or fail. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type OddIssuer = { readonly url: string; readonly looks: () => number; readonly close: () => Promise<void> };
type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | object;
};

/** An issuer that publishes `keys` and counts how often its configuration is read, which `changed` changes. */
export function countingIssuer(keys: readonly unknown[] = [], changed: object = {}): Promise<OddIssuer> {
  return start((path, url) =>
    path.endsWith('/keys')
      ? { status: 200, body: { keys } }
      : { status: 200, body: { issuer: url, jwks_uri: `${url}/keys`, ...changed } },
  );
}

/** An issuer that has one answer to everything. */
export function failingIssuer(answer: Answer): Promise<OddIssuer> {
  return start(() => answer);
}

async function start(answerTo: (path: string, url: string) => Answer): Promise<OddIssuer> {
  let looks = 0;
  let url = '';
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path.includes('.well-known')) looks++;
    const { status, headers, body = '' } = answerTo(path, url);
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { url, looks: () => looks, close };
}
