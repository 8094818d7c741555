/**
 * MinIO away for a minute under the running signer daemon and the running server, gone or hung: what is asked is refused with its reason,
 * devices are told when to come again and never that nothing is there, and once the store is back all go on by themselves.
 *
 * - The minute is of real time, and both outages have theirs at once, each with a MinIO, a daemon and a server of its own.
 * - A MinIO that is gone refuses at once; one that hangs takes connections and says nothing.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'vitest';
import { repositoryClientHttp, SILENCE_MS_MAX } from '../../../bootloader-verifier/agent/repository-client-http.ts';
import { objectStoreBucket } from '../../../signer/object-store-bucket.ts';
import type { ObjectStore } from '../../../signer/object-store.ts';
import { startVerb } from '../../../pilot/verb-process.ts';
import { isJsonObject, parseJson } from '../../../formats/json.ts';
import type { SignerAnswer } from '../../../formats/signer-answer.ts';
import { allChanges } from '../../signer/publishing.ts';
import { startMinio, type MinioServer } from './minio-server.ts';
import { findingsIn, LOOK_MS, makeOverdueSigner, renewalIn, startDaemon } from './overdue-signer.ts';

const TEST_MS_MAX = 300_000;
const MINUTE_MS = 60_000;
/** From when the store is there again. */
const SERVED_MS_MAX = 5_000;
const PROBLEM_BYTES_MAX = 4_096;

const OUTAGES = [
  {
    ...{ what: 'gone', code: 'NETWORK_UNREACHABLE' },
    start: (minio: MinioServer): Promise<void> => minio.kill(),
    end: (minio: MinioServer): Promise<void> => minio.start(),
  },
  {
    ...{ what: 'hung', code: 'NETWORK_TIMEOUT' },
    start: (minio: MinioServer): Promise<void> => Promise.resolve(minio.holdUp()),
    end: (minio: MinioServer): Promise<void> => Promise.resolve(minio.letGoOn()),
  },
];

/** What devices ask for: what the server holds in memory, what it does not, and what is not published yet. */
const ASKED = ['timestamp.json', '1.root.json', '2.stable.json', '2.root.json'];

/** An answer of the server to a device. */
type Told = {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly code: unknown;
  readonly ms: number;
};

async function askServer(url: URL, etag: string): Promise<Told> {
  const begun = Date.now();
  const answer = await fetch(url, { headers: { 'if-none-match': etag } });
  const said = parseJson(new Uint8Array(await answer.arrayBuffer()), { bytesMax: PROBLEM_BYTES_MAX });
  const code = said.ok && isJsonObject(said.value) ? said.value.get('code') : undefined;
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), code, ms: Date.now() - begun };
}

/** Does `ask` over and over until `until`. */
async function during<T>(until: number, ask: () => Promise<T>): Promise<readonly T[]> {
  const told: T[] = [];
  while (Date.now() < until) {
    told.push(await ask());
    await wait(LOOK_MS);
  }
  return told;
}

/** The reason that whoever asked the daemon is given; its answer where it gave one. */
async function reasonOf(asked: Promise<SignerAnswer>): Promise<string> {
  return asked.then(
    (answer) => JSON.stringify(answer),
    (fault: unknown) => String((fault as Error).cause),
  );
}

test.concurrent.for(OUTAGES)(
  'a minute without MinIO, $what: all who ask are told so, and then the renewal is made up for, devices refresh, publications pass',
  { timeout: TEST_MS_MAX },
  async ({ what, code, start, end }, { expect, onTestFinished }) => {
    const minio = await startMinio();
    onTestFinished(() => minio.stop());
    const store = objectStoreBucket(await minio.bucketOf('publisher'));
    const signer = await makeOverdueSigner(store, onTestFinished);
    const opened = ['--store', minio.store, '--store-credentials', minio.files.server];
    const server = await startVerb(['serve', '--port', '0', ...opened]);
    onTestFinished(async () => void (await server.end('SIGKILL')));
    const base = new URL('gateway/', String(server.answer.get('url')));
    const device = servedBy(base);
    expect(await signer.seenIn(device)).toBe(1);
    const etag = (await fetch(new URL('metadata/timestamp.json', base))).headers.get('etag') ?? '';
    expect((await askServer(new URL('metadata/timestamp.json', base), etag)).status).toBe(304);

    await start(minio);
    const begun = Date.now();
    const until = begun + MINUTE_MS;
    const daemon = await startDaemon(signer, minio, onTestFinished);
    const released = await signer.repository.publishRelease({ now: Date.now() });
    const changes = allChanges(signer.repository, [released]);
    const [polls, refreshes, reasons] = await Promise.all([
      Promise.all(ASKED.map((name) => during(until, () => askServer(new URL(`metadata/${name}`, base), etag)))),
      during(until, () => signer.seenIn(device).then(String, (fault: { readonly code: unknown }) => fault.code)),
      Promise.all(
        ['publish', 'refresh', 'waves'].map((verb) =>
          during(until, () => reasonOf(daemon.ask(verb, verb === 'publish' ? changes : undefined))),
        ),
      ),
    ]);
    const awayMs = Date.now() - begun;
    for (const told of polls.flat()) {
      expect(told).toMatchObject({ status: 503, retryAfter: '30', code });
      expect(told.ms, 'devices are answered before they give up').toBeLessThan(SILENCE_MS_MAX);
    }
    expect(new Set(refreshes)).toEqual(new Set(['RESPONSE_UNEXPECTED']));
    for (const reason of reasons.flat()) expect(reason, 'the reason reaches the caller').toContain(code);

    await end(minio);
    const back = Date.now();
    await expect
      .poll(() => askServer(new URL('metadata/1.root.json', base), ''), { timeout: SERVED_MS_MAX })
      .toMatchObject({ status: 200 });
    // Nobody asks the daemon for anything: it looks by itself.
    await renewalIn(store);
    const counts = `${polls.flat().length} polls, ${refreshes.length} refreshes, ${reasons.flat().length} requests refused`;
    process.stdout.write(
      `MinIO ${what} for ${awayMs} ms, ${counts}, renewed by itself ${Date.now() - back} ms later\n`,
    );
    expect(await signer.seenIn(device)).toBe(1);
    expect(await daemon.ask('publish', changes)).toMatchObject({ ok: true });
    expect(await signer.seenIn(device)).toBe(2);
    expect(await findingsIn(minio, signer)).toEqual([]);
  },
);

/** What a device reads, which asks the server at `base` as devices do. */
function servedBy(base: URL): Pick<ObjectStore, 'get'> {
  const client = repositoryClientHttp(base, { silenceMsMax: SILENCE_MS_MAX, stop: new AbortController().signal });
  return {
    get: async (name, bytesMax) => {
      const bytes = await client.get(name.slice('gateway/'.length), bytesMax);
      return bytes && { bytes, etag: '' };
    },
  };
}
