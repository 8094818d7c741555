/** The fetcher of generic clients: what whoever speaks HTTP must do, and what is its own: redirects, codings, addresses. */
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { fetcherHttp } from '../../../bootloader-verifier/agent/tuf-client/fetcher-http.ts';
import { fetchIfPresent } from '../../../bootloader-verifier/agent/tuf-client/fetcher.ts';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { testHttp, type Download } from '../http-contract.ts';
import { answering, oddServer } from '../odd-server.ts';

const LIMITS = { silenceMsMax: 50_000, stop: new AbortController().signal };

/** The fetcher with its reading, as a download of names below `base`. */
function downloadBy(base: URL, limits: typeof LIMITS): Download {
  const fetcher = fetcherHttp(limits);
  return async (name, bytesMax) => {
    const read = await fetchIfPresent(fetcher, { url: new URL(name, base).href, bytesMax });
    if (!read.ok) throw Object.assign(new Error(read.detail), { code: read.code });
    return read.value;
  };
}

testHttp({ make: downloadBy, tooLarge: 'METADATA_TOO_LARGE', absent: [403] });

test('redirects are followed to where they lead, five of them and not one more', async () => {
  const server = await oddServer();
  let hops = 5;
  server.answer(({ url = '' }, response) => {
    const at = Number(url.split('/').at(-1));
    const status = [301, 302, 303, 307, 308][at % 5] ?? 302;
    if (at === hops) response.writeHead(200).end('there');
    else response.writeHead(status, { location: at % 2 === 0 ? String(at + 1) : `${server.base.href}${at + 1}` }).end();
  });
  const download = downloadBy(server.base, LIMITS);
  expect(await download('0', 100)).toEqual(encodeUtf8('there'));
  expect(server.asked).toHaveLength(6);
  hops = 6;
  await expect(download('0', 100)).rejects.toMatchObject({ code: 'RESPONSE_UNEXPECTED', retriable: false });
  server.answer(answering(302, '', { location: '/r/gateway/0' }));
  server.asked.length = 0;
  await expect(download('0', 100)).rejects.toMatchObject({ code: 'RESPONSE_UNEXPECTED' });
  expect(server.asked).toHaveLength(6);
});

test('a redirect to no address of HTTP is a fault; one that names no place is no redirect, and no file', async () => {
  const server = await oddServer();
  const download = downloadBy(server.base, LIMITS);
  for (const location of ['file:///etc/passwd', 'data:,x', 'ftp://127.0.0.1/x', 'http://', 'javascript:0']) {
    server.answer(answering(302, 'a body', { location }));
    await expect(download('x', 100), location).rejects.toMatchObject({ code: 'RESPONSE_UNEXPECTED', retriable: false });
  }
  server.answer(answering(302, 'a body'));
  await expect(download('x', 100)).rejects.toMatchObject({ code: 'RESPONSE_UNEXPECTED' });
});

test('the body of a redirect is never read: it may be endless, and its connection ends', async () => {
  const server = await oddServer();
  let sentBytes = 0;
  const closed = new Promise<void>((resolve) => {
    server.answer(async ({ url }, response) => {
      if (url === '/r/gateway/there') return void response.writeHead(200).end('there');
      response.on('close', resolve);
      response.writeHead(302, { location: 'there' });
      while (!response.destroyed) {
        sentBytes += 16_384;
        if (!response.write(new Uint8Array(16_384)))
          await Promise.race([closed, new Promise((done) => response.once('drain', done))]);
      }
    });
  });
  expect(await downloadBy(server.base, LIMITS)('x', 100)).toEqual(encodeUtf8('there'));
  await closed;
  expect(sentBytes).toBeLessThan(16_000_000);
});

test('the file itself is asked for, and an answer in a coding is refused before a byte of it is read', async () => {
  const server = await oddServer();
  const download = downloadBy(server.base, LIMITS);
  for (const coding of ['gzip', 'br', 'zstd', 'identity, gzip']) {
    server.answer(answering(200, gzipSync('the file'), { 'content-encoding': coding }));
    await expect(download('x', 100), coding).rejects.toMatchObject({ code: 'RESPONSE_UNEXPECTED', retriable: false });
  }
  for (const coding of ['identity', 'Identity', '']) {
    server.answer(answering(200, 'the file', { 'content-encoding': coding }));
    expect(await download('x', 100), coding).toEqual(encodeUtf8('the file'));
  }
  expect(new Set(server.asked.map(({ headers }) => headers['accept-encoding']))).toEqual(new Set(['identity']));
});

test('what is no address of HTTP or HTTPS is never asked for', async () => {
  for (const url of ['', 'x', '/x', 'file:///etc/passwd', 'ftp://127.0.0.1/x', 'http://']) {
    await expect(fetcherHttp(LIMITS)(url), url).rejects.toMatchObject({ code: 'USAGE', retriable: false });
  }
});
