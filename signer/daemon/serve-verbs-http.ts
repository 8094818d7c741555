/**
 * The signer daemon's door: HTTP over a unix socket that its owner alone can open.
 *
 * - `POST /VERB` with bytes, answered by one JSON object: 200 `{ok: true, ...}`, 409 `{ok: false, code, detail}` for a refusal,
 *   503 for a fault of the world, 500 for one of ours. The code is that of `formats/codes.ts`.
 * - One verb runs at a time, in the order of arrival: what is published and kept has one writer. Waiting is bounded, in requests and
 *   in the bytes of their bodies: whoever may speak to the signer can fill neither its memory nor its log.
 * - The socket is made with mode 0600 from its first moment; one that a dead process left behind is replaced.
 * - Specified in `docs/formats/signer.md`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { rm } from 'node:fs/promises';
import { concatBytes } from '../../formats/bytes.ts';
import type { Code } from '../../formats/codes.ts';
import type { Instant } from '../../formats/instant.ts';
import { OperationError } from '../../formats/operation-error.ts';
import type { SignerVerb, VerbFacts, VerbTable } from './verb-table.ts';

export type DaemonOptions = {
  readonly socketPath: string;
  readonly verbs: VerbTable;
  readonly now: () => Instant;
  /** Told what the caller is not told: faults in full. */
  readonly log: (line: string) => void;
};
export type RunningDaemon = {
  /** Does `work` in the order of the verbs, alone: for what the daemon does by itself. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Takes no new request, lets those that were taken end. */
  readonly close: () => Promise<void>;
};

/** Requests that wait or run. */
export const WAITING_MAX = 256;
/** How many of the longest bodies memory has room for, however many requests bring one. */
const LONGEST_BODIES_MAX = 2;
const REQUEST_MS_MAX = 60_000;
const HEAD_BYTES_MAX = 8_192;

type Answer = { readonly status: number; readonly facts: VerbFacts };
type Turns = { waiting: number; bodyBytes: number; readonly bodyBytesMax: number; last: Promise<unknown> };

/** Serves `verbs` until `close`. @throws OperationError `ADDRESS_UNAVAILABLE` if another process serves this socket. */
export async function serveVerbs(options: DaemonOptions): Promise<RunningDaemon> {
  const longest = Math.max(0, ...[...options.verbs.values()].map(({ bodyBytesMax }) => bodyBytesMax));
  const turns: Turns = {
    waiting: 0,
    bodyBytes: 0,
    bodyBytesMax: LONGEST_BODIES_MAX * longest,
    last: Promise.resolve(),
  };
  const server = createServer(
    { maxHeaderSize: HEAD_BYTES_MAX, requestTimeout: REQUEST_MS_MAX },
    (request, response) => {
      answer(options, turns, request)
        .then(({ status, facts }) => send(response, status, facts))
        .catch((fault: unknown) => {
          options.log(fault instanceof Error ? (fault.stack ?? fault.message) : String(fault));
          send(response, 500, refusal('BUG', 'an assumption of ours does not hold: see the log'));
        });
    },
  );
  await listen(server, options.socketPath);
  return {
    inTurn: (work) => takeTurn(turns, work),
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
      await turns.last;
    },
  };
}

async function answer(options: DaemonOptions, turns: Turns, request: IncomingMessage): Promise<Answer> {
  const found = findVerb(options.verbs, request);
  if ('status' in found) return found;
  if (turns.waiting >= WAITING_MAX) {
    return busy(`${WAITING_MAX} requests wait already`);
  }
  turns.waiting++;
  const held = { bytes: 0 };
  try {
    const body = await readBody(request, found.bodyBytesMax, { turns, held });
    if (body === 'no-room') return busy(`${turns.bodyBytesMax} bytes wait already`);
    if (body === 'refused') {
      return {
        status: 409,
        facts: refusal('BODY_REFUSED', `a whole body of at most ${found.bodyBytesMax} bytes is expected`),
      };
    }
    return await takeTurn(turns, () => run(found, body, options.now()));
  } finally {
    turns.waiting--;
    turns.bodyBytes -= held.bytes;
  }
}

