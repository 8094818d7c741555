/**
 * The HTTP server around a plane, the data plane above all: its limits against slow and greedy clients, and its orderly end.
 *
 * - A request must arrive within a time, its head within a shorter one; a silent connection is closed; so is one that is idle.
 * - Head, connections and waiting answers have maxima, given at the call; `SERVER_LIMITS` are those for production.
 * - What is not HTTP gets a problem, too, if nothing was sent on its connection yet, and the connection is closed.
 * - Closing takes no new connection, lets answers end for a while, then cuts what is left.
 */
import { createServer, STATUS_CODES, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { DeviceState } from '../formats/device-state.ts';
import { OperationError } from '../formats/operation-error.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { CacheLimits } from './bounded-cache.ts';
import { createDataPlane } from './data-plane.ts';
import { refusalProblem, type Refusal } from './problem.ts';
import type { EventSink } from './server-event.ts';
import type { SignerClient } from './signer-client.ts';

export type ConnectionLimits = {
  /** Open connections; more are refused at once. Each needs up to two file descriptors. */
  readonly connectionsMax: number;
  /** Request line and header fields together, in bytes. */
  readonly headBytesMax: number;
  /** From the first byte of a request, or from the connection, to the end of its header fields. */
  readonly headMs: number;
  /** The same, to the end of the request. */
  readonly requestMs: number;
  /** How long a connection may be without any byte while an answer is due. */
  readonly silentMs: number;
  /** How long it may stay open between requests. */
  readonly idleMs: number;
  /** How long answers may take to end once the server closes. */
  readonly closingMs: number;
};

export type ServerLimits = ConnectionLimits & {
  /** Answers from memory that wait for the store. */
  readonly waitingMax: number;
  /** Metadata held in memory. */
  readonly memory: CacheLimits;
};

export const SERVER_LIMITS: ServerLimits = {
  connectionsMax: 16_384,
  headBytesMax: 8_192,
  headMs: 10_000,
  requestMs: 15_000,
  silentMs: 30_000,
  idleMs: 5_000,
  closingMs: 10_000,
  waitingMax: 16_384,
  memory: { entriesMax: 4_096, bytesMax: 67_108_864 },
};

export type ListenOptions = {
  /** Address to listen at, `127.0.0.1` or `::` for example. */
  readonly host: string;
  /** Port to listen at; 0 lets the system choose. */
  readonly port: number;
  /** Told what happens. */
  readonly log: EventSink;
};

export type ServeOptions = ListenOptions & {
  /** The repository to serve. */
  readonly store: ArtifactStore;
  /** Whether `log` is told each request, too. */
  readonly logRequests?: boolean;
  /** Who hears check-ins; without one none is taken. */
  readonly signer?: SignerClient | undefined;
  /** Who keeps what devices say of themselves; without one it is not taken. */
  readonly inventory?: ((state: DeviceState) => void) | undefined;
  readonly limits?: ServerLimits;
};

export type RunningServer = {
  readonly port: number;
  /** Ends the server; resolves once its last connection is closed. */
  close(): Promise<void>;
};

/**
 * Serves the data plane until `close` is called.
 * @throws OperationError `ADDRESS_UNAVAILABLE` if it cannot listen there.
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { store, log } = options;
  const limits = options.limits ?? SERVER_LIMITS;
  const { memory, waitingMax } = limits;
  const { signer, inventory } = options;
  const plane = createDataPlane({ store, log, memory, waitingMax, signer, inventory });
  const listener = options.logRequests === true ? logged(plane, log) : plane;
  return serveListener(listener, limits, { ...options, takesBodies: false });
}

/**
 * Serves `listener` until `close` is called. @param options.takesBodies whether a client that asks first may send its body.
 * @throws OperationError `ADDRESS_UNAVAILABLE` if it cannot listen there.
 */
export async function serveListener(
  listener: RequestListener,
  limits: ConnectionLimits,
  options: ListenOptions & { readonly takesBodies: boolean },
): Promise<RunningServer> {
  const { host, log } = options;
  const server = createLimitedServer(listener, limits);
  // Where no body is taken, a client that asks before it sends one is answered, not told to go on.
  if (!options.takesBodies) server.on('checkContinue', listener);
  server.on('clientError', refuseMalformed);
  const port = await listen(server, options);
  reportRefusals(server, limits.connectionsMax, log);
  log({ event: 'listening', host, port });
  return {
    port,
    close: async () => {
      await close(server, limits.closingMs);
      log({ event: 'closed' });
    },
  };
}

function createLimitedServer(listener: RequestListener, limits: ConnectionLimits): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.headBytesMax,
      headersTimeout: limits.headMs,
      requestTimeout: limits.requestMs,
      // Node looks for late requests this often: a limit holds to within a quarter of it.
      connectionsCheckingInterval: Math.ceil(limits.headMs / 4),
      keepAliveTimeout: limits.idleMs,
    },
    listener,
  );
  // The size bounds the number of fields; a number of its own would make Node drop fields unseen.
  server.maxHeadersCount = 0;
  server.maxConnections = limits.connectionsMax;
  server.timeout = limits.silentMs;
  return server;
}

/** Refuses what Node's parser cannot read. */
function refuseMalformed(error: Error, socket: Duplex): void {
  const code = 'code' in error ? error.code : undefined;
  const refusal: Refusal =
    code === 'HPE_HEADER_OVERFLOW'
      ? 'HEADERS_TOO_LARGE'
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'REQUEST_TIMEOUT'
        : 'REQUEST_MALFORMED';
  const answered = 'bytesWritten' in socket && socket.bytesWritten !== 0;
  if (answered || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, fields, body } = refusalProblem(refusal);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...pairs([...fields, 'Connection', 'close']),
    '',
    '',
  ];
  socket.write(lines.join('\r\n'));
  socket.end(body, () => socket.destroy());
}

function pairs(fields: readonly string[]): readonly string[] {
  return fields.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${fields[i + 1] ?? ''}`] : []));
}

/** Tells when connections are refused; once a minute, for whoever causes it could fill the log as well. */
function reportRefusals(server: Server, connectionsMax: number, log: EventSink): void {
  let told = false;
  const tell = (detail: string): void => {
    if (told) return;
    told = true;
    setTimeout(() => (told = false), 60_000).unref();
    log({ event: 'connections-refused', detail });
  };
  server.on('drop', () => tell(`${connectionsMax} are open, which is the maximum`));
  // Accepting fails where the system has no more file descriptors; the server goes on.
  server.on('error', (fault) => tell(fault.message));
}

function logged(listener: RequestListener, log: EventSink): RequestListener {
  return (request, response) => {
    const { method = '', url = '' } = request;
    response.once('close', () => log({ event: 'request', method, url, status: response.statusCode }));
    listener(request, response);
  };
}

async function listen(server: Server, { host, port }: ListenOptions): Promise<number> {
  return new Promise((resolve, refuse) => {
    const fail = (cause: Error): void => {
      const detail = `${host} port ${port} cannot be listened at: ${cause.message}`;
      refuse(new OperationError('ADDRESS_UNAVAILABLE', detail, { retriable: true, cause }));
    };
    server.once('error', fail);
    server.listen({ host, port }, () => {
      server.off('error', fail);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/** How often connections are looked for that have become idle since the server closes. */
const CLOSING_LOOK_MS = 50;

async function close(server: Server, closingMs: number): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), closingMs);
  const look = setInterval(() => server.closeIdleConnections(), CLOSING_LOOK_MS);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearTimeout(cut);
  clearInterval(look);
}
