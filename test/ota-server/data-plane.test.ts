/** The data plane as devices and caches see it: over HTTP, from a published folder. */
import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import { startServer } from './running-server.ts';

const SHA256 = 'a'.repeat(64);
const TARGET = `gw/targets/1.0.0/app/${SHA256}.app.bin`;
const TIMESTAMP = '/r/gw/metadata/timestamp.json';
const IMMUTABLE = 'public, max-age=31536000, immutable';
const etagOf = (content: string | Uint8Array) => `"${hash('sha256', content, 'hex')}"`;
const IMAGE = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 31 + (i >> 9)) & 0xff);

test('metadata is served as JSON under the hash of its content; only timestamp.json may change', async () => {
  const { put, get } = await startServer();
  put('gw/metadata/timestamp.json', '{"timestamp":1}');
  put('gw/metadata/1.root.json', '{"root":1}');
  put('gw/metadata/3.eu%2Fstable.json', '{"role":3}');
  for (const [path, body, caching] of [
    [TIMESTAMP, '{"timestamp":1}', 'no-cache'],
    ['/r/gw/metadata/1.root.json', '{"root":1}', IMMUTABLE],
    ['/r/gw/metadata/3.eu%2Fstable.json', '{"role":3}', IMMUTABLE],
    ['/r/gw/metadata/3.eu%2fst%61ble.json', '{"role":3}', IMMUTABLE],
  ] as const) {
    for (const way of ['through Express', 'from memory']) {
      const answer = await get(path);
      expect([answer.status, answer.body.toString()], `${path} ${way}`).toEqual([200, body]);
      expect(answer.headers).toMatchObject({
        etag: etagOf(body),
        'cache-control': caching,
        'content-type': 'application/json',
        'content-length': String(body.length),
        'accept-ranges': 'bytes',
        'x-content-type-options': 'nosniff',
      });
      expect(answer.headers).not.toHaveProperty('x-powered-by');
    }
  }
});

test('the log is served as C2SP has it: notes as text that may change, tiles and entries as bytes that never do', async () => {
  const { put, get } = await startServer();
  for (const [name, type, caching] of [
    ['gw/log/checkpoint', 'text/plain; charset=utf-8', 'no-cache'],
    [`gw/log/proof/${SHA256}`, 'text/plain; charset=utf-8', 'no-cache'],
    ['gw/log/tile/0/x001/000.p/7', 'application/octet-stream', IMMUTABLE],
    ['gw/log/tile/entries/000', 'application/octet-stream', IMMUTABLE],
  ] as const) {
    put(name, 'of the log');
    const answer = await get(`/r/${name}`);
    expect([answer.status, answer.body.toString()], name).toEqual([200, 'of the log']);
    expect(answer.headers).toMatchObject({
      'content-type': type,
      'cache-control': caching,
      etag: etagOf('of the log'),
      'x-content-type-options': 'nosniff',
    });
  }
  put('gw/log/claim', 'of publishers');
  expect((await get('/r/gw/log/claim')).status).toBe(404);
});

test('a target is served under the hash in its name, whole and in ranges', async () => {
  const { put, get } = await startServer();
  put(TARGET, IMAGE);
  const whole = await get(`/r/${TARGET}`);
  expect([whole.status, whole.body.equals(IMAGE)]).toEqual([200, true]);
  expect(whole.headers).toMatchObject({
    etag: `"${SHA256}"`,
    'cache-control': IMMUTABLE,
    'content-type': 'application/octet-stream',
    'content-length': '200000',
    'x-content-type-options': 'nosniff',
  });
  for (const [range, start, end] of [
    ['bytes=0-0', 0, 1],
    ['bytes=65535-131072', 65_535, 131_073],
    ['bytes=199999-', 199_999, 200_000],
    ['bytes=-10', 199_990, 200_000],
    ['bytes=0-999999999999999999999', 0, 200_000],
  ] as const) {
    const part = await get(`/r/${TARGET}`, { range });
    expect([part.status, part.body.equals(IMAGE.slice(start, end))], range).toEqual([206, true]);
    expect(part.headers).toMatchObject({
      'content-range': `bytes ${start}-${end - 1}/200000`,
      'content-length': String(end - start),
      etag: `"${SHA256}"`,
      'content-type': 'application/octet-stream',
    });
  }
});

test('a download that broke off goes on under its tag, and starts anew under another', async () => {
  const { put, get } = await startServer();
  put(TARGET, IMAGE);
  const range = 'bytes=100000-';
  const same = await get(`/r/${TARGET}`, { range, 'if-range': `"${SHA256}"` });
  expect([same.status, same.body.equals(IMAGE.slice(100_000))]).toEqual([206, true]);
  for (const other of [`"${'b'.repeat(64)}"`, `W/"${SHA256}"`, 'Sat, 21 Nov 2026 10:00:00 GMT']) {
    const anew = await get(`/r/${TARGET}`, { range, 'if-range': other });
    expect([anew.status, anew.body.equals(IMAGE)], other).toEqual([200, true]);
  }
});

