/** P6: what is published stands in the log first; a cut at any write, a second publisher or a lying store loses and forks nothing. */
import { expect, test } from 'vitest';
import { parseCheckpoint } from '../../formats/checkpoint.ts';
import { parseLogLeaf, type LogLeaf } from '../../formats/log-leaf.ts';
import { edgeTiles, encodeEntryBundle, encodeTile, parseEntryBundle, tileName } from '../../formats/log-tiles.ts';
import { tileKey } from '../../formats/log-tree.ts';
import type { TreeHead } from '../../formats/merkle.ts';
import { makeFaultStore, type FaultStore } from '../../simulation/fault-store.ts';
import type { ObjectStore } from '../../signer/object-store.ts';
import { publishChanges } from '../../signer/publish-changes.ts';
import { readLog } from '../../signer/read-log.ts';
import { accept } from '../../formats/verdict.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { LOG_ORIGIN, LOG_POLICY, LOG_SIGNER, signedCheckpoint, tinyLog } from '../tiny-log.ts';
import { LOGGED, NO_CHANGE } from '../logged-repository.ts';
import { makeTinyRepository, type TinyOptions, type TinyRepository } from '../tiny-repository.ts';
import { allChanges, deviceSees, optionsFor, publishAll, refreshFrom } from './publishing.ts';

const CHECKPOINT = 'gateway/log/checkpoint';
const NOTHING = new Uint8Array();

/** Memory, bundle, a tile an entry, three proofs, checkpoint. */
const LOG_WRITES = 9;

type Scene = { readonly repository: TinyRepository; readonly faulty: FaultStore };

async function published(options: TinyOptions = { log: LOGGED }): Promise<Scene> {
  const repository = await makeTinyRepository(options);
  const faulty = makeFaultStore();
  accepted(await publishAll(repository, faulty));
  return { repository, faulty };
}
async function withNextRelease(): Promise<Scene> {
  const scene = await published();
  await scene.repository.publishRelease({ securityCounter: 2 });
  return scene;
}
const headOf = ({ objects }: FaultStore): TreeHead => {
  const { size, rootHash } = accepted(parseCheckpoint(objects.get(CHECKPOINT) ?? NOTHING));
  return { size, rootHash };
};
/** The entries of a log of fewer than 256. */
function entriesOf(store: FaultStore): readonly Uint8Array[] {
  const { size } = headOf(store);
  return accepted(parseEntryBundle(store.objects.get(`gateway/log/tile/entries/000.p/${size}`) ?? NOTHING, size));
}
const leavesOf = (store: FaultStore): readonly LogLeaf[] =>
  entriesOf(store).map((entry) => accepted(parseLogLeaf(entry)));
/** Whether what the log shows is whole: its entries make its root. */
const isWhole = (store: FaultStore): boolean =>
  Buffer.compare(tinyLog(entriesOf(store)).head.rootHash, headOf(store).rootHash) === 0;

test('a first publication logs root and channels, and devices see it with its proofs', async () => {
  const { repository, faulty } = await published();
  expect(leavesOf(faulty).map((leaf) => (leaf.type === 'root' ? 'root' : leaf.channel))).toEqual([
    'root',
    'stable',
    'beta',
  ]);
  expect(leavesOf(faulty)[1]).toMatchObject({
    product: 'gateway',
    root: repository.id.rootOneSha256,
    release: '1.0.0',
  });
  expect(isWhole(faulty)).toBe(true);
  expect(await deviceSees(faulty.objects, repository)).toEqual({ channel: 1, boots: true });
});

test('a refresh of the online roles logs nothing; a release adds one entry a channel', async () => {
  const { repository, faulty } = await withNextRelease();
  accepted(await publishChanges(optionsFor(repository, faulty), {}));
  expect(headOf(faulty).size).toBe(3);
  accepted(await publishAll(repository, faulty));
  expect(headOf(faulty).size).toBe(5);
  accepted(await publishAll(repository, faulty));
  expect(headOf(faulty).size).toBe(5);
  expect(await deviceSees(faulty.objects, repository)).toEqual({ channel: 2, boots: true });
});

test('without a key of the log nothing new is published, and the online roles are still refreshed', async () => {
  const { repository, faulty } = await withNextRelease();
  const options = optionsFor(repository, faulty);
  const without = { ...options, onlineSigners: options.onlineSigners.filter((signer) => signer !== LOG_SIGNER) };
  const refused = await publishChanges(without, allChanges(repository));
  expect(refused).toMatchObject({ ok: false, code: 'PUBLICATION_REFUSED' });
  expect(refused.ok ? '' : refused.detail).toContain('LOG_SIGNATURE_INVALID');
  accepted(await publishChanges(without, {}));
});

