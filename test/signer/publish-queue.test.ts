/** Publications of one product that wait together share a snapshot; none is lost, and none harms another. */
import { beforeEach, expect, test } from 'vitest';
import { parseSnapshot } from '../../formats/tuf-snapshot.ts';
import type { Verdict } from '../../formats/verdict.ts';
import { makeFaultStore, type FaultStore } from '../../simulation/fault-store.ts';
import { publishChanges, type PublishedNow } from '../../signer/publish-changes.ts';
import { publishQueue } from '../../signer/publish-queue.ts';
import type { Changes } from '../../signer/publication.ts';
import { LOGGED } from '../logged-repository.ts';
import { makeTinyRepository, signedOf, type TinyRepository } from '../tiny-repository.ts';
import { accepted } from '../accepted.ts';
import { allChanges, deviceSees, filesOf, optionsFor } from './publishing.ts';

const CHANNELS = ['stable', 'beta', 'nightly', 'canary'];
let repository: TinyRepository;
let faulty: FaultStore;
let changes: readonly Changes[];

beforeEach(async () => {
  repository = await makeTinyRepository({ channels: CHANNELS, log: LOGGED });
  faulty = makeFaultStore();
  const channels = new Map(CHANNELS.map((name) => [name, repository.newest(name)]));
  accepted(await publishChanges(optionsFor(repository, faulty), { ...allChanges(repository), channels }));
  const released = await repository.publishRelease();
  changes = CHANNELS.map((name) => ({
    channels: new Map([[name, repository.newest(name)]]),
    targetFiles: filesOf(released),
  }));
});

/** Hands all of `asked` in at once. */
function publishAtOnce(over: FaultStore, asked: readonly Changes[]): Promise<readonly Verdict<PublishedNow>[]> {
  const { now, ...to } = optionsFor(repository, over);
  const queue = publishQueue(to);
  return Promise.all(asked.map((each) => queue(each, now)));
}

/** The versions that the newest timestamp leads to, by file. */
async function listed({ memory, objects }: FaultStore): Promise<ReadonlyMap<string, number>> {
  const state = await memory.read();
  const snapshot = objects.get(`gateway/metadata/${state?.snapshotVersion ?? 0}.snapshot.json`) ?? new Uint8Array();
  return new Map([...accepted(parseSnapshot(snapshot)).signed.meta].map(([name, { version }]) => [name, version]));
}

test('publications that wait together share one snapshot and one timestamp', async () => {
  const before = await faulty.memory.read();
  for (const done of await publishAtOnce(faulty, changes)) accepted(done);
  const after = await faulty.memory.read();
  // The first goes at once; the three that came meanwhile go together.
  expect((after?.snapshotVersion ?? 0) - (before?.snapshotVersion ?? 0)).toBe(2);
  expect((after?.timestampVersion ?? 0) - (before?.timestampVersion ?? 0)).toBe(2);
  const meta = await listed(faulty);
  for (const name of CHANNELS) expect(meta.get(`${name}.json`), name).toBe(2);
  expect(await deviceSees(faulty.objects, repository)).toEqual({ channel: 2, boots: true });
});

test('what only finishes a publication finds it finished where one was under way, and makes no timestamp of its own', async () => {
  const before = await faulty.memory.read();
  const [first = {}] = changes;
  for (const done of await publishAtOnce(faulty, [first, { onlyFinish: true }, { onlyFinish: true }])) accepted(done);
  expect((await faulty.memory.read())?.timestampVersion).toBe((before?.timestampVersion ?? 0) + 1);
  const whole = faulty.copy();
  const [, second = {}] = changes;
  for (const done of await publishAtOnce(whole, [second])) accepted(done);
  const cut = faulty.copy();
  cut.cutAt(whole.writes());
  await expect(publishAtOnce(cut, [second])).rejects.toMatchObject({ code: 'POWER_CUT' });
  cut.restore();
  for (const done of await publishAtOnce(cut, [{ onlyFinish: true }, { onlyFinish: true }])) accepted(done);
  expect((await cut.memory.read())?.timestampVersion).toBe((before?.timestampVersion ?? 0) + 3);
  expect((await listed(cut)).get('beta.json')).toBe(2);
  expect(await deviceSees(cut.objects, repository)).toEqual({ channel: 2, boots: true });
});

