/** MinIO killed at random moments, and two publishers at once: nothing is lost, devices never see a broken repository. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Bucket, BucketReader } from '../../../formats/bucket.ts';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { parseSnapshot } from '../../../formats/tuf-snapshot.ts';
import { artifactStoreBucket, PIECE_BYTES } from '../../../ota-server/artifact-store-bucket.ts';
import { serve } from '../../../ota-server/listen.ts';
import { runDeviceVerb, startDevice } from '../../../pilot/device-process.ts';
import { seededRandom } from '../../../simulation/seed.ts';
import { objectStoreBucket } from '../../../signer/object-store-bucket.ts';
import { publishChanges } from '../../../signer/publish-changes.ts';
import { signerMemoryFile } from '../../../signer/signer-memory-file.ts';
import { isSameLogMemory, type LogMemory } from '../../../signer/log-memory.ts';
import { isSameState, type SignerMemory, type SignerState } from '../../../signer/signer-state.ts';
import { accept, reject } from '../../../formats/verdict.ts';
import { accepted } from '../../accepted.ts';
import { allChanges, deviceSees, filesOf, optionsFor, publishAll } from '../../signer/publishing.ts';
import { SEED } from '../../simulation/seed.ts';
import { LOGGED } from '../../logged-repository.ts';
import { makeTinyRepository, type PublishedRelease } from '../../tiny-repository.ts';
import { startMinio, type MinioServer } from './minio-server.ts';

/** Writes of a publication of one release: image, provenance, two channels, snapshot, timestamp. */
const WRITES = 6;
/** Each write is hit five times. */
const ROUNDS = 5 * WRITES;
/** About twice what a PUT takes here. */
const DELAY_MS_BELOW = 12;

let minio: MinioServer;
let publisher: Bucket;
let server: Bucket;
let folder = '';
beforeAll(async () => {
  minio = await startMinio();
  publisher = await minio.bucketOf('publisher');
  server = await minio.bucketOf('server');
  folder = await mkdtemp(join(tmpdir(), 'firmament-minio-faults-'));
});
afterAll(async () => {
  await minio.stop();
  await rm(folder, { recursive: true });
});

/** `bucket`, with `before` called at PUT number `write`, counted from 1. */
function atWrite(bucket: Bucket, write: number, before: () => void | Promise<void>): Bucket {
  let writes = 0;
  return async (request) => {
    if (request.method === 'PUT' && ++writes === write) await before();
    return bucket(request);
  };
}

test(`a publication that a kill of MinIO interrupts leaves what devices saw, and running again finishes (seed ${SEED})`, async () => {
  await minio.clear();
  const random = seededRandom(SEED);
  const repository = await makeTinyRepository();
  const memory = signerMemoryFile(join(folder, 'killed.json'));
  const store = objectStoreBucket(publisher);
  accepted(await publishAll(repository, { store, memory }));
  let interrupted = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const released = await repository.publishRelease();
    const changes = allChanges(repository, [released]);
    const delayMs = random(DELAY_MS_BELOW);
    const where = `round ${round}, write ${(round % WRITES) + 1}, after ${delayMs} ms`;
    let killed: Promise<void> | undefined;
    const killing = atWrite(publisher, (round % WRITES) + 1, () => {
      killed = wait(delayMs).then(minio.kill);
    });
    const publishing = publishChanges(optionsFor(repository, { store: objectStoreBucket(killing), memory }), changes);
    const fault = await publishing.then(accepted, (thrown: unknown) => thrown);
    if (fault instanceof Error) {
      expect(fault, where).toMatchObject({ name: 'OperationError', retriable: true });
      interrupted++;
    }
    expect(killed, where).toBeDefined();
    await killed;
    await minio.start();
    const between = await deviceSees(await minio.objects(), repository);
    expect(
      [
        { channel: round + 1, boots: true },
        { channel: round + 2, boots: true },
      ],
      where,
    ).toContainEqual(between);
    accepted(await publishChanges(optionsFor(repository, { store, memory }), changes));
    expect(await deviceSees(await minio.objects(), repository), where).toEqual({ channel: round + 2, boots: true });
  }
  expect(interrupted).toBeGreaterThan(0);
});

/** A program that passes its self-test, of more bytes than the server reads at once. */
function longImage(): Uint8Array {
  const report = { firmament: 'self-test', ok: true, firmwareVersion: '1.0.0', detail: 'fine' };
  const program = `console.log(${JSON.stringify(JSON.stringify(report))});
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(), 200);
process.on('SIGTERM', () => process.exit());
`;
  return encodeUtf8(`${program}//${'x'.repeat(4 * PIECE_BYTES)}\n`);
}

