/** The client over HTTP against a real server that does what it likes: limits, silence, names, and what counts as absent. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import type { RepositoryClient } from '../../../bootloader-verifier/agent/repository-client.ts';
import { repositoryClientHttp } from '../../../bootloader-verifier/agent/repository-client-http.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Far longer than any test that does not wait for it. */
const PATIENT_MS = 50_000;
const TIMESTAMP = 'metadata/timestamp.json';

let server: Server;
let handler: Handler;
let asked: IncomingMessage[];
const stop = new AbortController();

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(request);
    void handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function client(silenceMsMax = PATIENT_MS, signal: AbortSignal = stop.signal): RepositoryClient {
  const { port } = server.address() as AddressInfo;
  return repositoryClientHttp(new URL(`http://127.0.0.1:${port}/r/gateway/`), { silenceMsMax, stop: signal });
}

function answer(status: number, body: string | Uint8Array = '', headers: Record<string, string> = {}): Handler {
  return (_, response) => {
    response.writeHead(status, headers).end(body);
  };
}

test('a file that is there is fetched from below the address of the product', async () => {
  handler = answer(200, 'the file');
  expect(await client().get('metadata/1.root.json', 100)).toEqual(encodeUtf8('the file'));
  expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /r/gateway/metadata/1.root.json']);
});

test('only 404 is an absence: every other status is an error, whatever stands in its body', async () => {
  handler = answer(404, 'no such file');
  expect(await client().get('metadata/2.root.json', 100)).toBeUndefined();
  for (const status of [201, 204, 206, 304, 400, 401, 403, 410, 418, 429]) {
    handler = answer(status);
    const unexpected = { code: 'RESPONSE_UNEXPECTED', retriable: false };
    await expect(client().get(TIMESTAMP, 100), `${status}`).rejects.toMatchObject(unexpected);
  }
  for (const status of [500, 502, 503]) {
    handler = answer(status, 'later');
    await expect(client().get(TIMESTAMP, 100)).rejects.toMatchObject({ code: 'RESPONSE_UNEXPECTED', retriable: true });
  }
});

test('a redirect is not followed, on the same server or to another', async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    for (const location of ['/r/gateway/metadata/other.json', 'http://127.0.0.1:1/']) {
      asked = [];
      handler = answer(status, '', { location });
      await expect(client().get(TIMESTAMP, 100)).rejects.toMatchObject({ code: 'RESPONSE_UNEXPECTED' });
      expect(asked).toHaveLength(1);
    }
  }
});

test('a body of as many bytes as allowed is kept, one byte more is refused', async () => {
  handler = answer(200, 'x'.repeat(1_000));
  expect(await client().get(TIMESTAMP, 1_000)).toHaveLength(1_000);
  await expect(client().get(TIMESTAMP, 999)).rejects.toMatchObject({ code: 'RESPONSE_TOO_LARGE', retriable: true });
});

test('an endless body is cut off while it streams: the server gets rid of no more than the buffers between', async () => {
  let sentBytes = 0;
  const chunk = new Uint8Array(16_384);
  const closed = new Promise<void>((resolve) => {
    handler = async (_, response) => {
      response.on('close', resolve);
      response.writeHead(200);
      while (!response.destroyed) {
        sentBytes += chunk.length;
        if (!response.write(chunk)) await Promise.race([closed, new Promise((done) => response.once('drain', done))]);
      }
    };
  });
  await expect(client().get(TIMESTAMP, 100_000)).rejects.toMatchObject({ code: 'RESPONSE_TOO_LARGE' });
  await closed;
  expect(sentBytes).toBeLessThan(16_000_000);
});

test('a body that was compressed counts as long as it becomes', async () => {
  const bomb = gzipSync(new Uint8Array(10_000_000));
  handler = answer(200, bomb, { 'content-encoding': 'gzip' });
  expect(bomb.length).toBeLessThan(20_000);
  await expect(client().get(TIMESTAMP, 100_000)).rejects.toMatchObject({ code: 'RESPONSE_TOO_LARGE' });
});

test('a body that breaks off is an error, not a shorter file', async () => {
  handler = (_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('only this');
    setTimeout(() => response.destroy(), 20);
  };
  await expect(client().get(TIMESTAMP, 100)).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE', retriable: true });
});

