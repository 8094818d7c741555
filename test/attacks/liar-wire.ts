/**
 * The liar's wire: HTTP as a device meets it when the server, or whoever stands before it, plays games with the protocol itself.
 *
 * - What a file says is a lie of its own (`liar.ts`); here it is how an answer is put: status, head, length, encoding, end.
 * - Requests of the device's own clients arrive at `/r/N/NAME` for files of the repository, at `/e/N/PATH` for identities.
 * - A game that never ends an answer is played against a client that waits briefly; all others against one that is patient.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { concatBytes, encodeUtf8 } from '../../formats/bytes.ts';
import { CODES } from '../../formats/codes.ts';
import { sha256Bytes } from '../../formats/sha256.ts';
import { seededRandom, type Random } from '../../simulation/seed.ts';
import type { Ends } from '../temporary-folder.ts';

/** An answer, as an honest server would put it. */
export type Honest = { readonly status: number; readonly body: Uint8Array };
export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly honest: Honest;
  readonly random: Random;
};
export type Game = {
  readonly kind: string;
  /** Whether its answers never come to an end. */
  readonly isEndless?: boolean;
  readonly play: (exchange: Exchange) => void;
};
/** A game, and what it draws from: chosen when it begins, so that no draw depends on who was faster. */
export type Played = { readonly game: Game; readonly seed: number };
/** What is served at the wire for device `index`. */
export type WireAnswer = (
  index: number,
  asked: {
    readonly kind: 'r' | 'e';
    readonly name: string;
    readonly request: IncomingMessage;
    readonly body: Uint8Array;
  },
) => Promise<{ readonly honest: Honest; readonly played: Played | undefined; readonly done: () => void }>;
export type Wire = {
  readonly url: URL;
  /** How many redirects were followed. */
  readonly followed: () => number;
  /** Settles once nothing is under way that an answer is made from: whoever gave up on it does not hurry it. */
  readonly idle: () => Promise<unknown>;
};

const ASKED = /^\/([re])\/(\d+)\/(.*)$/;
/** Where redirects lead. */
const ELSEWHERE = '/elsewhere/';
const BOMB = gzipSync(new Uint8Array(4_000_000));
const SAME_TAG = '"the same for everything"';
const DRIP_MS = 20;

/** Serves the wire. */
export async function serveWire(answer: WireAnswer, ends: Ends): Promise<Wire> {
  let followed = 0;
  const underWay = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    // No answer depends on what became of the connection of the one before.
    response.shouldKeepAlive = false;
    if (request.url?.startsWith(ELSEWHERE) === true) followed++;
    const [, kind, index, name = ''] = ASKED.exec(request.url ?? '') ?? [];
    if (kind !== 'r' && kind !== 'e') return void response.writeHead(404).end();
    const served = async (): Promise<void> => {
      const asked = { kind, name: decodeURIComponent(name), request, body: await bodyOf(request) } as const;
      const { honest, played, done } = await answer(Number(index), asked);
      const random = seededRandom((played?.seed ?? 0) + sha256Bytes(encodeUtf8(name)).reduce((a, b) => a + b, 0));
      (played?.game.play ?? plainly)({ request, response, honest, random });
      done();
    };
    const serving = served()
      .catch((fault: unknown) => void response.destroy(fault instanceof Error ? fault : undefined))
      .finally(() => underWay.delete(serving));
    underWay.add(serving);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: new URL(`http://127.0.0.1:${port ?? 0}/`),
    followed: () => followed,
    idle: () => Promise.all(underWay),
  };
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return concatBytes(...chunks);
}

function plainly({ response, honest }: Exchange): void {
  response.writeHead(honest.status).end(honest.body);
}

/** Writes `text` and `bytes` to the socket as they are, and goes away. */
function raw({ request }: Pick<Exchange, 'request'>, text: string, bytes: Uint8Array = new Uint8Array()): void {
  request.socket.end(concatBytes(encodeUtf8(text), bytes));
}

/** Writes `piece` again and again, as fast as it is taken, until the device goes away. */
function again({ request: { socket } }: Exchange, start: string, piece: (count: number) => string): void {
  let count = 0;
  const more = (): void => {
    if (socket.writable && socket.write(piece(count++))) setImmediate(more);
  };
  socket.on('drain', more);
  socket.on('error', () => socket.destroy());
  socket.write(start);
  more();
}

function oneOf<T>(random: Random, items: readonly [T, ...T[]]): T {
  return items[random(items.length)] ?? items[0];
}

const STATUSES = [201, 204, 206, 300, 400, 401, 403, 407, 410, 418, 429, 500, 503, 599] as const;

