/** Hostile requests: names, ranges, methods, bodies and heads that a device would never send. */
import fc from 'fast-check';
import { symlinkSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CODES } from '../../formats/codes.ts';
import { URL_BYTES_MAX } from '../../ota-server/data-plane.ts';
import { sendRaw, startServer, type ServerUnderTest } from './running-server.ts';

const TIMESTAMP = '/r/gw/metadata/timestamp.json';
const SECRET = 'what-nobody-published';

/** A server with a timestamp in memory, and a file beside its folder and above its objects that must never be seen. */
async function startWithSecret(): Promise<ServerUnderTest> {
  const under = await startServer();
  under.put('gw/metadata/timestamp.json', '{"timestamp":1}');
  await under.get(TIMESTAMP);
  for (const name of ['secret', 'gw/secret', 'gw/metadata/secret', '.hidden', 'gw/.hidden']) {
    writeFileSync(join(under.folder, name), SECRET);
  }
  return under;
}

/** The answer to a GET of `target` as raw as it is, on a connection that closes after it. */
async function rawGet({ port }: ServerUnderTest, target: string): Promise<string> {
  return sendRaw(port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
}

/** What an answer of any kind never holds: what was not published, where the server runs, what its code looks like. */
function expectNothingLeaks(answer: string, { folder }: ServerUnderTest): void {
  for (const leak of [
    SECRET,
    folder,
    process.cwd(),
    'node_modules',
    '.ts:',
    '    at ',
    'Express',
    'X-Powered-By',
    '<html',
  ]) {
    expect(answer).not.toContain(leak);
  }
}

/** Status and code of a problem. */
function problemOf(answer: string): readonly [number, string] {
  const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as { status: number; code: string };
  expect(answer.startsWith(`HTTP/1.1 ${body.status} `)).toBe(true);
  expect(answer).toMatch(/\r\ncontent-type: application\/problem\+json\r\n/i);
  expect(Object.keys(CODES)).toContain(body.code);
  return [body.status, body.code];
}

test('no name leads out of the store, to a hidden file, or to what is no object', async () => {
  const under = await startWithSecret();
  for (const target of [
    '/r/../secret',
    '/r/gw/metadata/../../secret',
    '/r/gw/metadata/..%2f..%2fsecret',
    '/r/%2e%2e%2fsecret',
    '/r/%2e%2e/secret',
    '/r/%252e%252e%252fsecret',
    '/r/gw%2fmetadata%2ftimestamp.json',
    '/r/gw/metadata/timestamp.json%00',
    '/r/gw\\metadata\\timestamp.json',
    '/r//gw/metadata/timestamp.json',
    '/r/gw/metadata/secret',
    '/r/gw/secret',
    '/r/secret',
    '/r/.hidden',
    '/r/gw/.hidden',
    '/r/gw/metadata/',
    '/r/gw',
    '/r/',
    '/secret',
    '/../secret',
    '/etc/passwd',
    '//etc/passwd',
    `/r/gw/metadata/1.${'r'.repeat(256)}.json`,
    `/r/${'p'.repeat(300)}/metadata/timestamp.json`,
    '/r/gw/metadata/\u00fc.json',
    `${TIMESTAMP}?x`,
    '*',
  ]) {
    const answer = await rawGet(under, target);
    const [status, code] = problemOf(answer);
    expect(['NAME_REFUSED', 'NOT_FOUND', 'REQUEST_MALFORMED'], target).toContain(code);
    expect([400, 404]).toContain(status);
    expectNothingLeaks(answer, under);
  }
});

test('whatever bytes stand in the request line, the answer is one of ours and holds nothing of the machine', async () => {
  const under = await startWithSecret();
  const piece = fc.constantFrom(
    'r',
    '/',
    '..',
    '%2e',
    '%2f',
    '%00',
    '%',
    '\\',
    'gw',
    'metadata',
    'secret',
    '?',
    '#',
    ' ',
    '\t',
    '\u00e9',
    '\0',
    '\r',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
      const answer = await rawGet(under, `/r/gw/${pieces.join('')}`);
      expect(problemOf(answer)[0]).toBeOneOf([400, 404]);
      expectNothingLeaks(answer, under);
    }),
    { numRuns: 150 },
  );
});

