/**
 * The data plane: the published repository over HTTP, for every device and every cache alike.
 *
 * - It reads. It knows no device, keeps no session, holds no key, and has no way to write to the store. The one thing that it takes
 *   are check-ins, unread, for a signer that checks them (`check-in.ts`).
 * - Polls for metadata that is held in memory are answered before Express; everything else goes through it. Both end in the same
 *   functions, so an answer does not depend on the way it took.
 * - GET and HEAD only, without a body; whatever else is refused with a code (`problem.ts`).
 * - Devices see codes, the operator sees causes: a fault goes to the log in full and to the device as its code.
 * - Followed: RFC 9110 (semantics), RFC 9111 (caching), RFC 9457 (problems), RFC 8246 (immutable).
 */
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { DeviceState } from '../formats/device-state.ts';
import { OperationError } from '../formats/operation-error.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { CacheLimits } from './bounded-cache.ts';
import { createDownloadTurns, sendBytes, type DownloadTurns } from './download.ts';
import { CHECK_IN_PATH, createCheckIns } from './check-in.ts';
import { beginAnswer, bringsBody, sendProblem, type Exchange } from './http-answer.ts';
import { createMetadataMemory, type MetadataMemory } from './metadata-memory.ts';
import { OBJECTS_AT, parseObjectUrl, type HeldObject, type ServedObject, type ServedTarget } from './object-name.ts';
import { busyProblem, faultProblem, refusalProblem } from './problem.ts';
import { describeObject } from './representation.ts';
import type { EventSink } from './server-event.ts';
import type { SignerClient } from './signer-client.ts';

export type DataPlaneOptions = {
  readonly store: ArtifactStore;
  readonly log: EventSink;
  /** What metadata may take of memory. */
  readonly memory: CacheLimits;
  /** How many answers from memory may wait for the store at a time. */
  readonly waitingMax: number;
  /** Who hears check-ins; without one none is taken. */
  readonly signer?: SignerClient | undefined;
  /** Who keeps what devices say of themselves; without one it is not taken. */
  readonly inventory?: ((state: DeviceState) => void) | undefined;
};

/** Longest address that is read, in bytes: that of the longest name, every byte encoded, does not fit and need not. */
export const URL_BYTES_MAX = 2048;

type Plane = {
  readonly store: ArtifactStore;
  readonly log: EventSink;
  readonly memory: MetadataMemory;
  readonly turns: DownloadTurns;
  /** Faults that the log has been told of. */
  readonly told: WeakSet<Error>;
  readonly waitingMax: number;
  waiting: number;
};

/** The data plane as the listener of an HTTP server. */
export function createDataPlane(options: DataPlaneOptions): RequestListener {
  const { store, log, memory, waitingMax, signer, inventory } = options;
  const plane: Plane = {
    store,
    log,
    memory: createMetadataMemory(store, memory),
    turns: createDownloadTurns(),
    told: new WeakSet(),
    waitingMax,
    waiting: 0,
  };
  const app = createApp(plane);
  const takesCheckIns = signer !== undefined || inventory !== undefined;
  const checkIns = takesCheckIns ? createCheckIns({ signer, inventory, log }) : undefined;
  return (request, response) => {
    if (checkIns !== undefined && request.method === 'POST' && request.url === CHECK_IN_PATH) {
      checkIns({ request, response }).catch((fault: unknown) => endFault(plane, { request, response }, fault));
      return;
    }
    const object = heldObject(plane, request);
    if (object !== undefined) {
      answer(plane, { request, response }, object);
    } else {
      request.url = originForm(request.url ?? '');
      app(request, response);
    }
  };
}

/** The object of a poll that memory can answer: its address is that of an object held, and nothing about it is to be refused. */
function heldObject({ memory }: Plane, request: IncomingMessage): HeldObject | undefined {
  const { url, method } = request;
  if (url === undefined || (method !== 'GET' && method !== 'HEAD') || !url.startsWith(OBJECTS_AT)) return undefined;
  const object = memory.held(url.slice(OBJECTS_AT.length));
  return object === undefined || bringsBody(request) ? undefined : object;
}

/** The path and query of a target that may be a whole URL, as every server must accept it (RFC 9112, section 3.2.2). */
function originForm(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '');
  return path.startsWith('/') ? path : `/${path}`;
}

