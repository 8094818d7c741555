/** What a restored signer may go on from: what the store shows, held against everybody who has seen something. */
import { beforeEach, expect, test } from 'vitest';
import { heldState } from '../../../signer/backup/database-copy.ts';
import { resumeProducts, type ResumeMemory, type ResumeScene } from '../../../signer/backup/resume-products.ts';
import { demandWitnesses } from '../../../signer/backup/resume-state.ts';
import type { LogMemory } from '../../../signer/log-memory.ts';
import { publishChanges } from '../../../signer/publish-changes.ts';
import type { SignerMemory } from '../../../signer/signer-state.ts';
import { makeFaultStore, type FaultStore } from '../../../simulation/fault-store.ts';
import { accepted } from '../../accepted.ts';
import { LOGGED } from '../../logged-repository.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { signedCheckpoint, LOG_POLICY, tinyLog } from '../../tiny-log.ts';
import { makeTinyRepository, type TinyRepository } from '../../tiny-repository.ts';
import { checkOnce, sourceOver } from '../care/published.ts';
import { allChanges, optionsFor, publishAll } from '../publishing.ts';

let repository: TinyRepository;
let store: FaultStore;

/** A repository of two publications; what is restored in the tests is the memory of the first. */
async function publishTwice(log = LOGGED): Promise<SignerMemory> {
  repository = await makeTinyRepository({ log });
  store = makeFaultStore();
  accepted(await publishAll(repository, store));
  const restored = await restoredFrom(store);
  await repository.publishRelease();
  accepted(await publishAll(repository, store));
  return restored;
}

let restored: SignerMemory;
beforeEach(async () => {
  restored = await publishTwice();
});

async function restoredFrom(lost: FaultStore): Promise<SignerMemory> {
  const [state, log] = [await lost.memory.read(), await lost.memory.readLog()];
  if (state === undefined || log === undefined) throw new Error('something is published');
  const { memory } = makeFaultStore();
  accepted(await memory.write(heldState(state), undefined));
  accepted(await memory.writeLog(log, undefined));
  return memory;
}

/** The tree that is remembered; which entries its append was about, only who made it knows. */
function headOf(log: LogMemory | undefined): unknown {
  if (log === undefined) throw new Error('the log is remembered');
  return { ...log, entries: undefined };
}

const seenIn = (objects: ReadonlyMap<string, Uint8Array>, by: string): ResumeScene['store'] => ({
  ...sourceOver(objects),
  by,
});

function sceneOf(change: Partial<ResumeScene> = {}): ResumeScene {
  const none = { mirrors: [], checkpoints: [], founded: [], elsewhere: new Set<string>() };
  return { store: seenIn(store.objects, 'the store'), ...none, check: checkOnce, now: repository.now, ...change };
}

/** What comes of resuming, by somebody who confirms what is shown. */
async function resumed(scene: ResumeScene, change: Partial<ResumeMemory> = {}): Promise<string> {
  const memory = { products: ['gateway'], memoryOf: () => restored, ...change };
  let digest = '';
  const show = (plan: { readonly digest: string }): void => void (digest = plan.digest);
  const asked = await resumeProducts(memory, scene, { confirmed: undefined, show });
  if (asked.ok || asked.code !== 'RESUME_UNCONFIRMED') return asked.ok ? 'unasked' : asked.code;
  const done = await resumeProducts(memory, scene, { confirmed: digest, show });
  return done.ok ? 'resumed' : done.code;
}

test('it takes what the store has been shown since, once that is confirmed, and begins far above every version before', async () => {
  expect(await resumed(sceneOf())).toBe('resumed');
  const state = await restored.read();
  expect(state).toMatchObject({ timestampVersion: 2, snapshotVersion: 2 });
  expect(state?.held).toBeUndefined();
  expect(headOf(await restored.readLog())).toEqual(headOf(await store.memory.readLog()));
  accepted(await publishChanges(optionsFor(repository, { store: store.store, memory: restored }), {}));
  expect((await restored.read())?.timestampVersion).toBeGreaterThan(repository.now);
  // The signer that was taken for lost is told, and signs nothing.
  expect(await publishChanges(optionsFor(repository, store), {})).toMatchObject({ code: 'SIGNER_STATE_STALE' });
});

test('what was confirmed is of that moment: a publication in between makes it void', async () => {
  let digest = '';
  const memory = { products: ['gateway'], memoryOf: () => restored };
  await resumeProducts(memory, sceneOf(), { confirmed: undefined, show: (plan) => (digest = plan.digest) });
  accepted(await publishChanges(optionsFor(repository, store), {}));
  const late = await resumeProducts(memory, sceneOf(), { confirmed: digest, show: () => undefined });
  expect(late).toMatchObject({ ok: false, code: 'RESUME_UNCONFIRMED' });
  expect((await restored.read())?.held).toBe('restored');
});

