/** The client over HTTP: what every client and whoever speaks HTTP must do, and what is its own: redirects, codings, names, tags. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { repositoryClientHttp } from '../../../bootloader-verifier/agent/repository-client-http.ts';
import { testHttp } from '../http-contract.ts';
import { answering, oddServer } from '../odd-server.ts';
import { testRepositoryClient } from '../repository-client-contract.ts';

const TIMESTAMP = 'metadata/timestamp.json';
const LIMITS = { silenceMsMax: 50_000, stop: new AbortController().signal };

testHttp({
  make: (base, limits) => repositoryClientHttp(base, limits).get,
  tooLarge: 'RESPONSE_TOO_LARGE',
  absent: [],
});

describe.each([
  ['with tags', (): Record<string, string> => ({ etag: '"one"' })],
  ['without tags', (): Record<string, string> => ({})],
])('over a server %s', (_, tags) => {
  testRepositoryClient(async (files) => {
    const server = await oddServer();
    server.answer(({ url = '', headers }, response) => {
      const bytes = files.get(decodeURIComponent(url.slice(server.base.pathname.length)));
      const isKnown = tags()['etag'] !== undefined && headers['if-none-match'] === tags()['etag'];
      response.writeHead(bytes === undefined ? 404 : isKnown ? 304 : 200, tags());
      response.end(isKnown ? undefined : bytes);
    });
    return repositoryClientHttp(server.base, LIMITS);
  });
});

test('a redirect is not followed, on the same server or to another', async () => {
  const server = await oddServer();
  const client = repositoryClientHttp(server.base, LIMITS);
  for (const status of [301, 302, 303, 307, 308]) {
    for (const location of ['/r/gateway/metadata/other.json', 'http://127.0.0.1:1/']) {
      server.asked.length = 0;
      server.answer(answering(status, '', { location }));
      await expect(client.get(TIMESTAMP, 100)).rejects.toMatchObject({ code: 'RESPONSE_UNEXPECTED' });
      expect(server.asked).toHaveLength(1);
    }
  }
});

test('a body that was compressed counts as long as it becomes', async () => {
  const server = await oddServer();
  const bomb = gzipSync(new Uint8Array(10_000_000));
  server.answer(answering(200, bomb, { 'content-encoding': 'gzip' }));
  expect(bomb.length).toBeLessThan(20_000);
  const client = repositoryClientHttp(server.base, LIMITS);
  await expect(client.get(TIMESTAMP, 100_000)).rejects.toMatchObject({ code: 'RESPONSE_TOO_LARGE', retriable: true });
});

test('the last timestamp is asked for by its tag, and taken from memory when it is still the same', async () => {
  const server = await oddServer();
  server.answer((request, response) => {
    const same = request.headers['if-none-match'] === '"one"';
    response.writeHead(same ? 304 : 200, { etag: '"one"' }).end(same ? '' : 'timestamp one');
  });
  const client = repositoryClientHttp(server.base, LIMITS);
  expect(await client.get(TIMESTAMP, 100)).toEqual(encodeUtf8('timestamp one'));
  expect(await client.get(TIMESTAMP, 100)).toEqual(encodeUtf8('timestamp one'));
  expect(server.asked.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"one"']);
  server.answer(answering(200, 'timestamp two'));
  expect(await client.get(TIMESTAMP, 100)).toEqual(encodeUtf8('timestamp two'));
  await client.get(TIMESTAMP, 100);
  expect(server.asked.at(-1)?.headers['if-none-match']).toBeUndefined();
});

test('no other file is asked for by a tag, and 304 without one is an error', async () => {
  const server = await oddServer();
  server.answer(answering(200, 'root', { etag: '"root"' }));
  const client = repositoryClientHttp(server.base, LIMITS);
  await client.get('metadata/1.root.json', 100);
  await client.get('metadata/1.root.json', 100);
  expect(server.asked.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, undefined]);
  server.answer(answering(304));
  await expect(client.get('metadata/1.root.json', 100)).rejects.toMatchObject({ code: 'RESPONSE_UNEXPECTED' });
});

test('a name is data: it carries no query, no host and no other path', async () => {
  const server = await oddServer();
  server.answer(answering(200, 'file'));
  const client = repositoryClientHttp(server.base, LIMITS);
  for (const name of ['metadata/a?b=c', 'metadata/a#b', 'metadata/a%2fb', 'http:/other.example/x y']) {
    await client.get(name, 100);
  }
  expect(server.asked.map(({ url }) => url)).toEqual([
    '/r/gateway/metadata/a%3Fb%3Dc',
    '/r/gateway/metadata/a%23b',
    '/r/gateway/metadata/a%252fb',
    '/r/gateway/http%3A/other.example/x%20y',
  ]);
  for (const name of ['../secret', 'metadata/../../x', 'metadata/./x', '/etc/passwd', 'metadata//x', '']) {
    await expect(client.get(name, 100), name).rejects.toThrow('a name of plain segments');
  }
  expect(server.asked).toHaveLength(4);
});
