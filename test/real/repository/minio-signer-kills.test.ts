/** The real signer daemon killed at each kind of its writes to MinIO: what was acknowledged stays, devices refresh, the bucket is whole. */
import { watch } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCareStore } from '../../../cli/care-store.ts';
import { storeValue } from '../../../cli/store-address.ts';
import { objectStoreBucket } from '../../../signer/object-store-bucket.ts';
import type { ObjectStore } from '../../../signer/object-store.ts';
import { seededRandom } from '../../../simulation/seed.ts';
import { accepted } from '../../accepted.ts';
import { allChanges } from '../../signer/publishing.ts';
import { SEED } from '../../simulation/seed.ts';
import { countPlaces } from '../chain/killed-chain.ts';
import { makeKilledSigner, type KilledSigner, type RunningSigner } from '../killed-signer.ts';
import { BUCKET, startMinio, type MinioServer } from './minio-server.ts';
import { startRelay, type Relay } from './relay.ts';

/** Each kind of write is hit this often; rounds go on until it is so. */
const HITS = 5;
const ROUNDS_MAX = 120;
const TEST_MS_MAX = 900_000;
const KINDS = ['log', 'target', 'role', 'snapshot', 'memory', 'timestamp'] as const;
type Kind = (typeof KINDS)[number];

let minio: MinioServer;
let relay: Relay;
let signer: KilledSigner;
let store: ObjectStore;
let options: readonly string[];
let daemon: RunningSigner;
beforeAll(async () => {
  minio = await startMinio();
  relay = await startRelay(Number(new URL(minio.store.slice('s3+'.length)).port), BUCKET);
  signer = await makeKilledSigner();
  store = objectStoreBucket(await minio.bucketOf('server'));
  options = ['--store', `s3+http://127.0.0.1:${relay.port}/${BUCKET}`, '--store-credentials', minio.files.publisher];
  daemon = await signer.start(options);
  expect(await daemon.publish(allChanges(signer.repository))).toBe(true);
});
afterAll(async () => {
  await daemon.kill();
  await relay.close();
  await minio.stop();
  await rm(signer.folder, { recursive: true });
});

function kindOf(object: string): Kind {
  if (object.includes('/targets/')) return 'target';
  if (object.includes('/log/')) return 'log';
  if (object.endsWith('/timestamp.json')) return 'timestamp';
  return object.endsWith('.snapshot.json') ? 'snapshot' : 'role';
}

type Seen = { readonly last: () => Kind | undefined; readonly reached: Promise<void>; readonly close: () => void };

/** Looks on from now. @returns the kind that was written last, and when the `count`-th write of `wanted` was reached, or `ended` was. */
function lookAt(wanted: Kind, count: number, ended: Promise<unknown>): Seen {
  let last: Kind | undefined;
  let left = count;
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const see = (kind: Kind): void => {
    last = kind;
    if (kind === wanted && --left === 0) reach();
  };
  relay.onWrite((object) => see(kindOf(object)));
  const watcher = watch(join(signer.folder, 'state'), (_, file) => {
    if (file === 'state.json' || file === 'state.json.log') see('memory');
  });
  void ended.then(() => reach());
  return { last: () => last, reached, close: () => watcher.close() };
}

/** What a check finds that nobody is told to expect after a kill. */
async function unclean(): Promise<unknown> {
  const care = accepted(
    await openCareStore({ store: storeValue(minio.store), storeCredentials: minio.files.publisher }),
  );
  const { findings } = await signer.check(care);
  return findings.all().filter(({ code }) => code !== 'OBJECT_ORPHANED');
}

test(
  `the daemon is killed at each kind of write to MinIO until each was hit ${HITS} times (seed ${SEED})`,
  async () => {
    const random = seededRandom(SEED);
    const places = countPlaces();
    let rounds = 0;
    let acknowledged = 0;
    for (; rounds < ROUNDS_MAX && KINDS.some((kind) => places.of(kind) < HITS); rounds++) {
      const where = `round ${rounds}`;
      const released = await signer.repository.publishRelease({ now: Date.now() });
      const changes = allChanges(signer.repository, [released]);
      const before = await signer.seenIn(store);
      const wanted = KINDS.find((kind) => places.of(kind) < HITS) ?? 'role';
      const publishing = daemon.publish(changes);
      // Each write is seen twice: as it is sent, and as it is answered.
      const seen = lookAt(wanted, 1 + random(4), publishing);
      await seen.reached;
      await wait(random(2));
      await daemon.kill();
      const answer = await publishing;
      seen.close();
      places.add(answer === true ? 'after the answer' : (seen.last() ?? 'nothing'));
      const cut = await signer.seenIn(store);
      expect(answer === true ? [before + 1] : [before, before + 1], where).toContain(cut);
      if (answer === true) acknowledged++;
      daemon = await signer.start(options);
      expect(await daemon.publish(changes), where).toBe(true);
      expect(await signer.seenIn(store), where).toBe(before + 1);
      expect(await unclean(), where).toEqual([]);
    }
    process.stdout.write(
      `${rounds} kills of the signer on MinIO, ${acknowledged} after its answer, fell at: ${places.text()}\n`,
    );
    for (const kind of KINDS) expect(places.of(kind), kind).toBeGreaterThanOrEqual(HITS);
  },
  TEST_MS_MAX,
);