test('a cut at every write of a first publication to the log is finished by a second run, as one whole log', async () => {
  const repository = await makeTinyRepository({ log: LOGGED });
  const whole = makeFaultStore();
  accepted(await publishAll(repository, whole));
  // Later writes are those of every first publication: publish-faults.test.ts cuts there.
  for (let at = 1; at <= LOG_WRITES; at++) {
    const cut = makeFaultStore();
    cut.cutAt(at);
    await expect(publishAll(repository, cut)).rejects.toMatchObject({ code: 'POWER_CUT' });
    cut.restore();
    accepted(await publishAll(repository, cut));
    expect(isWhole(cut)).toBe(true);
    expect(headOf(cut)).toEqual(headOf(whole));
  }
});

test('a cut at every write of a release to the log leaves the old one or the new one, never a fork, and running again finishes', async () => {
  const { repository, faulty } = await withNextRelease();
  const before = headOf(faulty);
  const whole = faulty.copy();
  accepted(await publishAll(repository, whole));
  for (let at = 1; at < LOG_WRITES; at++) {
    const cut = faulty.copy();
    cut.cutAt(at);
    await expect(publishAll(repository, cut)).rejects.toMatchObject({ code: 'POWER_CUT' });
    cut.restore();
    expect([
      { channel: 1, boots: true },
      { channel: 2, boots: true },
    ]).toContainEqual(await deviceSees(cut.objects, repository));
    expect([before.size, headOf(whole).size]).toContain(headOf(cut).size);
    accepted(await publishAll(repository, cut));
    expect(headOf(cut), `write ${at}`).toEqual(headOf(whole));
  }
});

test('an append that was cut is finished by whatever is published next, also by another publisher', async () => {
  const { repository, faulty } = await withNextRelease();
  const cut = faulty.copy();
  cut.cutAt(2);
  await expect(publishAll(repository, cut)).rejects.toMatchObject({ code: 'POWER_CUT' });
  cut.restore();
  expect(headOf(cut).size).toBe(3);
  accepted(await publishChanges(optionsFor(repository, cut), {}));
  expect(headOf(cut).size).toBe(5);
  expect(isWhole(cut)).toBe(true);
});

test('of two publishers who append at once one owns the positions: the other follows it, and both are logged', async () => {
  const { repository, faulty } = await published();
  await repository.publishRelease({ channels: ['stable'], securityCounter: 2 });
  await repository.publishRelease({ channels: ['beta'], securityCounter: 2 });
  const only = (channel: string): ReturnType<typeof allChanges> => ({
    ...allChanges(repository),
    channels: new Map([[channel, repository.newest(channel)]]),
    targetFiles: [],
  });
  const files = allChanges(repository).targetFiles ?? [];
  let other: Promise<unknown> | undefined;
  const first = faulty.store.put;
  const racing = {
    ...faulty,
    store: {
      ...faulty.store,
      put: async (...args: Parameters<typeof first>): ReturnType<typeof first> => {
        // The other one publishes as a whole just before our first write.
        other ??= publishChanges(optionsFor(repository, faulty), { ...only('beta'), targetFiles: files.slice(4) });
        accepted((await other) as Awaited<ReturnType<typeof publishChanges>>);
        return first(...args);
      },
    },
  };
  const stable = { ...only('stable'), targetFiles: files.slice(2, 4) };
  accepted(await publishChanges(optionsFor(repository, racing), stable));
  expect(headOf(faulty).size).toBe(5);
  expect(isWhole(faulty)).toBe(true);
  expect(await deviceSees(faulty.objects, repository)).toEqual({ channel: 2, boots: true });
});

test('a store that lost or set back the log gets no second signature over the same positions', async () => {
  const { repository, faulty } = await published();
  const early = faulty.objects.get(CHECKPOINT) ?? NOTHING;
  for (let securityCounter = 2; securityCounter < 4; securityCounter++) {
    await repository.publishRelease({ securityCounter });
    accepted(await publishAll(repository, faulty));
  }
  await repository.publishRelease({ securityCounter: 4 });
  for (const lie of ['set back', 'lost'] as const) {
    const liar = faulty.copy();
    if (lie === 'lost') liar.objects.delete(CHECKPOINT);
    else liar.objects.set(CHECKPOINT, early);
    expect(await publishAll(repository, liar)).toMatchObject({ ok: false, code: 'LOG_ROLLBACK' });
    expect(liar.writes()).toBe(0);
  }
});

