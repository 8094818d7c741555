/** The client of object stores against a hostile or failing one: every wait ends, every body has a limit, the secret never leaves. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { bucketMinio } from '../../cli/bucket-minio.ts';
import { SERVED_LIMITS, type StoreLimits } from '../../cli/store-limits.ts';
import { SILENCE_MS_MAX } from '../../bootloader-verifier/agent/repository-client-http.ts';
import type { Bucket } from '../../formats/bucket.ts';
import { encodeUtf8 } from '../../formats/bytes.ts';

const CREDENTIALS = { accessKey: 'publisher', secretKey: 'a secret that nobody may ever see' };
const NAME = 'gw/metadata/timestamp.json';
const get = { method: 'GET', name: NAME, bytesMax: 4 } as const;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A bucket whose store is `listener`. */
async function bucketAt(listener: RequestListener, limits: Partial<StoreLimits> = {}): Promise<Bucket> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return bucketMinio({
    address: { tls: false, host: '127.0.0.1', port, bucket: 'firmament', region: 'us-east-1' },
    credentials: CREDENTIALS,
    limits: { silenceMsMax: 10_000, callMsMax: 10_000, ...limits },
  });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

test('a request is signed, names bucket and object, carries its condition, and never the secret', async () => {
  const seen: { request: IncomingMessage; body: string }[] = [];
  const bucket = await bucketAt((request, response) => {
    void bodyOf(request).then((body) => {
      seen.push({ request, body });
      response.writeHead(200, { ETag: '"tag"' }).end();
    });
  });
  const body = encodeUtf8('bytes');
  const answer = await bucket({ method: 'PUT', name: NAME, headers: { 'if-none-match': '*' }, body });
  expect(answer).toMatchObject({ status: 200, etag: '"tag"', errorCode: '' });
  const [first] = seen;
  expect(first?.request).toMatchObject({ method: 'PUT', url: `/firmament/${NAME}` });
  expect(first?.request.headers).toMatchObject({ 'if-none-match': '*', 'content-length': '5' });
  expect(first?.request.headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=publisher\/\d{8}\/us-east-1\/s3\/.*SignedHeaders=[^,]*if-none-match/,
  );
  expect(first?.body).toBe('bytes');
  expect(JSON.stringify([first?.request.rawHeaders, first?.request.url])).not.toContain(CREDENTIALS.secretKey);
});

test('an object is read up to its limit and not one byte beyond', async () => {
  const bucket = await bucketAt((_, response) => void response.writeHead(200, { ETag: '"tag"' }).end('four'));
  expect((await bucket(get)).bytes).toEqual(encodeUtf8('four'));
  await expect(bucket({ ...get, bytesMax: 3 })).rejects.toMatchObject({ code: 'RESPONSE_TOO_LARGE', retriable: false });
});

test('an endless refusal is cut off too', async () => {
  const bucket = await bucketAt((_, response) => {
    response.writeHead(403);
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  });
  await expect(bucket(get)).rejects.toMatchObject({ code: 'RESPONSE_TOO_LARGE' });
});

test('what a refusal says is read from its body, or from its header where it has none', async () => {
  const bucket = await bucketAt((request, response) => {
    if (request.method === 'HEAD') response.writeHead(404, { 'X-Minio-Error-Code': 'NoSuchBucket' }).end();
    else response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
  });
  expect(await bucket(get)).toMatchObject({ status: 404, errorCode: 'NoSuchKey' });
  expect(await bucket({ ...get, method: 'HEAD' })).toMatchObject({ status: 404, errorCode: 'NoSuchBucket' });
});

test.each<[string, (response: ServerResponse) => void]>([
  ['before it answers', () => undefined],
  ['in the middle of its answer', (response) => void response.writeHead(200, { ETag: '"tag"' }).write('f')],
])('a store that falls silent %s is given up', async (_, act) => {
  const bucket = await bucketAt((_request, response) => act(response), { silenceMsMax: 100 });
  await expect(bucket(get)).rejects.toMatchObject({ code: 'NETWORK_TIMEOUT', retriable: true });
});

test('a store that drips is given up', async () => {
  const bucket = await bucketAt(
    (_, response) => {
      response.writeHead(200, { ETag: '"tag"' });
      const dripping = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(dripping));
    },
    { callMsMax: 300 },
  );
  await expect(bucket({ ...get, bytesMax: 1_000_000 })).rejects.toMatchObject({ code: 'NETWORK_TIMEOUT' });
});

test.each<[string, (response: ServerResponse) => void]>([
  ['before it answers', (response) => response.destroy()],
  [
    'in the middle of its answer',
    (response) => {
      response.writeHead(200, { 'Content-Length': '4' });
      response.write('f', () => response.destroy());
    },
  ],
])('a connection that breaks %s is a fault worth another try, made by nobody in here', async (_, act) => {
  let requests = 0;
  const bucket = await bucketAt((_request, response) => {
    requests++;
    act(response);
  });
  await expect(bucket(get)).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE', retriable: true });
  expect(requests).toBe(1);
});

test('a store that is starting or overloaded is a fault worth another try, made by nobody in here', async () => {
  let requests = 0;
  const bucket = await bucketAt((_, response) => {
    requests++;
    response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>');
  });
  await expect(bucket(get)).rejects.toMatchObject({ code: 'RESPONSE_UNEXPECTED', retriable: true });
  expect(requests).toBe(1);
});

test('a server has given up two looks at a store that hangs before a device gives up the server', () => {
  expect(2 * SERVED_LIMITS.silenceMsMax).toBeLessThan(SILENCE_MS_MAX);
});

test('a redirect is an answer and not followed', async () => {
  let requests = 0;
  const bucket = await bucketAt((_, response) => {
    requests++;
    response.writeHead(307, { Location: `/elsewhere/${NAME}` }).end();
  });
  expect(await bucket(get)).toMatchObject({ status: 307 });
  expect(requests).toBe(1);
});
