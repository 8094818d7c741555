/**
 * Sending the bytes of targets: long answers to slow, distant or hostile readers.
 *
 * - Memory for one download is a few chunks: the store is read no faster than the device takes.
 * - A connection has one download at a time. Requests sent ahead wait in order, so a connection holds one open file, not hundreds;
 *   one that sends too many ahead is closed.
 * - A download ends in time even if the device takes a byte now and then: below the least rate the connection is closed,
 *   and the device goes on later with a range.
 */
import type { Socket } from 'node:net';
import type { Exchange } from './http-answer.ts';

/** How many downloads a connection may ask for ahead of the one that it is given. */
export const DOWNLOADS_AHEAD_MAX = 32;

/** How slow a device may be: an old mobile link gives twice this. */
const BYTES_PER_SECOND_MIN = 512;
const START_MS = 60_000;
const TIMER_MS_MAX = 2 ** 31 - 1;

export type DownloadTurns = (socket: Socket, download: () => Promise<void>) => Promise<void>;

/** Makes the downloads of each connection take turns. What it is given runs after all that it was given before for the socket. */
export function createDownloadTurns(): DownloadTurns {
  const lines = new WeakMap<Socket, { last: Promise<unknown>; ahead: number }>();
  return async (socket, download) => {
    const line = lines.get(socket) ?? { last: Promise.resolve(), ahead: 0 };
    lines.set(socket, line);
    if (line.ahead > DOWNLOADS_AHEAD_MAX) socket.destroy();
    line.ahead++;
    const before = line.last;
    const turn = Promise.allSettled([before]).then(() => (socket.destroyed ? undefined : download()));
    line.last = turn;
    try {
      await turn;
    } finally {
      line.ahead--;
    }
  };
}

/**
 * Sends `bytes`, `sizeBytes` long, and ends the response. Returns early if the device leaves or is too slow.
 * @throws what reading `bytes` throws.
 */
export async function sendBytes(
  { request, response }: Exchange,
  bytes: AsyncIterable<Uint8Array>,
  sizeBytes: number,
): Promise<void> {
  const { socket } = request;
  const ms = START_MS + (sizeBytes / BYTES_PER_SECOND_MIN) * 1000;
  const deadline = setTimeout(() => socket.destroy(), Math.min(ms, TIMER_MS_MAX));
  try {
    for await (const chunk of bytes) {
      if (!socket.destroyed && !response.write(chunk)) await drained({ request, response });
      if (socket.destroyed) return;
    }
    response.end();
  } finally {
    clearTimeout(deadline);
  }
}

/** Waits until the response takes more, or the connection is gone; the latter is told by the socket alone (see below). */
function drained({ request: { socket }, response }: Exchange): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    // A response that waits behind another one of its connection is not told when that closes.
    response.on('drain', done);
    socket.on('close', done);
    if (socket.destroyed) done();
  });
}