test('a server that accepts and says nothing is given up, and so is one that stops in the middle of a body', async () => {
  handler = () => undefined;
  await expect(client(200).get(TIMESTAMP, 100)).rejects.toMatchObject({ code: 'NETWORK_TIMEOUT', retriable: true });
  handler = (_, response) => {
    response.writeHead(200);
    response.write('a beginning');
  };
  await expect(client(200).get(TIMESTAMP, 100)).rejects.toMatchObject({ code: 'NETWORK_TIMEOUT', retriable: true });
});

test('a server that drips bytes to keep the line open is given up', async () => {
  let dripped = 0;
  handler = async (_, response) => {
    response.writeHead(200);
    while (!response.destroyed) {
      response.write('.');
      dripped++;
      await wait(10);
    }
  };
  await expect(client(1_000).get(TIMESTAMP, 1_000_000)).rejects.toMatchObject({ code: 'NETWORK_TIMEOUT' });
  expect(dripped).toBeGreaterThan(1);
});

test('a download may take far longer than the limit of silence, as long as it moves', async () => {
  const silenceMs = 1_500;
  handler = async (_, response) => {
    response.writeHead(200);
    for (let i = 0; i < 10; i++) {
      response.write(new Uint8Array(4_096));
      await wait(silenceMs / 6);
    }
    response.end();
  };
  const started = performance.now();
  expect(await client(silenceMs).get('targets/1.0.0/gateway/image.js', 50_000)).toHaveLength(40_960);
  expect(performance.now() - started).toBeGreaterThan(silenceMs);
});

test('a server that is not there is unreachable', async () => {
  const gone = client();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await expect(gone.get(TIMESTAMP, 100)).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE', retriable: true });
  server.listen(0, '127.0.0.1');
});

test('the last timestamp is asked for by its tag, and taken from memory when it is still the same', async () => {
  handler = (request, response) => {
    const same = request.headers['if-none-match'] === '"one"';
    response.writeHead(same ? 304 : 200, { etag: '"one"' }).end(same ? '' : 'timestamp one');
  };
  const own = client();
  expect(await own.get(TIMESTAMP, 100)).toEqual(encodeUtf8('timestamp one'));
  expect(await own.get(TIMESTAMP, 100)).toEqual(encodeUtf8('timestamp one'));
  expect(asked.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"one"']);
  handler = answer(200, 'timestamp two');
  expect(await own.get(TIMESTAMP, 100)).toEqual(encodeUtf8('timestamp two'));
  await own.get(TIMESTAMP, 100);
  expect(asked.at(-1)?.headers['if-none-match']).toBeUndefined();
});

test('no other file is asked for by a tag, and 304 without one is an error', async () => {
  handler = answer(200, 'root', { etag: '"root"' });
  const own = client();
  await own.get('metadata/1.root.json', 100);
  await own.get('metadata/1.root.json', 100);
  expect(asked.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, undefined]);
  handler = answer(304);
  await expect(own.get('metadata/1.root.json', 100)).rejects.toMatchObject({ code: 'RESPONSE_UNEXPECTED' });
});

test('a name is data: it carries no query, no host and no other path', async () => {
  handler = answer(200, 'file');
  for (const name of [
    'metadata/a?b=c',
    'metadata/a#b',
    'metadata/a%2fb',
    'http://other.example/x y'.replace('//', '/'),
  ]) {
    await client().get(name, 100);
  }
  expect(asked.map(({ url }) => url)).toEqual([
    '/r/gateway/metadata/a%3Fb%3Dc',
    '/r/gateway/metadata/a%23b',
    '/r/gateway/metadata/a%252fb',
    '/r/gateway/http%3A/other.example/x%20y',
  ]);
  for (const name of ['../secret', 'metadata/../../x', 'metadata/./x', '/etc/passwd', 'metadata//x', '']) {
    await expect(client().get(name, 100), name).rejects.toThrow('a name of plain segments');
  }
  expect(asked).toHaveLength(4);
});

test('a device that is to stop does not wait for its server', async () => {
  const stopping = new AbortController();
  handler = (_, response) => {
    response.writeHead(200);
    response.write('a beginning');
    setTimeout(() => stopping.abort(), 20);
  };
  const waiting = client(PATIENT_MS, stopping.signal).get(TIMESTAMP, 100);
  await expect(waiting).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE' });
});