test('a device whose download breaks off because MinIO is killed installs the image once MinIO is back', async () => {
  await minio.clear();
  const repository = await makeTinyRepository({ now: Date.now(), first: { image: longImage() } });
  const memory = signerMemoryFile(join(folder, 'download.json'));
  accepted(await publishAll(repository, { store: objectStoreBucket(publisher), memory }));
  let pieces = 0;
  let killed: Promise<void> | undefined;
  const killing: BucketReader = async (request) => {
    if (request.headers?.['range']?.startsWith(`bytes=${PIECE_BYTES}-`) === true && ++pieces === 1) {
      killed = minio.kill();
      await killed;
    }
    return server(request);
  };
  const events: object[] = [];
  const log = (event: object): void => void events.push(event);
  const running = await serve({ store: artifactStoreBucket(killing), host: '127.0.0.1', port: 0, log });
  const flash = join(folder, 'flash');
  const root = join(folder, '1.root.json');
  await writeFile(root, repository.factory.root);
  await mkdir(flash);
  await runDeviceVerb(
    ...['provision', '--flash', flash, '--root', root, '--product', 'gateway'],
    ...['--component', 'gateway:gw-1:slot', '--channel', 'stable'],
  );
  const url = `http://127.0.0.1:${running.port}/r/gateway/`;
  const device = startDevice(['--flash', flash, '--url', url, '--poll-ms', '200'], () => undefined);
  try {
    const broken = await device.next('a download that breaks off', ({ step, ok }) => step === 'poll' && !ok);
    expect(broken.code).toMatch(/^(NETWORK_|RESPONSE_)/);
    expect(killed).toBeDefined();
    expect(events).toContainEqual(expect.objectContaining({ event: 'store-fault', code: 'NETWORK_UNREACHABLE' }));
    await minio.start();
    const confirmed = await device.next('the confirmation', ({ step }) => step === 'confirm');
    expect(confirmed.digest).toBe(releaseOf(repository.releases.get('1.0.0')).sha256);
    expect(pieces).toBeGreaterThan(1);
  } finally {
    await device.stop();
    await running.close();
  }
});

function releaseOf(release: PublishedRelease | undefined): { readonly sha256: string } {
  const draft = release?.components[0]?.draft;
  if (draft === undefined) throw new Error('it has a component');
  return draft.image;
}

const OVERTAKEN = reject('CONDITION_FAILED', 'another publisher was faster');

/** The memory of publishers on several machines: the same content, but no lock that they share. */
function sharedMemory(): SignerMemory {
  let state: SignerState | undefined;
  let log: LogMemory | undefined;
  return {
    read: () => Promise.resolve(state),
    write: (next, former) => {
      if (!isSameState(state, former) && !isSameState(state, next)) return Promise.resolve(OVERTAKEN);
      state = next;
      return Promise.resolve(accept(undefined));
    },
    readLog: () => Promise.resolve(log),
    writeLog: (next, former) => {
      if (!isSameLogMemory(log, former) && !isSameLogMemory(log, next)) return Promise.resolve(OVERTAKEN);
      log = next;
      return Promise.resolve(accept(undefined));
    },
    exclusively: (work) => work(),
    collect: () => Promise.resolve(OVERTAKEN),
  };
}

/** Waits until `count` callers have come. */
function barrier(count: number): () => Promise<void> {
  let open = (): void => undefined;
  const all = new Promise<void>((resolve) => (open = resolve));
  let come = 0;
  return () => {
    if (++come === count) open();
    return all;
  };
}

test.each([{}, { log: LOGGED }])(
  'of two publishers at once neither is lost, with a log or without: the slower one follows what the other published',
  async (options) => {
    await minio.clear();
    const repository = await makeTinyRepository(options);
    const memory = sharedMemory();
    accepted(await publishAll(repository, { store: objectStoreBucket(publisher), memory }));
    for (let round = 2; round < 6; round++) {
      const released = await repository.publishRelease();
      const together = barrier(2);
      const publishing = ['stable', 'beta'].map((channel) => {
        const store = objectStoreBucket(atWrite(publisher, 1, together));
        return publishChanges(optionsFor(repository, { store, memory }), {
          channels: new Map([[channel, repository.newest(channel)]]),
          targetFiles: filesOf(released),
        });
      });
      for (const done of await Promise.all(publishing)) accepted(done);
      const objects = await minio.objects();
      expect(await deviceSees(objects, repository)).toEqual({ channel: round, boots: true });
      const state = await memory.read();
      const snapshot = objects.get(`gateway/metadata/${state?.snapshotVersion ?? 0}.snapshot.json`);
      const { meta } = accepted(parseSnapshot(snapshot ?? new Uint8Array())).signed;
      for (const channel of ['stable', 'beta']) expect(meta.get(`${channel}.json`)?.version, channel).toBe(round);
    }
  },
);