function createApp(plane: Plane): Express {
  const app = express();
  app.disable('x-powered-by');
  // What is stored by no one need not be looked for in templates, queries or tags of Express's own making.
  app.set('etag', false);
  app.set('query parser', false);
  // The last resort of Express shows the stack of an error unless it is told that this is production.
  app.set('env', 'production');
  app.use(refuseOtherMethods, refuseBodies, refuseLongUrls);
  app.use((request: Request, response: Response) => {
    const object = parseObjectUrl(request.url);
    if (object.ok) answer(plane, { request, response }, object.value);
    else sendProblem({ request, response }, refusalProblem(object.code, object.detail));
  });
  return app;
}

function refuseOtherMethods(request: Request, response: Response, next: NextFunction): void {
  if (request.method === 'GET' || request.method === 'HEAD') next();
  else sendProblem({ request, response }, refusalProblem('METHOD_NOT_ALLOWED', undefined, ['Allow', 'GET, HEAD']));
}

function refuseBodies(request: Request, response: Response, next: NextFunction): void {
  if (bringsBody(request)) sendProblem({ request, response }, refusalProblem('BODY_REFUSED'));
  else next();
}

function refuseLongUrls(request: Request, response: Response, next: NextFunction): void {
  if (request.url.length <= URL_BYTES_MAX) next();
  else sendProblem({ request, response }, refusalProblem('URL_TOO_LONG', `at most ${URL_BYTES_MAX} bytes are read`));
}

/** Answers a request for `object`. The only place where faults end. */
function answer(plane: Plane, exchange: Exchange, object: ServedObject): void {
  const answered =
    object.kind !== 'target'
      ? answerMetadata(plane, exchange, object)
      : plane.turns(exchange.request.socket, () => answerTarget(plane, exchange, object));
  answered.catch((fault: unknown) => {
    tellFault(plane, fault, object);
    sendProblem(exchange, faultProblem(fault));
  });
}

/** A fault of ours at a check-in: the log is told, the device sees its code. */
function endFault(plane: Plane, exchange: Exchange, fault: unknown): void {
  tellFault(plane, fault, { name: CHECK_IN_PATH });
  sendProblem(exchange, faultProblem(fault));
}

/** Tells the log of a fault in full; once, although all who waited for the same look at the store meet the same fault. */
function tellFault({ log, told }: Plane, fault: unknown, { name }: { readonly name: string }): void {
  const error = fault instanceof Error ? fault : new Error(String(fault));
  if (told.has(error)) return;
  told.add(error);
  if (error instanceof OperationError)
    log({ event: 'store-fault', code: error.code, detail: error.message, object: name });
  else log({ event: 'bug', detail: error.stack ?? error.message, object: name });
}

async function answerMetadata(plane: Plane, exchange: Exchange, object: HeldObject): Promise<void> {
  if (plane.waiting >= plane.waitingMax) {
    sendProblem(exchange, busyProblem());
    return;
  }
  plane.waiting++;
  try {
    const copy = await plane.memory.current(object);
    if (copy === undefined) return sendProblem(exchange, refusalProblem('NOT_FOUND'));
    const range = beginAnswer(exchange, copy.representation);
    if (range === undefined) return;
    const whole = range.endExclusive - range.start === copy.body.length;
    if (whole && copy.text !== undefined) exchange.response.end(copy.text, 'latin1');
    else exchange.response.end(copy.body.subarray(range.start, range.endExclusive));
  } finally {
    plane.waiting--;
  }
}

async function answerTarget(plane: Plane, exchange: Exchange, object: ServedTarget): Promise<void> {
  const artifact = await plane.store.open(object.name);
  if (artifact === undefined) return sendProblem(exchange, refusalProblem('NOT_FOUND'));
  try {
    const { sizeBytes } = artifact;
    // The name promises the digest and the device checks it; hashing here would prove nothing to anybody.
    const representation = describeObject({ ...object, sizeBytes, immutable: true });
    const range = beginAnswer(exchange, representation);
    if (range !== undefined) await sendBytes(exchange, artifact.read(range), range.endExclusive - range.start);
  } finally {
    await artifact.close();
  }
}
