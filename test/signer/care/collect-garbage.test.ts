/** After a collection of garbage every device that could refresh before still can, and the repository is whole: for any history. */
import { expect, test } from 'vitest';
import type { Refreshed } from '../../../bootloader-verifier/agent/refresh.ts';
import { OperationError } from '../../../formats/operation-error.ts';
import type { Verdict } from '../../../formats/verdict.ts';
import { isJsonObject, type JsonValue } from '../../../formats/json.ts';
import { planGarbage, removeGarbage, type GarbageInput } from '../../../signer/care/collect-garbage.ts';
import type { ObjectRemover } from '../../../signer/care/published-source.ts';
import { publishChanges } from '../../../signer/publish-changes.ts';
import { makeFaultStore, type FaultStore } from '../../../simulation/fault-store.ts';
import { seededRandom, type Random } from '../../../simulation/seed.ts';
import { SEED } from '../../simulation/seed.ts';
import { accepted } from '../../accepted.ts';
import { LOGGED } from '../../logged-repository.ts';
import { makeTinyRepository, signedOf, type TinyRepository } from '../../tiny-repository.ts';
import { allChanges, optionsFor, publishAll, refreshFrom } from '../publishing.ts';
import { checkOnce, found, sourceOver, type History } from './published.ts';

const HISTORIES = 4;
const STEPS = 9;
const DAY_MS = 86_400_000;
const EMPTY = new Uint8Array();
/** More than findings of one kind are kept. */
const FOREIGN = 1_100;

type Sleeper = { readonly seen: Refreshed['seen'] | undefined };
type Lived = History & { readonly sleepers: readonly Sleeper[] };

/** A random history; after each step a device refreshes, and then sleeps. */
async function lived(random: Random): Promise<Lived> {
  const repository = await makeTinyRepository(random(2) === 0 ? { log: LOGGED } : {});
  const store = makeFaultStore();
  accepted(await publishAll(repository, store));
  const sleepers: Sleeper[] = [{ seen: undefined }];
  for (let step = 0; step < STEPS; step++) {
    await takeStep(repository, store, random);
    const refreshed = await refreshFrom(store.objects, repository);
    if (refreshed.ok) sleepers.push({ seen: refreshed.value.seen });
  }
  return { repository, store, sleepers, former: new Map() };
}

async function takeStep(repository: TinyRepository, store: FaultStore, random: Random): Promise<void> {
  const kind = random(4);
  if (kind === 0) return void accepted(await publishChanges(optionsFor(repository, store), {}));
  if (kind === 1) await repository.publishRoot();
  if (kind === 2) await repository.publishTargets();
  await repository.publishRelease({ isShort: random(2) === 0 });
  const changes = allChanges(repository);
  const histories = ['stable-history', 'beta-history'].flatMap((name) =>
    [...repository.files.keys()].some((file) => file.endsWith(`.${name}.json`))
      ? [[name, repository.newest(name)] as const]
      : [],
  );
  const channels = new Map([...(changes.channels ?? []), ...histories]);
  accepted(await publishChanges(optionsFor(repository, store), { ...changes, channels }));
}

function inputOf({ repository, store }: History, rules: Partial<GarbageInput['rules']> = {}): GarbageInput {
  return {
    ...sourceOver(store.objects),
    repository: repository.id,
    check: checkOnce,
    now: repository.now,
    limits: { peopleMs: 0, onlineMs: 0 },
    memory: store.memory,
    rules: { versionsMin: 1, ageMs: DAY_MS, incomingAgeMs: DAY_MS, ...rules },
  };
}

function removerOver(objects: Map<string, Uint8Array>, cutAt = Infinity): ObjectRemover {
  let removed = 0;
  return {
    remove: async (name) => {
      if (++removed >= cutAt) throw new OperationError('POWER_CUT', 'for a test', { retriable: true });
      objects.delete(name);
      await Promise.resolve();
    },
  };
}

/** What each sleeper gets to when it wakes. */
function wake({ repository, sleepers }: Lived, objects: ReadonlyMap<string, Uint8Array>): Promise<readonly unknown[]> {
  return Promise.all(
    sleepers.map(async ({ seen }) => {
      const refreshed: Verdict<Refreshed> = await refreshFrom(objects, repository, seen === undefined ? {} : { seen });
      return refreshed.ok ? refreshed.value.channel : refreshed.code;
    }),
  );
}

