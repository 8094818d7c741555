/**
 * A small load generator: equal polls over kept-alive, pipelined connections of loopback.
 *
 * - Every answer to a poll is equally long, so answers are counted by bytes: the generator stays cheap beside the server.
 * - A run fails unless it gets exactly the answers it asked for.
 */
import assert from 'node:assert';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export type PollLoad = {
  readonly port: number;
  readonly path: string;
  /** Header fields besides Host, each `Name: value`. */
  readonly fields: readonly string[];
  readonly status: 200 | 304;
  readonly connections: number;
  /** How many polls each connection has under way. */
  readonly ahead: number;
};

export type OpenLoad = {
  /** Sends so many polls, divided evenly among the connections; resolves once all are answered. */
  run(polls: number): Promise<void>;
  close(): void;
};

/** Opens the connections of a load, for any number of runs. */
export async function openPollLoad(load: PollLoad): Promise<OpenLoad> {
  const poll = [`GET ${load.path} HTTP/1.1`, 'Host: 127.0.0.1', ...load.fields, '', ''].join('\r\n');
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => dial(load.port)));
  const [first] = sockets;
  assert(first !== undefined);
  const answerBytes = await answerLength(first, poll, load.status);
  return {
    run: async (polls) => {
      const share = polls / load.connections;
      assert(Number.isInteger(share), 'the polls divide evenly among the connections');
      await Promise.all(sockets.map((socket) => pollOver(socket, { poll, answerBytes, share, ahead: load.ahead })));
    },
    close: () => sockets.forEach((socket) => socket.destroy()),
  };
}

/** The entity tag that a server gives the object. */
export async function entityTag(port: number, path: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  await answer.arrayBuffer();
  const etag = answer.headers.get('etag');
  assert(answer.status === 200 && etag !== null, 'every server of the bench tags its answer');
  return etag;
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** The length in bytes of one answer, head and body, after a look at its status. */
async function answerLength(socket: Socket, poll: string, status: 200 | 304): Promise<number> {
  socket.write(poll);
  let text = '';
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    text += chunk.toString('latin1');
    const head = text.indexOf('\r\n\r\n') + 4;
    const body = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (head < 4 || text.length < head + (status === 304 ? 0 : body)) continue;
    assert(text.startsWith(`HTTP/1.1 ${status} `), 'the answer that the bench is about');
    return text.length;
  }
}

type ConnectionLoad = {
  readonly poll: string;
  readonly answerBytes: number;
  readonly share: number;
  readonly ahead: number;
};

async function pollOver(socket: Socket, { poll, answerBytes, share, ahead }: ConnectionLoad): Promise<void> {
  let sent = 0;
  let bytes = 0;
  const send = (count: number): void => {
    const polls = Math.min(count, share - sent);
    sent += polls;
    if (polls > 0) socket.write(poll.repeat(polls));
  };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onClose = (): void => reject(new Error('the server closed a connection of the bench'));
  const onData = (chunk: Buffer): void => {
    const before = Math.floor(bytes / answerBytes);
    bytes += chunk.length;
    send(Math.floor(bytes / answerBytes) - before);
    if (bytes >= share * answerBytes) resolve();
  };
  socket.on('close', onClose).on('data', onData);
  send(ahead);
  await promise;
  socket.off('close', onClose).off('data', onData);
  assert(bytes === share * answerBytes, 'exactly the answers asked for');
}