function busy(detail: string): Answer {
  return { status: 503, facts: refusal('SERVER_BUSY', detail) };
}

function findVerb(verbs: VerbTable, { method, url = '' }: IncomingMessage): SignerVerb | Answer {
  if (method !== 'POST') return { status: 409, facts: refusal('METHOD_NOT_ALLOWED', 'verbs are posted') };
  const verb = verbs.get(url.slice(1));
  return verb ?? { status: 409, facts: refusal('NOT_FOUND', 'there is no such verb') };
}

async function run(verb: SignerVerb, body: Uint8Array, now: Instant): Promise<Answer> {
  try {
    const done = await verb.run(body, now);
    return done.ok
      ? { status: 200, facts: { ok: true, ...done.value } }
      : { status: 409, facts: refusal(done.code, done.detail) };
  } catch (fault) {
    if (!(fault instanceof OperationError)) throw fault;
    return { status: 503, facts: refusal(fault.code, fault.message) };
  }
}

/** Does `work` once everything before it has ended, however it ended. */
function takeTurn<T>(turns: Turns, work: () => Promise<T>): Promise<T> {
  const mine = turns.last.then(work, work);
  turns.last = mine.catch(() => undefined);
  return mine;
}

/** The body; refused if it is longer than `bytesMax` or breaks off. @param room what bodies take together, and this one alone. */
function readBody(
  request: IncomingMessage,
  bytesMax: number,
  room: { readonly turns: Turns; readonly held: { bytes: number } },
): Promise<Uint8Array | 'refused' | 'no-room'> {
  const { turns, held } = room;
  const chunks: Uint8Array[] = [];
  return new Promise((resolve) => {
    let isOver = false;
    const end = (body: Uint8Array | 'refused' | 'no-room'): void => {
      isOver = true;
      resolve(body);
    };
    request.on('data', (chunk: Uint8Array) => {
      if (isOver) return;
      if (held.bytes + chunk.length > bytesMax) return end('refused');
      if (turns.bodyBytes + chunk.length > turns.bodyBytesMax) return end('no-room');
      held.bytes += chunk.length;
      turns.bodyBytes += chunk.length;
      chunks.push(chunk);
    });
    request.on('end', () => end(concatBytes(...chunks)));
    // Who breaks off has said nothing.
    request.on('error', () => end('refused'));
  });
}

function refusal(code: Code, detail: string): VerbFacts {
  return { ok: false, code, detail };
}

function send(response: ServerResponse, status: number, facts: VerbFacts): void {
  if (response.headersSent) return;
  const body = `${JSON.stringify(facts)}\n`;
  const isRefused = status !== 200;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    // What was not read of a refused body is not waited for.
    ...(isRefused ? { connection: 'close' } : {}),
  });
  response.end(body);
}

/** Listens at `path`; a socket that nobody serves any more is removed first. */
async function listen(server: Server, path: string): Promise<void> {
  const first = await tryListen(server, path);
  if (first === undefined) return;
  const isLeftBehind = 'code' in first && first.code === 'EADDRINUSE' && !(await isServed(path));
  if (isLeftBehind) await rm(path, { force: true });
  const fault = isLeftBehind ? await tryListen(server, path) : first;
  if (fault === undefined) return;
  throw new OperationError('ADDRESS_UNAVAILABLE', `${path} cannot be listened at: ${fault.message}`, {
    retriable: true,
    cause: fault,
  });
}

/** Binding happens before `listen` returns: the mask is in force for it alone. */
function tryListen(server: Server, path: string): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const fail = (fault: Error): void => resolve(fault);
    server.once('error', fail);
    const mask = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.off('error', fail);
        resolve(undefined);
      });
    } finally {
      process.umask(mask);
    }
  });
}

/** Whether somebody answers at the socket `path`. */
function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