/** Games with any answer. */
const ANY: readonly Game[] = [
  {
    kind: 'a redirect',
    play: ({ request, response, random }) => {
      const location = oneOf(random, [ELSEWHERE, `http://${request.headers.host ?? ''}${ELSEWHERE}x`, '//elsewhere']);
      response.writeHead(oneOf(random, [301, 302, 303, 307, 308]), { location }).end('moved');
    },
  },
  {
    kind: 'any other status, with the honest body',
    play: ({ response, honest, random }) => void response.writeHead(oneOf(random, STATUSES)).end(honest.body),
  },
  {
    kind: 'a length that is not that of the body',
    play: (exchange) => {
      const { body } = exchange.honest;
      const length = oneOf(exchange.random, [0, body.length >> 1, body.length + 1, 999_999_999, -1]);
      raw(exchange, `HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`, body);
    },
  },
  {
    kind: 'fields that stand twice, or contradict each other',
    play: (exchange) => {
      const { length } = exchange.honest.body;
      const fields = oneOf(exchange.random, [
        `content-length: ${length}\r\ncontent-length: ${length}`,
        `content-length: ${length}\r\ncontent-length: ${length >> 1}`,
        `content-length: ${length}\r\ntransfer-encoding: chunked`,
        `content-length: ${length}\r\ncontent-encoding: gzip\r\ncontent-encoding: identity`,
        `content-length: ${length}\r\netag: "one"\r\netag: "two"`,
      ]);
      raw(exchange, `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`, exchange.honest.body);
    },
  },
  {
    kind: 'a compressed answer, a bomb, or one that only says so',
    play: ({ response, honest, random }) => {
      const [encoding, body] = oneOf(random, [
        ['gzip', gzipSync(honest.body)],
        ['gzip', BOMB],
        ['gzip', honest.body],
        ['gzip', gzipSync(honest.body).subarray(0, -9)],
        ['gzip, gzip', gzipSync(gzipSync(honest.body))],
        ['br', honest.body],
        ['unheard-of', honest.body],
      ] as const);
      response.writeHead(200, { 'content-encoding': encoding }).end(body);
    },
  },
  {
    kind: 'a head without end',
    play: (exchange) => again(exchange, 'HTTP/1.1 200 OK\r\n', (count) => `x-${count}: ${'a'.repeat(1_000)}\r\n`),
  },
  {
    kind: 'a body without end',
    play: (exchange) => {
      const status = oneOf(exchange.random, [200, 404, 302, 500]);
      again(exchange, `HTTP/1.1 ${status} x\r\nconnection: close\r\n\r\n`, () => '{'.repeat(16_384));
    },
  },
  {
    kind: 'nonsense in the place of HTTP, or nothing at all',
    play: (exchange) =>
      raw(exchange, oneOf(exchange.random, ['', 'SSH-2.0-liar\r\n', 'HTTP/9.9 200 \r\n\r\n', '\0\0'])),
  },
  {
    kind: 'an answer that never comes',
    isEndless: true,
    play: () => undefined,
  },
  {
    kind: 'an answer that drips',
    isEndless: true,
    play: ({ request: { socket }, random }) => {
      const drop = oneOf(random, ['.', 'x: y\r\n', 'HTTP/1.1 103 Early Hints\r\n\r\n']);
      socket.write(drop === '.' ? 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n' : '');
      const drip = setInterval(() => socket.write(drop), DRIP_MS);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => clearInterval(drip));
    },
  },
];

/** Games with the files of a repository. */
export const FILE_GAMES: readonly Game[] = [
  ...ANY,
  {
    kind: '"not modified" to whoever has nothing',
    play: ({ response }) => void response.writeHead(304, { etag: SAME_TAG }).end(),
  },
  {
    kind: 'a part of a file that nobody asked for',
    play: ({ response, honest: { body }, random }) => {
      const start = random(body.length + 1);
      const range = `bytes ${start}-${body.length - 1}/${oneOf(random, [body.length, 1, '*'])}`;
      response.writeHead(oneOf(random, [200, 206]), { 'content-range': range }).end(body.subarray(start));
    },
  },
  {
    kind: 'one tag for everything',
    play: ({ request, response, honest }) => {
      const isKnown = request.headers['if-none-match'] === SAME_TAG;
      response.writeHead(isKnown ? 304 : honest.status, { etag: SAME_TAG }).end(isKnown ? undefined : honest.body);
    },
  },
];

/** Games with the answers about identities. */
export const IDENTITY_GAMES: readonly Game[] = [
  ...ANY,
  {
    kind: 'any refusal in the place of an answer',
    play: ({ response, random }) => {
      const codes = Object.keys(CODES);
      const problem = { code: codes[random(codes.length)], detail: 'the liar says so' };
      response.writeHead(400, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
    },
  },
  {
    kind: 'a nonce of any length',
    play: ({ request, response, honest, random }) => {
      const isNonce = request.url?.endsWith('/nonce') === true;
      response.writeHead(200).end(isNonce ? new Uint8Array(oneOf(random, [0, 1, 47, 49, 4_096, 16_384])) : honest.body);
    },
  },
];