test('a store that was set back by the last append is given that append again, to the byte, and no other', async () => {
  const { repository, faulty } = await published();
  const early = faulty.objects.get(CHECKPOINT) ?? NOTHING;
  await repository.publishRelease({ securityCounter: 2 });
  accepted(await publishAll(repository, faulty));
  const isOfLog = ([name]: readonly [string, Uint8Array]): boolean => name.startsWith('gateway/log/');
  const liar = faulty.copy();
  liar.objects.set(CHECKPOINT, early);
  accepted(await publishChanges(optionsFor(repository, liar), {}));
  expect([...liar.objects].filter(isOfLog)).toEqual([...faulty.objects].filter(isOfLog));
  // Nothing of the append stands but what is remembered: another entry is never logged in its place.
  const emptied = faulty.copy();
  for (const [name] of faulty.objects) if (/000\.p\/[45]$/.test(name)) emptied.objects.delete(name);
  emptied.objects.set(CHECKPOINT, early);
  await repository.publishRelease({ securityCounter: 3 });
  accepted(await publishAll(repository, emptied));
  expect(entriesOf(emptied).slice(0, 5)).toEqual(entriesOf(faulty));
});

test('a store with another log under our own signature is refused: the signer remembers its tree', async () => {
  const { repository, faulty } = await published();
  const other = await makeTinyRepository({ log: LOGGED });
  await other.publishRelease({ securityCounter: 2 });
  const forked = makeFaultStore();
  accepted(await publishAll(other, forked));
  const liar = faulty.copy();
  for (const [name, bytes] of forked.objects) if (name.startsWith('gateway/log/')) liar.objects.set(name, bytes);
  await repository.publishRelease({ securityCounter: 2 });
  expect(await publishAll(repository, liar)).toMatchObject({ ok: false, code: 'LOG_FORKED' });
  const forgot = { ...liar, memory: { ...liar.memory, readLog: () => Promise.resolve(undefined) } };
  expect(await publishAll(repository, forgot)).toMatchObject({ ok: false, code: 'SIGNER_STATE_MISSING' });
});

test('a store whose tiles, entries or checkpoint were altered is found out before anything is signed', async () => {
  const { repository, faulty } = await withNextRelease();
  const lies: readonly (readonly [string, string])[] = [
    ['gateway/log/tile/0/000.p/3', 'REPOSITORY_CONFLICT'],
    ['gateway/log/tile/entries/000.p/3', 'REPOSITORY_CONFLICT'],
    [CHECKPOINT, 'LOG_SIGNATURE_INVALID'],
  ];
  for (const [name, code] of lies) {
    const liar = faulty.copy();
    const bytes = (liar.objects.get(name) ?? NOTHING).slice();
    const at = name === CHECKPOINT ? LOG_ORIGIN.length + 5 : bytes.length - 3;
    bytes[at] = bytes[at] === 65 ? 66 : 65;
    liar.objects.set(name, bytes);
    expect(await publishAll(repository, liar), name).toMatchObject({ ok: false, code });
    expect(liar.writes()).toBe(0);
  }
  const without = faulty.copy();
  without.objects.delete('gateway/log/tile/0/000.p/3');
  expect(await publishAll(repository, without)).toMatchObject({ code: 'REPOSITORY_CONFLICT' });
  const short = faulty.copy();
  short.objects.set('gateway/log/tile/0/000.p/3', new Uint8Array(33));
  expect(await publishAll(repository, short)).toMatchObject({ code: 'LOG_TILE_MALFORMED' });
});

test('a log may begin with a later root: from then on everything is proven, and older roots are logged too', async () => {
  const { repository, faulty } = await published({});
  expect(faulty.objects.has(CHECKPOINT)).toBe(false);
  await repository.publishRoot({ log: LOGGED });
  accepted(await publishAll(repository, faulty));
  expect(leavesOf(faulty).map(({ type, version }) => `${type} ${version}`)).toEqual([
    'root 1',
    'root 2',
    'release 1',
    'release 1',
  ]);
  expect(await deviceSees(faulty.objects, repository)).toEqual({ channel: 1, boots: true });
});

test('a new root is logged under the former one, and a distrusted key costs each channel one more entry', async () => {
  const { repository, faulty } = await published();
  const next = seededSigner('log 2');
  await repository.publishRoot({
    log: { ...NO_CHANGE, keys: [next.key], lessened: [{ key: LOG_SIGNER.key, state: 'distrusted' }] },
  });
  const options = optionsFor(repository, faulty);
  const both = { ...options, onlineSigners: [...options.onlineSigners, next] };
  accepted(await publishChanges(both, allChanges(repository)));
  expect(leavesOf(faulty).map(({ type }) => type)).toEqual([
    'root',
    'release',
    'release',
    'root',
    'release',
    'release',
  ]);
  expect(await deviceSees(faulty.objects, repository)).toEqual({ channel: 1, boots: true });
  await repository.publishRelease({ securityCounter: 2 });
  accepted(await publishChanges(both, allChanges(repository)));
  expect(await deviceSees(faulty.objects, repository)).toEqual({ channel: 2, boots: true });
});