test('one that is refused harms none of those that waited with it', async () => {
  const [first = {}, second = {}, third = {}, fourth = {}] = changes;
  const unsigned = await repository.sign('nightly', signedOf(repository.newest('nightly')), []);
  const bad = { ...third, channels: new Map([['nightly', unsigned]]) };
  const done = await publishAtOnce(faulty, [first, second, bad, fourth]);
  expect(done.map((one) => (one.ok ? 'done' : one.code))).toEqual(['done', 'done', 'PUBLICATION_REFUSED', 'done']);
  const meta = await listed(faulty);
  expect(CHANNELS.map((name) => meta.get(`${name}.json`))).toEqual([2, 2, 1, 2]);
});

test('no publication passes one before it that it cannot stand beside', async () => {
  const [stable = {}, beta = {}] = changes;
  const third = await repository.publishRelease({ release: '3.0.0', channels: ['stable'] });
  const both: Changes = {
    channels: new Map([['stable', repository.newest('stable')], ...(beta.channels ?? [])]),
    targetFiles: [...filesOf(third), ...(beta.targetFiles ?? [])],
  };
  const fourth = await repository.publishRelease({ release: '4.0.0', channels: ['beta'] });
  const last = { channels: new Map([['beta', repository.newest('beta')]]), targetFiles: filesOf(fourth) };
  // A refresh goes at once; behind it the last could stand beside the first, but not pass the one between.
  const done = await publishAtOnce(faulty, [{}, stable, both, last]);
  expect(done.map((one) => (one.ok ? 'done' : one.code))).toEqual(['done', 'done', 'done', 'done']);
});

test('two contents of one version never share a snapshot: the second is told of the first', async () => {
  const [first = {}] = changes;
  const signers = repository.signers.get('stable');
  const other = await repository.sign('stable', signedOf(repository.newest('stable')), signers);
  const done = await publishAtOnce(faulty, [{}, first, { ...first, channels: new Map([['stable', other]]) }]);
  expect(done.map((one) => (one.ok ? 'done' : one.code))).toEqual(['done', 'done', 'REPOSITORY_CONFLICT']);
});

test('a cut at any write of a group leaves each of it old or new, and asking again publishes all', async () => {
  const whole = faulty.copy();
  for (const done of await publishAtOnce(whole, changes.slice(0, 3))) accepted(done);
  let both = 0;
  for (let at = 1; at <= whole.writes(); at++) {
    const cut = faulty.copy();
    cut.cutAt(at);
    const { now, ...to } = optionsFor(repository, cut);
    const queue = publishQueue(to);
    const ended = await Promise.allSettled(changes.slice(0, 3).map((each) => queue(each, now)));
    expect(ended.some(({ status }) => status === 'rejected')).toBe(true);
    cut.restore();
    const seen = await deviceSees(cut.objects, repository);
    expect([
      { channel: 1, boots: true },
      { channel: 2, boots: true },
    ]).toContainEqual(seen);
    const meta = await listed(cut);
    if (meta.get('beta.json') !== meta.get('stable.json')) both++;
    expect(meta.get('beta.json'), 'what waited together is shown together').toBe(meta.get('nightly.json'));
    for (const done of await publishAtOnce(cut, changes.slice(0, 3))) accepted(done);
    const finished = await listed(cut);
    expect(CHANNELS.map((name) => finished.get(`${name}.json`))).toEqual([2, 2, 2, 1]);
    expect(await deviceSees(cut.objects, repository)).toEqual({ channel: 2, boots: true });
  }
  expect(both).toBeGreaterThan(0);
});