test('a mirror that is behind is as good as none, one that is ahead or of another content holds it up, and a damaged one too', async () => {
  const behind = new Map(store.objects);
  accepted(await publishChanges(optionsFor(repository, store), {}));
  const now = new Map(store.objects);
  expect(await resumed(sceneOf({ store: seenIn(behind, 'the store'), mirrors: [seenIn(now, 'a mirror')] }))).toBe(
    'TIMESTAMP_ROLLBACK',
  );
  await repository.publishRelease();
  accepted(await publishAll(repository, store));
  expect(
    await resumed(sceneOf({ store: seenIn(now, 'the store'), mirrors: [seenIn(store.objects, 'a mirror')] })),
  ).toBe('LOG_ROLLBACK');
  const damaged = new Map(store.objects);
  damaged.set('gateway/metadata/1.stable.json', new Uint8Array());
  damaged.delete('gateway/metadata/2.targets.json');
  damaged.delete('gateway/metadata/timestamp.json');
  expect(await resumed(sceneOf({ mirrors: [seenIn(damaged, 'a mirror')] }))).toBe('REPOSITORY_DAMAGED');
  const elsewhere = new Map([['hub/metadata/1.root.json', new Uint8Array()]]);
  expect(await resumed(sceneOf({ mirrors: [seenIn(behind, 'a mirror'), seenIn(elsewhere, 'of another')] }))).toBe(
    'resumed',
  );
});

test('a mirror that holds no repository at all is told: an empty mount point has seen nothing, and would vouch for any store', async () => {
  const below = new Map([...store.objects].map(([name, bytes]) => [name.slice('gateway/'.length), bytes]));
  for (const objects of [new Map<string, Uint8Array>(), below]) {
    expect(await resumed(sceneOf({ mirrors: [seenIn(objects, 'a mirror')] }))).toBe('NOT_FOUND');
  }
  expect((await restored.read())?.held).toBe('restored');
});

test('what was resumed is not resumed again: nothing is asked, and nothing written', async () => {
  expect(await resumed(sceneOf())).toBe('resumed');
  expect(await resumed(sceneOf())).toBe('unasked');
});

test('two signers that went different ways are never made one', async () => {
  const other = store.copy();
  accepted(await publishChanges(optionsFor(repository, other, repository.now + 1000), {}));
  accepted(await publishChanges(optionsFor(repository, store, repository.now + 2000), {}));
  restored = await restoredFrom(other);
  // The same version of a timestamp, over the same snapshot: both only refreshed, and either is as good.
  expect(await resumed(sceneOf())).toBe('resumed');
  await repository.publishRelease();
  for (const [signer, at] of [
    [other, repository.now + 3000],
    [store, repository.now + 4000],
  ] as const) {
    accepted(await publishChanges(optionsFor(repository, signer, at), allChanges(repository)));
  }
  restored = await restoredFrom(other);
  expect(await resumed(sceneOf())).toBe('REPOSITORY_CONFLICT');
});

test('where root demands witnesses, nobody goes on without a checkpoint that their quorum has cosigned', async () => {
  const witnesses = ['w1', 'w2'].map((name) => ({
    ...{ name: `${name}.example`, administration: name, key: seededSigner(`${name}.example`).key },
  }));
  const policy = { ...LOG_POLICY, witnesses, quorum: 2 };
  const log = tinyLog([Uint8Array.of(1)]);
  const by = (...names: readonly string[]): Promise<Uint8Array> => signedCheckpoint(log, { witnesses: names });
  const judge = async (...checkpoints: readonly Promise<Uint8Array>[]): Promise<string> => {
    const demanded = demandWitnesses(policy, { checkpoints: await Promise.all(checkpoints), check: checkOnce });
    return demanded.ok ? 'seen' : demanded.code;
  };
  expect(await judge()).toBe('WITNESS_QUORUM_UNMET');
  expect(await judge(by('w1.example'), by('w2.example'))).toBe('WITNESS_QUORUM_UNMET');
  expect(await judge(by(), by('w1.example', 'w2.example'))).toBe('seen');
  expect(demandWitnesses(LOG_POLICY, { checkpoints: [], check: checkOnce }).ok).toBe(true);
});

test('a product that was founded since is taken up by its root 1; one that nobody names holds up the deployment', async () => {
  const hub = await makeTinyRepository({ product: 'hub', log: LOGGED });
  const others = makeFaultStore();
  accepted(await publishAll(hub, others));
  for (const [name, bytes] of others.objects) store.objects.set(name, bytes);
  const unknown = makeFaultStore().memory;
  let floor = 0;
  const memory: Partial<ResumeMemory> = {
    memoryOf: (product) => (product === 'gateway' ? restored : unknown),
    release: (versionFloor) => (floor = versionFloor),
  };
  expect(await resumed(sceneOf(), memory)).toBe('SIGNER_STATE_MISSING');
  expect((await restored.read())?.held).toBe('restored');
  expect(await resumed(sceneOf({ founded: [hub.id] }), memory)).toBe('resumed');
  expect(await unknown.read()).toMatchObject({ product: 'hub', timestampVersion: 1 });
  expect(headOf(await unknown.readLog())).toEqual(headOf(await others.memory.readLog()));
  expect(floor).toBeGreaterThan(repository.now);
  accepted(await publishChanges(optionsFor(hub, { store: store.store, memory: unknown }), {}));
});

test('a product of the store that another signer serves is passed over', async () => {
  store.objects.set('hub/metadata/1.root.json', new Uint8Array());
  const release = (): void => undefined;
  expect(await resumed(sceneOf(), { release })).toBe('SIGNER_STATE_MISSING');
  expect(await resumed(sceneOf({ elsewhere: new Set(['hub']) }), { release })).toBe('resumed');
});