test('whatever stands in Range, the answer is whole, a part that fits, or a refusal', async () => {
  const { put, get } = await startServer();
  put('gw/metadata/timestamp.json', '0123456789');
  const field = fc.array(fc.constantFrom('bytes=', '0', '5', '9', '99999999999999999999', '-', ',', ' ', 'x', '='), {
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(field, async (pieces) => {
      const answer = await get(TIMESTAMP, { range: pieces.join('') });
      expect(answer.status).toBeOneOf([200, 206, 416]);
      if (answer.status === 200) expect(answer.body.toString()).toBe('0123456789');
      if (answer.status !== 206) return;
      const [start, end] = /^bytes (\d)-(\d)\/10$/.exec(answer.headers['content-range'] ?? '')?.slice(1) ?? [];
      expect(answer.body.toString()).toBe('0123456789'.slice(Number(start), Number(end) + 1));
    }),
    { numRuns: 100 },
  );
});

test('two Range fields are no range, and a thousand tags are read', async () => {
  const under = await startWithSecret();
  const head = `GET ${TIMESTAMP} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`;
  expect(await sendRaw(under.port, `${head}Range: bytes=0-1\r\nRange: bytes=2-3\r\n\r\n`)).toMatch(/^HTTP\/1.1 200 /);
  const tags = Array.from({ length: 1000 }, () => '"x"').join(',');
  expect(await sendRaw(under.port, `${head}If-None-Match: ${tags},*\r\n\r\n`)).toMatch(/^HTTP\/1.1 200 /);
});

test('a link planted in the store is told as a fault, and nothing behind it is served', async () => {
  const under = await startWithSecret();
  const target = `gw/targets/1.0.0/app/${'a'.repeat(64)}.bin`;
  mkdirSync(join(under.folder, 'gw/targets/1.0.0/app'), { recursive: true });
  symlinkSync(join(under.folder, 'secret'), join(under.folder, target));
  symlinkSync('/etc/passwd', join(under.folder, 'gw/metadata/1.root.json'));
  symlinkSync('/etc', join(under.folder, 'etc'));
  for (const name of [target, 'gw/metadata/1.root.json']) {
    const answer = await rawGet(under, `/r/${name}`);
    expect(problemOf(answer)).toEqual([503, 'FILE_UNREADABLE']);
    expectNothingLeaks(answer, under);
    expect(answer).not.toMatch(/root:|retry-after/i);
    expect(under.events.at(-1)).toMatchObject({ event: 'store-fault', code: 'FILE_UNREADABLE', object: name });
  }
  expect(problemOf(await rawGet(under, '/r/etc/passwd'))).toEqual([404, 'NOT_FOUND']);
});

test('only GET and HEAD are known, at every address', async () => {
  const under = await startWithSecret();
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY']) {
    for (const target of [TIMESTAMP, '/elsewhere', '*']) {
      const answer = await sendRaw(under.port, `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(problemOf(answer), `${method} ${target}`).toEqual([405, 'METHOD_NOT_ALLOWED']);
      expect(answer).toMatch(/\r\nAllow: GET, HEAD\r\n/);
    }
  }
  expect(await sendRaw(under.port, 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n')).toBe('');
  expect(problemOf(await sendRaw(under.port, `FETCH ${TIMESTAMP} HTTP/1.1\r\nHost: x\r\n\r\n`))).toEqual([
    400,
    'REQUEST_MALFORMED',
  ]);
});

test('a body is never read: who sends one is refused and the connection closed', async () => {
  const under = await startWithSecret();
  const withBody = (method: string, fields: string) =>
    `${method} ${TIMESTAMP} HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n`;
  for (const fields of [
    'Content-Length: 5\r\n\r\nhello',
    'Content-Length: 100000',
    'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0',
  ]) {
    expect(problemOf(await sendRaw(under.port, withBody('GET', fields))), fields).toEqual([413, 'BODY_REFUSED']);
    expect(problemOf(await sendRaw(under.port, withBody('POST', fields))), fields).toEqual([405, 'METHOD_NOT_ALLOWED']);
  }
  const invited = await sendRaw(under.port, withBody('GET', 'Content-Length: 5\r\nExpect: 100-continue'));
  expect(problemOf(invited)).toEqual([413, 'BODY_REFUSED']);
  expect((await under.get(TIMESTAMP, { 'content-length': '0' })).status).toBe(200);
});

test('a request that two servers could read in two ways is refused', async () => {
  const under = await startWithSecret();
  const next = `GET ${TIMESTAMP} HTTP/1.1\r\nHost: x\r\n\r\n`;
  for (const fields of [
    'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'Content-Length: 4\r\nContent-Length: 5\r\n\r\n',
    'Content-Length: -1\r\n\r\n',
    'Transfer-Encoding: chunked, identity\r\n\r\n',
    'Transfer-Encoding : chunked\r\n\r\n',
    ' folded: line\r\n\r\n',
    'X: a\rb\r\n\r\n',
    'X: a\0b\r\n\r\n',
  ]) {
    const answer = await sendRaw(under.port, `GET ${TIMESTAMP} HTTP/1.1\r\nHost: x\r\n${fields}${next}`);
    expect(problemOf(answer), fields).toEqual([400, 'REQUEST_MALFORMED']);
    expectNothingLeaks(answer, under);
  }
});

test('an address at its limit is read, a longer one is refused; so is a longer head', async () => {
  const under = await startWithSecret();
  const address = (length: number) => `/r/${'a'.repeat(length - 3)}`;
  expect(problemOf(await rawGet(under, address(URL_BYTES_MAX)))).toEqual([404, 'NOT_FOUND']);
  expect(problemOf(await rawGet(under, address(URL_BYTES_MAX + 1)))).toEqual([414, 'URL_TOO_LONG']);
  const head = (length: number) =>
    `GET ${TIMESTAMP} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ${'x'.repeat(length)}\r\n\r\n`;
  expect(await sendRaw(under.port, head(8_000))).toMatch(/^HTTP\/1.1 200 /);
  expect(problemOf(await sendRaw(under.port, head(8_192)))).toEqual([431, 'HEADERS_TOO_LARGE']);
  const fields = Array.from({ length: 900 }, (_, i) => `x${i}:\r\n`).join('');
  const last = `GET ${TIMESTAMP} HTTP/1.1\r\nHost: x\r\n${fields}Content-Length: 1\r\n\r\n`;
  expect(problemOf(await sendRaw(under.port, last))).toEqual([413, 'BODY_REFUSED']);
});
