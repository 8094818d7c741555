/**
 * MinIO gone, hung, or strewn with foreign objects under the running signer daemon: what is asked is refused with its reason, nothing
 * that is shown breaks, and once the store is there again the daemon goes on by itself.
 *
 * - The outage is of real time: a MinIO that is gone refuses at once, a hung one is given up after 15 seconds of silence, and either
 *   lasts ten seconds beyond that.
 */
import { rm } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { openCareStore } from '../../../cli/care-store.ts';
import { storeValue } from '../../../cli/store-address.ts';
import { STORE_LIMITS } from '../../../cli/bucket-minio.ts';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { parseTimestamp, TIMESTAMP_BYTES_MAX } from '../../../formats/tuf-snapshot.ts';
import type { Finding } from '../../../signer/care/finding.ts';
import { TIMESTAMP_LIFETIME_MS } from '../../../signer/lifetimes.ts';
import { objectStoreBucket } from '../../../signer/object-store-bucket.ts';
import type { ObjectStore } from '../../../signer/object-store.ts';
import { accepted } from '../../accepted.ts';
import { allChanges } from '../../signer/publishing.ts';
import { makeTinyRepository } from '../../tiny-repository.ts';
import { makeKilledSigner, type KilledSigner, type RunningSigner } from '../killed-signer.ts';
import { BUCKET, startMinio, type MinioServer } from './minio-server.ts';

const OUTAGE_MS = 10_000;
const TEST_MS_MAX = 240_000;
const LOOK_MS = 500;
const BACK_MS_MAX = 120_000;
const TIMESTAMP = 'gateway/metadata/timestamp.json';

let minio: MinioServer;
let store: ObjectStore;
let options: readonly string[];
beforeAll(async () => {
  minio = await startMinio();
  store = objectStoreBucket(await minio.bucketOf('publisher'));
  options = ['--store', minio.store, '--store-credentials', minio.files.publisher];
  return () => minio.stop();
});

type Scene = { readonly signer: KilledSigner; readonly daemon: RunningSigner };

/** A repository whose timestamp has lived more than half its time when the daemon begins. @param before happens before it begins. */
async function makeScene(before: () => void | Promise<void> = () => undefined): Promise<Scene> {
  await minio.clear();
  const then = Date.now() - 0.6 * TIMESTAMP_LIFETIME_MS;
  const signer = await makeKilledSigner({ now: then });
  onTestFinished(() => rm(signer.folder, { recursive: true }));
  await signer.publishAt(store, then);
  await before();
  const daemon = await signer.start(options, ['--look-ms', String(LOOK_MS)]);
  onTestFinished(() => daemon.kill());
  return { signer, daemon };
}

async function timestampVersion(): Promise<number> {
  const shown = await store.get(TIMESTAMP, TIMESTAMP_BYTES_MAX);
  return accepted(parseTimestamp(shown?.bytes ?? new Uint8Array())).signed.version;
}

async function findings({ signer }: Scene): Promise<readonly Finding[]> {
  const care = { store: storeValue(minio.store), storeCredentials: minio.files.publisher };
  return (await signer.check(accepted(await openCareStore(care)))).findings.all();
}

const OUTAGES = [
  { what: 'gone', code: 'NETWORK_UNREACHABLE', ms: OUTAGE_MS, start: () => minio.kill(), end: () => minio.start() },
  {
    ...{ what: 'hung', code: 'NETWORK_TIMEOUT', ms: STORE_LIMITS.silenceMsMax + OUTAGE_MS },
    start: () => Promise.resolve(minio.holdUp()),
    end: () => Promise.resolve(minio.letGoOn()),
  },
];

test.each(OUTAGES)(
  'where MinIO is $what every request is told so, and then the due renewal is made up for and publications pass',
  async ({ code, ms, start, end }) => {
    const scene = await makeScene(start);
    const { signer, daemon } = scene;
    const over = wait(ms);
    const released = await signer.repository.publishRelease({ now: Date.now() });
    const changes = allChanges(signer.repository, [released]);
    const begun = Date.now();
    let refused = 0;
    do {
      const asked = [daemon.ask('publish', changes), daemon.ask('refresh'), daemon.ask('waves')];
      for (const told of await Promise.allSettled(asked)) {
        const fault: unknown = told.status === 'rejected' ? told.reason : told.value;
        expect(String((fault as Error).cause), 'the reason reaches the caller').toContain(code);
        refused++;
      }
      await wait(LOOK_MS);
    } while (Date.now() - begun < ms);
    await over;
    await end();
    // Nobody asks for anything: the daemon looks by itself.
    const deadline = Date.now() + BACK_MS_MAX;
    while ((await timestampVersion()) === 1) {
      expect(Date.now(), 'the renewal is made up for').toBeLessThan(deadline);
      await wait(LOOK_MS);
    }
    process.stdout.write(`MinIO back after ${Date.now() - begun} ms, ${refused} requests refused, renewed by itself\n`);
    expect(await signer.seenIn(store)).toBe(1);
    expect(await daemon.ask('publish', changes)).toMatchObject({ ok: true });
    expect(await signer.seenIn(store)).toBe(2);
    expect(await findings(scene)).toEqual([]);
  },
  TEST_MS_MAX,
);