test('a root that was never logged is refused by devices, whoever signed it', async () => {
  const { repository, faulty } = await published();
  const root = await repository.publishRoot();
  faulty.objects.set('gateway/metadata/2.root.json', root);
  expect(await deviceSees(faulty.objects, repository)).toBe('LOG_PROOF_MISSING');
});

test('a release that was signed and published beside the log is refused by devices: without proof, or with another one', async () => {
  const { repository, faulty } = await withNextRelease();
  for (const [name, bytes] of repository.files) faulty.objects.set(`gateway/${name}`, bytes);
  expect(await deviceSees(faulty.objects, repository)).toBe('LOG_PROOF_MISSING');
  const [, other] = [...faulty.objects].filter(([name]) => name.startsWith('gateway/log/proof/'));
  const seen = new Map(faulty.objects);
  for (const name of await missingProofs(seen, repository)) seen.set(name, other?.[1] ?? NOTHING);
  expect(await deviceSees(seen, repository)).toBe('LOG_PROOF_INVALID');
});

/** The names of proofs that a device asks for and does not get. */
async function missingProofs(
  objects: ReadonlyMap<string, Uint8Array>,
  repository: TinyRepository,
): Promise<readonly string[]> {
  const missing: string[] = [];
  const watched = new Map(objects);
  watched.get = (name) => {
    if (name.includes('/log/proof/') && !objects.has(name)) missing.push(name);
    return objects.get(name);
  };
  await refreshFrom(watched, repository);
  return missing;
}

test('a log that shows a device another face than before is refused, and the former one remembered', async () => {
  const { repository, faulty } = await published();
  const seen = accepted(await refreshFrom(faulty.objects, repository)).seen;
  await repository.publishRelease({ securityCounter: 2 });
  // The thief of the log's key has a log without the first release, in which everything that is shown now stands.
  const forked = faulty.copy();
  for (const name of [...forked.objects.keys()]) if (name.startsWith('gateway/log/')) forked.objects.delete(name);
  const forgotten = { readLog: () => Promise.resolve(undefined), writeLog: () => Promise.resolve(accept(undefined)) };
  const memory = { ...forked.memory, ...forgotten };
  accepted(await publishAll(repository, { store: forked.store, memory }));
  expect(await refreshFrom(forked.objects, repository, { seen })).toMatchObject({ ok: false, code: 'LOG_FORKED' });
  accepted(await publishAll(repository, faulty));
  const grown = accepted(await refreshFrom(faulty.objects, repository, { seen }));
  expect(accepted(parseCheckpoint(grown.seen.checkpoint ?? NOTHING)).size).toBe(5);
  const short = new Map(faulty.objects).set('gateway/log/tile/0/000.p/5', new Uint8Array(31));
  expect(await refreshFrom(short, repository, { seen })).toMatchObject({ ok: false, code: 'LOG_TILE_MALFORMED' });
});

test('what an append reads grows with the height of the log, not with its length', async () => {
  const reads: number[] = [];
  const unknown: number[] = [];
  for (const size of [200, 20_000, 66_000]) {
    const all = Array.from({ length: size }, (_, i) => Uint8Array.of(i & 255, i >> 8, i >> 16));
    const log = tinyLog(all);
    const last = size - (size % 256);
    const files = new Map([
      ['gateway/log/checkpoint', await signedCheckpoint(log)],
      [
        `gateway/log/${tileName({ level: 'entries', index: last / 256, width: size % 256 })}`,
        encodeEntryBundle(
          Array.from({ length: size % 256 }, (_, i) => Uint8Array.of(i & 255, (last + i) >> 8, (last + i) >> 16)),
        ),
      ],
      ...edgeTiles(size).map(
        (tile) => [`gateway/log/${tileName(tile)}`, encodeTile(log.tiles.get(tileKey(tile)) ?? [])] as const,
      ),
    ]);
    let count = 0;
    const store: ObjectStore = {
      get: (name) => {
        count++;
        const bytes = files.get(name);
        return Promise.resolve(bytes && { bytes, etag: '' });
      },
      put: () => expect.unreachable(),
    };
    const place = { store, product: 'gateway', policies: [LOG_POLICY] };
    const remembered = { origin: LOG_ORIGIN, ...log.head };
    expect(accepted(await readLog(place, { ...remembered, entries: all.slice(-3) })).head.size).toBe(size);
    reads.push(count);
    count = 0;
    expect(accepted(await readLog(place, remembered)).head.size).toBe(size);
    unknown.push(count);
  }
  // Checkpoint, the last bundle, and one tile a level.
  expect(reads).toEqual([3, 4, 5]);
  // And a claim, where nobody knows whether an earlier version was cut over one.
  expect(unknown).toEqual([4, 5, 6]);
});