test(`every sleeper wakes as it would have, the repository is whole, and nothing is left to collect (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  let removed = 0;
  for (let i = 0; i < HISTORIES; i++) {
    const history = await lived(random);
    const { store } = history;
    const before = await wake(history, store.objects);
    expect(before.every((each) => each instanceof Uint8Array)).toBe(true);
    const rules = { versionsMin: 1 + random(3) };
    const garbage = accepted(await planGarbage(inputOf(history, rules)));
    removed += accepted(await removeGarbage(store, garbage, removerOver(store.objects)));
    expect(await wake(history, store.objects)).toEqual(before);
    expect(await found(history, store.objects)).toEqual([]);
    expect(accepted(await planGarbage(inputOf(history, rules))).objects).toEqual([]);
    accepted(await publishChanges(optionsFor(history.repository, store), {}));
  }
  expect(removed).toBeGreaterThan(HISTORIES * 3);
});

test('a cut at every removal leaves a whole repository, and a second run removes the rest', async () => {
  const history = await lived(seededRandom(3));
  const { repository } = history;
  const whole = accepted(await planGarbage(inputOf(history)));
  expect(whole.objects.length).toBeGreaterThan(5);
  for (let cutAt = 1; cutAt <= whole.objects.length; cutAt++) {
    const cut = { ...history, store: history.store.copy() };
    const garbage = accepted(await planGarbage(inputOf(cut)));
    await expect(removeGarbage(cut.store, garbage, removerOver(cut.store.objects, cutAt))).rejects.toThrow(
      'for a test',
    );
    expect((await found(cut, cut.store.objects)).filter(({ level }) => level === 'damage')).toEqual([]);
    const rest = accepted(await planGarbage(inputOf(cut)));
    expect(rest.objects).toHaveLength(whole.objects.length - cutAt + 1);
    accepted(await removeGarbage(cut.store, rest, removerOver(cut.store.objects)));
    expect((await refreshFrom(cut.store.objects, repository)).ok).toBe(true);
  }
});

test('roots, the log, foreign objects and whatever is young are never garbage; old uploads and leftovers of cuts are', async () => {
  const history = await lived(seededRandom(SEED));
  const { objects } = history.store;
  const stray = [
    'gateway/notes.txt',
    'gateway/metadata/.firmament-1',
    `incoming/gateway/${'0'.repeat(32)}/gateway/a.bin`,
  ];
  for (const name of stray) objects.set(name, EMPTY);
  const names = accepted(await planGarbage(inputOf(history))).objects.map(({ name }) => name);
  expect(names).toContain(stray[1]);
  expect(names).toContain(stray[2]);
  expect(names).not.toContain(stray[0]);
  expect(names.filter((name) => /\.root\.json$|\/log\/|timestamp/.test(name))).toEqual([]);
  const young = await planGarbage(inputOf(history, { ageMs: Infinity, incomingAgeMs: Infinity }));
  expect(accepted(young).objects).toEqual([]);
});

test('what names an upload of ours goes, and nothing else in incoming/: there, too, foreign objects are not touched', async () => {
  const history = await lived(seededRandom(SEED));
  const { objects } = history.store;
  const upload = `incoming/gateway/${'0'.repeat(32)}/gateway`;
  const ours = [`${upload}/.firmament-1`, `${upload}/a.bin`];
  const foreign = ['incoming/gateway/_x', 'incoming/gateway/notes.txt', `${upload}/_a.bin`, `${upload}/deep/a.bin`];
  for (const name of [...ours, ...foreign]) objects.set(name, EMPTY);
  const names = accepted(await planGarbage(inputOf(history))).objects.map(({ name }) => name);
  expect(names.filter((name) => name.startsWith('incoming/'))).toEqual(ours);
});

test('a channel that is delegated no longer keeps its targets as long as a snapshot that stays names it, and they are no orphans', async () => {
  const repository = await makeTinyRepository();
  const store = makeFaultStore();
  await repository.publishRelease({ channels: ['beta'], release: '9.0.0' });
  accepted(await publishAll(repository, store));
  const targets = await repository.sign('targets', withoutBeta(repository));
  repository.put('targets', targets);
  accepted(await publishChanges(optionsFor(repository, store), { targets }));
  const history: History = { repository, store, former: new Map() };
  expect(accepted(await planGarbage(inputOf(history, { versionsMin: 10 }))).objects).toEqual([]);
  expect(await found(history, store.objects)).toEqual([]);
});

/** The next version of the targets role, which delegates `beta` and the roles beside it no more. */
function withoutBeta(repository: TinyRepository): Map<string, JsonValue> {
  const signed = signedOf(repository.newest('targets'));
  const delegations = signed.get('delegations');
  const roles = isJsonObject(delegations) ? delegations.get('roles') : undefined;
  if (!isJsonObject(delegations) || !Array.isArray(roles)) throw new Error('channels are delegated');
  const isStable = (role: JsonValue): boolean => isJsonObject(role) && !String(role.get('name')).startsWith('beta');
  const kept = (roles as readonly JsonValue[]).filter(isStable);
  return signed.set('version', 2).set('delegations', new Map(delegations).set('roles', kept));
}

test('a publication that is cut anywhere is seen as unfinished behind any number of foreign objects', async () => {
  const repository = await makeTinyRepository({ log: LOGGED });
  const store = makeFaultStore();
  accepted(await publishAll(repository, store));
  await repository.publishRelease();
  const whole = store.copy();
  accepted(await publishAll(repository, whole));
  let unfinished = 0;
  for (let cutAt = 1; cutAt <= whole.writes(); cutAt++) {
    const cut = store.copy();
    cut.cutAt(cutAt);
    await expect(publishAll(repository, cut)).rejects.toMatchObject({ code: 'POWER_CUT' });
    cut.restore();
    const plan = async (): Promise<unknown> => {
      const garbage = await planGarbage(inputOf({ repository, store: cut, former: new Map() }));
      return garbage.ok ? garbage.ok : [garbage.code, garbage.detail];
    };
    const alone = await plan();
    if (alone !== true) unfinished++;
    for (let i = 0; i < FOREIGN; i++) cut.objects.set(`gateway/a${i}`, EMPTY);
    expect(await plan(), `write ${cutAt}`).toEqual(alone);
  }
  expect(unfinished).toBeGreaterThan(4);
});

test('nothing is collected from a repository that is damaged, unfinished, set back, or unknown to the signer', async () => {
  const history = await lived(seededRandom(SEED));
  const { repository, store } = history;
  const damaged = { ...history, store: store.copy() };
  damaged.store.objects.set('gateway/metadata/timestamp.json', EMPTY);
  expect(await planGarbage(inputOf(damaged))).toMatchObject({ code: 'REPOSITORY_DAMAGED' });
  const old = store.copy();
  await repository.publishRelease();
  accepted(await publishAll(repository, store));
  const setBack = { ...inputOf(history), ...sourceOver(old.objects) };
  expect((await planGarbage(setBack)).ok).toBe(false);
  const unknown = { ...inputOf(history), memory: makeFaultStore().memory };
  expect(await planGarbage(unknown)).toMatchObject({ code: 'SIGNER_STATE_MISSING' });
  await repository.publishRelease();
  const whole = store.copy();
  accepted(await publishAll(repository, whole));
  const cut = store.copy();
  cut.cutAt(whole.writes());
  await expect(publishAll(repository, cut)).rejects.toMatchObject({ code: 'POWER_CUT' });
  cut.restore();
  expect(await planGarbage(inputOf({ ...history, store: cut }))).toMatchObject({ code: 'PUBLICATION_UNFINISHED' });
});

test('what was published after the plan was made stops the removal: an orphan may be a target that is shown by now', async () => {
  const history = await lived(seededRandom(SEED));
  const garbage = accepted(await planGarbage(inputOf(history)));
  accepted(await publishChanges(optionsFor(history.repository, history.store), {}));
  const before = new Map(history.store.objects);
  const removed = await removeGarbage(history.store, garbage, removerOver(history.store.objects));
  expect(removed).toMatchObject({ code: 'REPOSITORY_CONFLICT' });
  expect(history.store.objects).toEqual(before);
});
