/**
 * What stands between the signer daemon and MinIO, and sees every object that is written, as it is sent and as it is answered.
 *
 * - Requests pass as they are: they are signed over the host that they were sent to, which MinIO takes from the request.
 */
import { once } from 'node:events';
import { createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Relay = {
  readonly port: number;
  /** Called with the name of each object when its write is sent on, and when MinIO has answered. */
  readonly onWrite: (look: (name: string, at: 'sent' | 'done') => void) => void;
  readonly close: () => Promise<void>;
};

/** A relay to the MinIO at `port`, for the objects of `bucket`. */
export async function startRelay(port: number, bucket: string): Promise<Relay> {
  let look: (name: string, at: 'sent' | 'done') => void = () => undefined;
  const server = createServer((incoming, answer) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const name = method === 'PUT' ? url.slice(`/${bucket}/`.length) : undefined;
    const passed = ask({ host: '127.0.0.1', port, method, path: url, headers }, (received) => {
      if (name !== undefined) look(name, 'done');
      answer.writeHead(received.statusCode ?? 502, received.headers);
      received.pipe(answer);
      received.on('error', () => answer.destroy());
    });
    // Whoever is gone takes the other side of the connection along.
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    if (name !== undefined) look(name, 'sent');
    incoming.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    onWrite: (each) => {
      look = each;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
