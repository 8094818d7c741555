/** MinIO strewn with foreign objects: publisher and devices pass them over, and where one stands in the way it is named. */
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import type { Finding } from '../../../signer/care/finding.ts';
import { objectStoreBucket } from '../../../signer/object-store-bucket.ts';
import type { ObjectStore } from '../../../signer/object-store.ts';
import { allChanges } from '../../signer/publishing.ts';
import { makeTinyRepository } from '../../tiny-repository.ts';
import type { KilledSigner, RunningSigner } from '../killed-signer.ts';
import { BUCKET, startMinio, type MinioServer } from './minio-server.ts';
import { findingsIn, makeOverdueSigner, startDaemon } from './overdue-signer.ts';

const TEST_MS_MAX = 240_000;
const TIMESTAMP = 'gateway/metadata/timestamp.json';

let minio: MinioServer;
let store: ObjectStore;
beforeAll(async () => {
  minio = await startMinio();
  store = objectStoreBucket(await minio.bucketOf('publisher'));
  return () => minio.stop();
});

type Scene = { readonly signer: KilledSigner; readonly daemon: RunningSigner };

async function makeScene(): Promise<Scene> {
  await minio.clear();
  const signer = await makeOverdueSigner(store, onTestFinished);
  return { signer, daemon: await startDaemon(signer, minio, onTestFinished) };
}

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
    const { signer, daemon } = await makeScene();
    for (const name of [...FOREIGN, ...LIKE_OURS]) await minio.operator.putObject(BUCKET, name, Buffer.from('foreign'));
    const before = new Map(await minio.objects());
    await signer.repository.publishRelease({ now: Date.now() });
    expect(await daemon.ask('publish', allChanges(signer.repository))).toMatchObject({ ok: true });
    expect(await signer.seenIn(store)).toBe(2);
    const found = await findingsIn(minio, signer);
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
    const { signer, daemon } = await makeScene();
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
      const found = await findingsIn(minio, signer);
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
    expect((await findingsIn(minio, signer)).map(({ object }) => object)).toContain(TIMESTAMP);
    expect(await daemon.ask('publish', changes)).toMatchObject({ ok: true });
    expect(await signer.seenIn(store)).toBe(2);
    expect(await findingsIn(minio, signer)).toEqual([]);
    await minio.operator.putObject(BUCKET, 'gateway/metadata/2.root.json', Buffer.from(encodeUtf8('{}')));
    expect(await daemon.ask('refresh')).toMatchObject({ ok: false, code: 'PUBLICATION_REFUSED' });
    await minio.operator.removeObject(BUCKET, 'gateway/metadata/2.root.json');
    expect(await daemon.ask('refresh')).toMatchObject({ ok: true });
    expect(await findingsIn(minio, signer)).toEqual([]);
  },
  TEST_MS_MAX,
);
