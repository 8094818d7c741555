/**
 * What whoever fetches over HTTP must withstand, whatever it makes of redirects, tags and codings: each adapter's test runs it against
 * a real server that does what it likes.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../formats/bytes.ts';
import type { SilenceLimits } from '../../bootloader-verifier/agent/silence.ts';
import { answering, oddServer, type OddServer } from './odd-server.ts';

/** The file `name` below an address; undefined where there is none. More bytes than allowed are a fault, of code `tooLarge`. */
export type Download = (name: string, bytesMax: number) => Promise<Uint8Array | undefined>;
export type HttpUnderTest = {
  readonly make: (base: URL, limits: SilenceLimits) => Download;
  readonly tooLarge: string;
  /** Statuses that are an absence beside 404. */
  readonly absent: readonly number[];
};

const NAME = 'metadata/timestamp.json';
/** Far longer than any test that does not wait for it. */
const PATIENT_MS = 50_000;
const BROKEN = { name: 'OperationError', code: 'NETWORK_UNREACHABLE', retriable: true };
const TIMED_OUT = { name: 'OperationError', code: 'NETWORK_TIMEOUT', retriable: true };

/** Runs the contract. */
export function testHttp({ make, tooLarge, absent }: HttpUnderTest): void {
  const downloadFrom = ({ base }: OddServer, silenceMsMax = PATIENT_MS, stop = new AbortController()): Download =>
    make(base, { silenceMsMax, stop: stop.signal });

  test('contract: a file that is there is asked for once, by GET, below the address, and comes as it is', async () => {
    const server = await oddServer();
    server.answer(answering(200, 'the file'));
    expect(await downloadFrom(server)('metadata/1.root.json', 100)).toEqual(encodeUtf8('the file'));
    expect(server.asked.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /r/gateway/metadata/1.root.json']);
  });

  test('contract: only an absence is one: every other status is a fault, whatever stands in its body', async () => {
    const server = await oddServer();
    const download = downloadFrom(server);
    for (const status of [404, ...absent]) {
      server.answer(answering(status, 'no such file'));
      expect(await download(NAME, 100), String(status)).toBeUndefined();
    }
    const others = [201, 202, 204, 205, 206, 300, 304, 400, 401, 403, 405, 410, 416, 418, 429, 451];
    for (const status of others.filter((each) => !absent.includes(each))) {
      server.answer(answering(status));
      const unexpected = { name: 'OperationError', code: 'RESPONSE_UNEXPECTED', retriable: false };
      await expect(download(NAME, 100), String(status)).rejects.toMatchObject(unexpected);
    }
    for (const status of [500, 502, 503, 504]) {
      server.answer(answering(status, 'later'));
      await expect(download(NAME, 100)).rejects.toMatchObject({ code: 'RESPONSE_UNEXPECTED', retriable: true });
    }
  });

  test('contract: a body of as many bytes as allowed is kept, one byte more is refused, with and without its length told', async () => {
    const server = await oddServer();
    const download = downloadFrom(server);
    for (const headers of [{ 'content-length': '1000' }, { 'transfer-encoding': 'chunked' }]) {
      server.answer(answering(200, 'x'.repeat(1_000), headers));
      expect(await download(NAME, 1_000)).toHaveLength(1_000);
      await expect(download(NAME, 999)).rejects.toMatchObject({ code: tooLarge });
    }
    server.answer(answering(200, ''));
    expect(await download(NAME, 0)).toHaveLength(0);
  });

  test('contract: an endless body is cut off while it streams: the server gets rid of no more than the buffers between', async () => {
    const server = await oddServer();
    let sentBytes = 0;
    const chunk = new Uint8Array(16_384);
    const closed = new Promise<void>((resolve) => {
      server.answer(async (_, response) => {
        response.on('close', resolve);
        response.writeHead(200);
        while (!response.destroyed) {
          sentBytes += chunk.length;
          if (!response.write(chunk)) await Promise.race([closed, new Promise((done) => response.once('drain', done))]);
        }
      });
    });
    await expect(downloadFrom(server)(NAME, 100_000)).rejects.toMatchObject({ code: tooLarge });
    await closed;
    expect(sentBytes).toBeLessThan(16_000_000);
  });

  test('contract: a body that breaks off is a fault, not a shorter file, with and without its length told', async () => {
    const server = await oddServer();
    const download = downloadFrom(server);
    for (const headers of [{ 'content-length': '100' }, { 'transfer-encoding': 'chunked' }]) {
      server.answer((_, response) => {
        response.writeHead(200, headers);
        response.write('only this', () => response.destroy());
      });
      await expect(download(NAME, 100)).rejects.toMatchObject(BROKEN);
    }
    expect(server.asked).toHaveLength(2);
  });

  test('contract: who accepts and hangs up, or speaks no HTTP, does not answer', async () => {
    const server = await oddServer();
    const download = downloadFrom(server);
    for (const said of ['', 'SSH-2.0-OpenSSH_9.9\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nx']) {
      server.answer(({ socket }) => void socket.end(said));
      await expect(download(NAME, 100), said).rejects.toMatchObject(BROKEN);
    }
  });

  test('contract: a server that accepts and says nothing is given up, and so is one that stops in the middle of a body', async () => {
    const server = await oddServer();
    server.answer(() => undefined);
    await expect(downloadFrom(server, 200)(NAME, 100)).rejects.toMatchObject(TIMED_OUT);
    server.answer((_, response) => {
      response.writeHead(200);
      response.write('a beginning');
    });
    await expect(downloadFrom(server, 200)(NAME, 100)).rejects.toMatchObject(TIMED_OUT);
  });

  test('contract: a server that drips bytes to keep the line open is given up', async () => {
    const server = await oddServer();
    let dripped = 0;
    server.answer(async (_, response) => {
      response.writeHead(200);
      while (!response.destroyed) {
        response.write('.');
        dripped++;
        await wait(10);
      }
    });
    await expect(downloadFrom(server, 1_000)(NAME, 1_000_000)).rejects.toMatchObject(TIMED_OUT);
    expect(dripped).toBeGreaterThan(1);
  });

  test('contract: a download may take far longer than the limit of silence, as long as it moves', async () => {
    const server = await oddServer();
    const silenceMs = 1_500;
    server.answer(async (_, response) => {
      response.writeHead(200);
      for (let i = 0; i < 10; i++) {
        response.write(new Uint8Array(4_096));
        await wait(silenceMs / 6);
      }
      response.end();
    });
    const started = performance.now();
    expect(await downloadFrom(server, silenceMs)('targets/1.0.0/gateway/image.js', 50_000)).toHaveLength(40_960);
    expect(performance.now() - started).toBeGreaterThan(silenceMs);
  });

  test('contract: a server that is not there is unreachable', async () => {
    const server = await oddServer();
    await server.close();
    await expect(downloadFrom(server)(NAME, 100)).rejects.toMatchObject(BROKEN);
  });

  test('contract: whoever is to stop does not wait for its server, before its answer or within it', async () => {
    const server = await oddServer();
    const told = new AbortController();
    server.answer((_, response) => {
      response.writeHead(200);
      response.write('a beginning', () => told.abort());
    });
    await expect(downloadFrom(server, PATIENT_MS, told)(NAME, 100)).rejects.toMatchObject(BROKEN);
    await expect(downloadFrom(server, PATIENT_MS, told)(NAME, 100)).rejects.toMatchObject(BROKEN);
    const silent = new AbortController();
    server.answer(() => silent.abort());
    await expect(downloadFrom(server, PATIENT_MS, silent)(NAME, 100)).rejects.toMatchObject(BROKEN);
  });

  test('contract: no fault spoils the next download, and many at once keep apart', async () => {
    const server = await oddServer();
    const download = downloadFrom(server);
    server.answer(answering(200, 'x'.repeat(100_000)));
    await expect(download(NAME, 10)).rejects.toMatchObject({ code: tooLarge });
    server.answer(({ url }, response) => void response.writeHead(200).end(url));
    const names = Array.from({ length: 20 }, (_, i) => `targets/${i}`);
    const files = await Promise.all(names.map((name) => download(name, 100)));
    expect(files).toEqual(names.map((name) => encodeUtf8(`/r/gateway/${name}`)));
  });
}
