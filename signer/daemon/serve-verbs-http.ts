/**
 * The signer daemon's door: HTTP over a unix socket that its owner alone can open.
 *
 * - `POST /VERB`, or `POST /r/PRODUCT/VERB` where many products are served, with bytes, answered by one JSON object: 200
 *   `{ok: true, ...}`, 409 `{ok: false, code, detail}` for a refusal, 503 for a fault of the world, 500 for one of ours. The code is that of `formats/codes.ts`.
 * - Of one product one verb runs at a time, in the order of arrival, unless it says that it has an order of its own; products do
 *   not wait for each other. Waiting is bounded, in requests and in the bytes of their bodies: whoever may speak to the signer can
 *   fill neither its memory nor its log.
 * - The socket is made with mode 0600 from its first moment; one that a dead process left behind is replaced,
 *   anything else under its name is not.
 * - Specified in `docs/formats/signer.md`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { lstat, rm } from 'node:fs/promises';
import { concatBytes } from '../../formats/bytes.ts';
import type { Code } from '../../formats/codes.ts';
import type { Clock } from '../../formats/clock.ts';
import type { Instant } from '../../formats/instant.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { hostCode } from '../host-fault.ts';
import type { SignerVerb, VerbFacts, VerbTable } from './verb-table.ts';

export type DaemonOptions = {
  readonly socketPath: string;
  /** The verbs at `/VERB`. */
  readonly verbs: VerbTable;
  /** The one product that `/VERB` is about, where there is one: its verbs take turns with those at `/r/PRODUCT/VERB`. */
  readonly product?: string | undefined;
  /** The verbs at `/r/PRODUCT/VERB`. */
  readonly verbsOf?: ((product: string) => VerbTable | undefined) | undefined;
  /** The longest body of those verbs, where it is longer than that of any other. */
  readonly productBodyBytesMax?: number | undefined;
  readonly now: Clock['now'];
  /** Told what the caller is not told: faults in full. */
  readonly log: (line: string) => void;
};
export type RunningDaemon = {
  /** Does `work` in the order of the verbs of `product`, alone: for what the daemon does by itself. */
  readonly inTurn: <T>(work: () => Promise<T>, product?: string) => Promise<T>;
  /** How many requests wait or run now. */
  readonly waiting: () => number;
  /** Takes no new request, lets those that were taken end. */
  readonly close: () => Promise<void>;
};

/** Requests that wait or run. */
export const WAITING_MAX = 256;
/** How many of the longest bodies memory has room for, however many requests bring one. */
const LONGEST_BODIES_MAX = 2;
const REQUEST_MS_MAX = 60_000;
const HEAD_BYTES_MAX = 8_192;
const PRODUCT_VERB = /^\/r\/([a-z0-9-]{1,63})\/([a-z-]{1,63})$/;

type Answer = { readonly status: number; readonly facts: VerbFacts };
/** Who waits, with what bodies, and by product what runs last; '' is for what is of no product. */
type Turns = {
  waiting: number;
  bodyBytes: number;
  readonly bodyBytesMax: number;
  readonly last: Map<string, Promise<unknown>>;
};
type Found = { readonly verb: SignerVerb; readonly lane: string };

/** Serves `verbs` until `close`. @throws OperationError `ADDRESS_UNAVAILABLE` if another process serves this socket. */
export async function serveVerbs(options: DaemonOptions): Promise<RunningDaemon> {
  const own = [...options.verbs.values()].map(({ bodyBytesMax }) => bodyBytesMax);
  const longest = Math.max(options.productBodyBytesMax ?? 0, ...own);
  const turns: Turns = { waiting: 0, bodyBytes: 0, bodyBytesMax: LONGEST_BODIES_MAX * longest, last: new Map() };
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
    inTurn: (work, product = '') => takeTurn(turns, product, work),
    waiting: () => turns.waiting,
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
      await Promise.all(turns.last.values());
    },
  };
}

async function answer(options: DaemonOptions, turns: Turns, request: IncomingMessage): Promise<Answer> {
  const found = findVerb(options, request);
  if ('status' in found) return found;
  const { verb, lane } = found;
  if (turns.waiting >= WAITING_MAX) {
    return busy(`${WAITING_MAX} requests wait already`);
  }
  turns.waiting++;
  const held = { bytes: 0 };
  try {
    const body = await readBody(request, verb.bodyBytesMax, { turns, held });
    if (body === 'no-room') return busy(`${turns.bodyBytesMax} bytes wait already`);
    if (body === 'refused') {
      return {
        status: 409,
        facts: refusal('BODY_REFUSED', `a whole body of at most ${verb.bodyBytesMax} bytes is expected`),
      };
    }
    const work = (): Promise<Answer> => run(verb, body, options.now());
    return await (verb.isShared === true ? work() : takeTurn(turns, lane, work));
  } finally {
    turns.waiting--;
    turns.bodyBytes -= held.bytes;
  }
}

function busy(detail: string): Answer {
  return { status: 503, facts: refusal('SERVER_BUSY', detail) };
}

function findVerb(
  { verbs, verbsOf, product: only }: DaemonOptions,
  { method, url = '' }: IncomingMessage,
): Found | Answer {
  if (method !== 'POST') return { status: 409, facts: refusal('METHOD_NOT_ALLOWED', 'verbs are posted') };
  const [, product, name = ''] = PRODUCT_VERB.exec(url) ?? [];
  const table = product === undefined ? verbs : verbsOf?.(product);
  const verb = table?.get(product === undefined ? url.slice(1) : name);
  return verb === undefined
    ? { status: 409, facts: refusal('NOT_FOUND', whatIsMissing(table, product, only)) }
    : { verb, lane: product === undefined || product === only ? '' : product };
}

/** Tells a product that is not served from a verb that there is not. */
function whatIsMissing(table: VerbTable | undefined, product: string | undefined, only: string | undefined): string {
  if (product === undefined || table !== undefined) return 'there is no such verb';
  return only === undefined ? `product ${product} is not served here` : `this signer serves ${only}, not ${product}`;
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
function takeTurn<T>({ last }: Turns, lane: string, work: () => Promise<T>): Promise<T> {
  const mine = (last.get(lane) ?? Promise.resolve()).then(work, work);
  const ended = mine
    .catch(() => undefined)
    .finally(() => {
      if (last.get(lane) === ended) last.delete(lane);
    });
  last.set(lane, ended);
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

/** Listens at `path`; a socket that nobody serves any more is removed first. What is no socket stays, and is in the way. */
async function listen(server: Server, path: string): Promise<void> {
  const first = await tryListen(server, path);
  if (first === undefined) return;
  const isLeftBehind = hostCode(first) === 'EADDRINUSE' && (await isDeadSocket(path));
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

/** A full queue of a daemon that works, or one that lets nobody in, is no dead one: only a refused connection says so. */
async function isDeadSocket(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true) return false;
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (fault) => resolve(hostCode(fault) === 'ECONNREFUSED'));
  });
}