/** What may lie about in a bucket: names of nobody, and rubbish where uploads come in. */
const FOREIGN = [
  'README.txt',
  'other/metadata/timestamp.json',
  'gateway2/metadata/1.root.json',
  'gateway/notes.txt',
  'gateway/metadata/stable.json',
  'gateway/metadata/2.root.json.bak',
  'gateway/metadata/deep/1.root.json',
  'gateway/metadata/',
  'gateway/targets/',
  'gateway/targets/1.0.0/gateway/image.js',
  'gateway/log/checkpoint.tmp',
  'gateway/log/tile/9/000',
  'incoming/rubbish',
  'incoming/gateway/zip.bin',
];
/** Names as ours would be, later: who finds other content there calls it damage. */
const LIKE_OURS = [
  'gateway/metadata/99.snapshot.json',
  'gateway/metadata/99.stable.json',
  'gateway/metadata/99.root.json',
  `gateway/targets/9.9.9/gateway/${'0'.repeat(64)}.image.js`,
];

test(
  'foreign objects are passed over by publisher and devices, and named by the check',
  async () => {
    const scene = await makeScene();
    const { signer, daemon } = scene;
    for (const name of [...FOREIGN, ...LIKE_OURS]) await minio.operator.putObject(BUCKET, name, Buffer.from('foreign'));
    const before = new Map(await minio.objects());
    await signer.repository.publishRelease({ now: Date.now() });
    expect(await daemon.ask('publish', allChanges(signer.repository))).toMatchObject({ ok: true });
    expect(await signer.seenIn(store)).toBe(2);
    const found = await findings(scene);
    const named = (level: Finding['level']): readonly string[] =>
      found.filter((each) => each.level === level).map(({ object }) => object);
    const below = FOREIGN.filter((name) => name.startsWith('gateway/'));
    expect(named('warning').toSorted()).toEqual(below.toSorted());
    // A root beyond a gap is not judged by itself: what is missed is the one before it.
    const damaged = LIKE_OURS.map((name) => name.replace('99.root', '2.root'));
    expect(named('damage').toSorted()).toEqual(damaged.toSorted());
    const after = await minio.objects();
    for (const name of [...FOREIGN, ...LIKE_OURS]) expect(after.get(name), name).toEqual(before.get(name));
  },
  TEST_MS_MAX,
);

test(
  'a foreign object where the next of ours belongs is refused by its name, and once it is gone the same publication passes',
  async () => {
    const scene = await makeScene();
    const { signer, daemon } = scene;
    const released = await signer.repository.publishRelease({ now: Date.now() });
    const changes = allChanges(signer.repository, [released]);
    const [image] = released.components;
    const taken = [
      'gateway/metadata/2.stable.json',
      `gateway/targets/${released.release}/gateway/${image?.draft.image.sha256 ?? ''}.image.js`,
    ];
    for (const name of taken) {
      await minio.operator.putObject(BUCKET, name, Buffer.from('foreign'));
      const refused = await daemon.ask('publish', changes);
      expect(refused, name).toMatchObject({ ok: false, code: 'REPOSITORY_CONFLICT' });
      expect(refused.detail, name).toContain(name);
      expect(await signer.seenIn(store), name).toBe(1);
      const found = await findings(scene);
      expect(
        found.map(({ object }) => object),
        name,
      ).toContain(name);
      await minio.operator.removeObject(BUCKET, name);
    }
    // The timestamp of another product in the place of ours: devices refuse it, and the next publication puts it right.
    const other = await makeTinyRepository({ product: 'other', now: Date.now() });
    const foreign = other.files.get('metadata/timestamp.json') ?? new Uint8Array();
    await minio.operator.putObject(BUCKET, TIMESTAMP, Buffer.from(foreign));
    await expect(signer.seenIn(store)).rejects.toThrow('METADATA_THRESHOLD_UNMET');
    expect((await findings(scene)).map(({ object }) => object)).toContain(TIMESTAMP);
    expect(await daemon.ask('publish', changes)).toMatchObject({ ok: true });
    expect(await signer.seenIn(store)).toBe(2);
    expect(await findings(scene)).toEqual([]);
    await minio.operator.putObject(BUCKET, 'gateway/metadata/2.root.json', Buffer.from(encodeUtf8('{}')));
    expect(await daemon.ask('refresh')).toMatchObject({ ok: false, code: 'PUBLICATION_REFUSED' });
    await minio.operator.removeObject(BUCKET, 'gateway/metadata/2.root.json');
    expect(await daemon.ask('refresh')).toMatchObject({ ok: true });
    expect(await findings(scene)).toEqual([]);
  },
  TEST_MS_MAX,
);
