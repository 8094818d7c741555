/** Several publishers of one product at once, over one memory: none is lost, and two contents of one version never both stand. */
import { expect, test } from 'vitest';
import { seededRandom, type Random } from '../../simulation/seed.ts';
import { makeFaultStore, type FaultStore } from '../../simulation/fault-store.ts';
import { parseSnapshot } from '../../formats/tuf-snapshot.ts';
import { publishChanges } from '../../signer/publish-changes.ts';
import type { Changes } from '../../signer/publication.ts';
import { SEED } from '../simulation/seed.ts';
import { LOGGED } from '../logged-repository.ts';
import { makeTinyRepository, signedOf, type TinyRepository } from '../tiny-repository.ts';
import { accepted } from '../accepted.ts';
import { allChanges, deviceSees, filesOf, optionsFor, publishAll, type Publisher } from './publishing.ts';

const CHANNELS = ['stable', 'beta', 'nightly', 'canary'];
const ROUNDS = 4;

/** `publisher` as another process sees it: every read and write takes its own time. */
function slowed({ store, memory }: Publisher, random: Random): Publisher {
  const slow =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>): ((...args: A) => Promise<R>) =>
    async (...args) => {
      for (let turn = random(4); turn > 0; turn--) await new Promise((go) => setImmediate(go));
      return call(...args);
    };
  return {
    store: { get: slow(store.get), put: slow(store.put) },
    memory: {
      read: slow(memory.read),
      write: slow(memory.write),
      readLog: slow(memory.readLog),
      writeLog: slow(memory.writeLog),
      exclusively: (work) => work(),
      collect: memory.collect,
    },
  };
}

async function published(): Promise<{ readonly repository: TinyRepository; readonly faulty: FaultStore }> {
  const repository = await makeTinyRepository({ channels: CHANNELS, log: LOGGED });
  const faulty = makeFaultStore();
  const channels = new Map(CHANNELS.map((name) => [name, repository.newest(name)]));
  accepted(await publishChanges(optionsFor(repository, faulty), { ...allChanges(repository), channels }));
  return { repository, faulty };
}

/** The next release of `repository`, as one publication a channel. */
async function nextOf(repository: TinyRepository): Promise<readonly Changes[]> {
  const released = await repository.publishRelease();
  return CHANNELS.map((name) => ({
    channels: new Map([[name, repository.newest(name)]]),
    targetFiles: filesOf(released),
  }));
}

async function listed({ memory, objects }: FaultStore): Promise<ReadonlyMap<string, number>> {
  const state = await memory.read();
  const snapshot = objects.get(`gateway/metadata/${state?.snapshotVersion ?? 0}.snapshot.json`) ?? new Uint8Array();
  return new Map([...accepted(parseSnapshot(snapshot)).signed.meta].map(([name, { version }]) => [name, version]));
}

test(`of four publishers of four channels at once every one is published, in whatever order they come (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const { repository, faulty } = await published();
  for (let round = 2; round < 2 + ROUNDS; round++) {
    const changes = await nextOf(repository);
    const done = await Promise.all(
      changes.map((each) => publishChanges(optionsFor(repository, slowed(faulty, random)), each)),
    );
    for (const one of done) accepted(one);
    const meta = await listed(faulty);
    for (const name of CHANNELS) expect(meta.get(`${name}.json`), name).toBe(round);
    expect(await deviceSees(faulty.objects, repository)).toEqual({ channel: round, boots: true });
  }
});

test('of two contents of one version one is published, and the other is told that it has to be drafted anew', async () => {
  const random = seededRandom(SEED);
  const { repository, faulty } = await published();
  const [first = {}] = await nextOf(repository);
  const keys = repository.signers.get('stable');
  const other = await repository.sign('stable', signedOf(repository.newest('stable')), keys);
  const second = { ...first, channels: new Map([['stable', other]]) };
  const done = await Promise.all(
    [first, second].map((each) => publishChanges(optionsFor(repository, slowed(faulty, random)), each)),
  );
  expect(done.map((one) => (one.ok ? 'done' : one.code)).sort()).toEqual(['REPOSITORY_CONFLICT', 'done']);
  expect(await deviceSees(faulty.objects, repository)).toEqual({ channel: 2, boots: true });
});

test('refreshes and publications at once leave a repository that devices follow, and versions that never go back', async () => {
  const random = seededRandom(SEED);
  const { repository, faulty } = await published();
  const seen: number[] = [];
  faulty.beforeWrite(async () => void seen.push((await faulty.memory.read())?.timestampVersion ?? 0));
  const changes = [{}, ...(await nextOf(repository)), {}, {}];
  const done = await Promise.all(
    changes.map((each) => publishChanges(optionsFor(repository, slowed(faulty, random)), each)),
  );
  for (const one of done) accepted(one);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(await deviceSees(faulty.objects, repository)).toEqual({ channel: 2, boots: true });
});

test('a signer with a memory of its own never signs beside another one: it is told that its memory is not the newest', async () => {
  const { repository, faulty } = await published();
  const apart = { store: faulty.store, memory: faulty.copy().memory };
  const changes = await nextOf(repository);
  accepted(await publishChanges(optionsFor(repository, faulty), changes[0] ?? {}));
  const before = new Map(faulty.objects);
  const refusal = await publishChanges(optionsFor(repository, apart), changes[1] ?? {});
  expect(refusal).toMatchObject({ ok: false, code: 'SIGNER_STATE_STALE' });
  expect(faulty.objects).toEqual(before);
  accepted(await publishAll(repository, faulty));
});