test('ranges that lie outside are refused with the length, ranges that are none are ignored', async () => {
  const { put, get } = await startServer();
  put(TARGET, IMAGE);
  put('gw/metadata/timestamp.json', '{}');
  for (const path of [`/r/${TARGET}`, TIMESTAMP, TIMESTAMP]) {
    for (const range of ['bytes=200000-', 'bytes=-0', `bytes=${'9'.repeat(400)}-`]) {
      const refused = await get(path, { range });
      expect(refused.status, `${path} ${range}`).toBe(416);
      expect(refused.headers['content-range']).toBe(`bytes */${path === TIMESTAMP ? 2 : 200_000}`);
      expect(JSON.parse(refused.body.toString())).toMatchObject({ code: 'RANGE_NOT_SATISFIABLE', status: 416 });
    }
    const thousand = `bytes=${Array.from({ length: 1000 }, () => '0-0').join(',')}`;
    for (const range of ['bytes=5-4', 'bytes=0-1,5-6', 'bytes=0-5,3-8', thousand, 'lines=1-2', 'bytes=x']) {
      const whole = await get(path, { range });
      expect([whole.status, whole.body.length], `${path} ${range}`).toEqual([200, path === TIMESTAMP ? 2 : 200_000]);
    }
  }
});

test('what the asker has already is answered by 304 without a body', async () => {
  const { put, get, ask } = await startServer();
  put('gw/metadata/timestamp.json', '{}');
  put(TARGET, IMAGE);
  for (const [path, etag, caching] of [
    [TIMESTAMP, etagOf('{}'), 'no-cache'],
    [TIMESTAMP, etagOf('{}'), 'no-cache'],
    [`/r/${TARGET}`, `"${SHA256}"`, IMMUTABLE],
  ] as const) {
    for (const field of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      for (const answer of [
        await get(path, { 'if-none-match': field }),
        await ask('HEAD', path, { 'if-none-match': field }),
      ]) {
        expect([answer.status, answer.body.length], `${path} ${field}`).toEqual([304, 0]);
        expect(answer.headers).toMatchObject({ etag, 'cache-control': caching });
        expect(answer.headers).not.toHaveProperty('content-type');
      }
    }
    expect((await get(path, { 'if-none-match': '"x"' })).status).toBe(200);
    const failed = await get(path, { 'if-match': '"x"' });
    expect([failed.status, JSON.parse(failed.body.toString())]).toMatchObject([412, { code: 'CONDITION_FAILED' }]);
  }
});

test('HEAD is answered with the fields of GET and nothing else', async () => {
  const { put, get, ask } = await startServer();
  put('gw/metadata/timestamp.json', '{}');
  put(TARGET, IMAGE);
  const paths = [TIMESTAMP, TIMESTAMP, `/r/${TARGET}`, '/r/gw/metadata/2.root.json', '/r/..', '/elsewhere'];
  for (const path of paths) {
    const [head, whole] = [await ask('HEAD', path), await get(path)];
    expect(head.status, path).toBe(whole.status);
    expect({ ...head.headers, date: '' }).toEqual({ ...whole.headers, date: '' });
    expect([head.body.length, Number(head.headers['content-length'])]).toEqual([0, whole.body.length]);
  }
  const ranged = await ask('HEAD', `/r/${TARGET}`, { range: 'bytes=0-1' });
  expect([ranged.status, ranged.headers['content-length']]).toEqual([200, '200000']);
});

test('a new timestamp is seen by the very next poll, whichever tag the poll brings', async () => {
  const { put, get } = await startServer();
  let etag = '"none"';
  for (let version = 1; version <= 30; version++) {
    const body = `{"version":${version % 10}, "of":${100 + version}}`;
    put('gw/metadata/timestamp.json', body);
    const answer = await get(TIMESTAMP, { 'if-none-match': etag });
    expect([answer.status, answer.body.toString()]).toEqual([200, body]);
    etag = String(answer.headers.etag);
    expect((await get(TIMESTAMP, { 'if-none-match': etag })).status).toBe(304);
  }
});

test('two products are two repositories', async () => {
  const { put, get } = await startServer();
  put('one/metadata/timestamp.json', '{"product":"one"}');
  put('two/metadata/timestamp.json', '{"product":"two"}');
  for (const product of ['one', 'two', 'one', 'two']) {
    expect((await get(`/r/${product}/metadata/timestamp.json`)).body.toString()).toBe(`{"product":"${product}"}`);
  }
});

test('what is absent is a problem that no cache keeps, so the next root is seen once it is there', async () => {
  const { put, get } = await startServer();
  const path = '/r/gw/metadata/2.root.json';
  const absent = await get(path);
  expect(absent.status).toBe(404);
  expect(absent.headers).toMatchObject({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  expect(JSON.parse(absent.body.toString())).toEqual({
    type: 'about:blank',
    title: 'Not Found',
    status: 404,
    code: 'NOT_FOUND',
    detail: 'nothing of this name is here',
  });
  expect((await get(`/r/${TARGET}`)).status).toBe(404);
  put('gw/metadata/2.root.json', '{}');
  expect((await get(path)).status).toBe(200);
});

test('a whole URL as target is read like its path', async () => {
  const { put, get } = await startServer();
  put('gw/metadata/timestamp.json', '{}');
  for (const origin of ['http://server.example', 'HTTPS://[::1]:8080', 'http://user@[bad']) {
    expect((await get(`${origin}${TIMESTAMP}`)).status, origin).toBe(200);
  }
  expect((await get('http://server.example')).status).toBe(404);
});

test('each request is told to the log if that is wanted, and nothing of it otherwise', async () => {
  const quiet = await startServer();
  await quiet.get(TIMESTAMP);
  expect(quiet.events).toEqual([{ event: 'listening', host: '127.0.0.1', port: quiet.port }]);
  const loud = await startServer({ logRequests: true });
  await loud.get(TIMESTAMP);
  await expect.poll(() => loud.events.at(-1)).toEqual({ event: 'request', method: 'GET', url: TIMESTAMP, status: 404 });
});
