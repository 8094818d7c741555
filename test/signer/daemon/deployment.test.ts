/** One daemon for many products: each held against its own bindings, renewed in time, and none held up by another. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodePublishRequest, type RequestPart } from '../../../formats/publish-request.ts';
import { parseTimestamp } from '../../../formats/tuf-snapshot.ts';
import type { Verdict } from '../../../formats/verdict.ts';
import { makeFaultBooks } from '../../../simulation/fault-books.ts';
import { makeFaultStore, type FaultStore } from '../../../simulation/fault-store.ts';
import { deploymentEnds } from '../../../signer/daemon/deployment-ends.ts';
import { openDeployment, type Deployment, type InTurn } from '../../../signer/daemon/deployment.ts';
import { signerMetrics } from '../../../signer/daemon/signer-metrics.ts';
import type { VerbFacts } from '../../../signer/daemon/verb-table.ts';
import { deviceRegister } from '../../../signer/identity/device-register.ts';
import { publishQueue } from '../../../signer/publish-queue.ts';
import { openStateDatabase, type StateDatabase } from '../../../signer/signer-state-database.ts';
import { accepted } from '../../accepted.ts';
import { LOGGED } from '../../logged-repository.ts';
import { LOG_SIGNER } from '../../tiny-log.ts';
import { makeTinyRepository, type TinyRepository } from '../../tiny-repository.ts';
import { filesOf, refreshFrom } from '../publishing.ts';

const DAY_MS = 86_400_000;
const PRODUCTS = ['gateway', 'hub', 'meter'];
const LOOK_MS = 200;
const atOnce: InTurn = (work) => work();

let folder: string;
let database: StateDatabase;
let store: FaultStore;
let deployment: Deployment;
let repositories: readonly TinyRepository[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firmament-deployment-'));
  database = await openStateDatabase(join(folder, 'state.db'));
  store = makeFaultStore();
  repositories = await Promise.all(PRODUCTS.map((product) => makeTinyRepository({ product, log: LOGGED })));
  deployment = opened();
});

/** The signer as a process starts with it. */
function opened(): Deployment {
  const [first] = repositories;
  const online = ['snapshot', 'timestamp'].flatMap((role) => first?.signers.get(role) ?? []);
  return openDeployment({
    database,
    signerOf: (product) => {
      const memory = database.memoryOf(product);
      const publishing = { store: store.store, memory, product, onlineSigners: [...online, LOG_SIGNER] };
      const books = makeFaultBooks();
      const publish = publishQueue(publishing);
      return { publishing, publish, books, register: deviceRegister(books), open: new Map() };
    },
  });
}

/** Has the deployment's store write by `put` from now on. */
function shownBy(put: FaultStore['store']['put']): void {
  store = { ...store, store: { ...store.store, put } };
  deployment = opened();
}

afterEach(async () => {
  database.close();
  await rm(folder, { recursive: true });
});

function ask(product: string, body: Uint8Array, now: number): Promise<Verdict<VerbFacts>> {
  const verb = deployment.verbsOf(product)?.get('publish');
  if (verb === undefined) throw new Error('there is such a verb');
  return verb.run(body, now);
}

/** All that people have signed of `repository`. */
function requestOf(repository: TinyRepository): Uint8Array {
  const part = (kind: RequestPart['kind'], bytes: Uint8Array, name?: string): RequestPart => ({ kind, name, bytes });
  return encodePublishRequest([
    ...repository.roots().map((bytes) => part('root', bytes)),
    part('targets', repository.newest('targets')),
    ...['stable', 'beta'].map((name) => part('channel', repository.newest(name), name)),
    ...[...repository.releases.values()].flatMap(filesOf).map((bytes) => part('file', bytes)),
  ]);
}

async function publishEverything(): Promise<void> {
  const done = await Promise.all(repositories.map((each) => ask(each.id.product, requestOf(each), each.now)));
  for (const one of done) accepted(one);
}

function timestampOf(product: string): { readonly version: number; readonly snapshot: { readonly version: number } } {
  const file = store.objects.get(`${product}/metadata/timestamp.json`) ?? new Uint8Array();
  return accepted(parseTimestamp(file)).signed;
}

test('products are founded and published beside each other, and share commits of the memory', async () => {
  await publishEverything();
  for (const each of repositories) accepted(await refreshFrom(store.objects, each));
  const { writes, commits } = database.counts();
  expect(writes).toBe(2 * PRODUCTS.length);
  expect(commits).toBeLessThan(writes);
});

test('what is of one product is refused at another, and what is no name is no product', async () => {
  await publishEverything();
  const [gateway, hub] = repositories;
  if (gateway === undefined || hub === undefined) throw new Error('there are two');
  await gateway.publishRelease();
  const before = new Map(store.objects);
  const refused = await ask(hub.id.product, requestOf(gateway), hub.now);
  expect(refused).toMatchObject({ ok: false, code: 'REPOSITORY_CONFLICT' });
  const unrelated = encodePublishRequest([{ kind: 'channel', name: 'stable', bytes: gateway.newest('stable') }]);
  expect(await ask(hub.id.product, unrelated, hub.now)).toMatchObject({ ok: false, code: 'PUBLICATION_REFUSED' });
  expect(store.objects).toEqual(before);
  expect(deployment.verbsOf('../gateway')).toBeUndefined();
  expect(deployment.verbsOf('Gateway')).toBeUndefined();
});

test('all timestamps are renewed once half of their time is over, with one commit, and devices go on', async () => {
  await publishEverything();
  const now = (repositories[0]?.now ?? 0) + 0.6 * DAY_MS;
  const before = database.counts();
  expect(await deployment.doDue(now - 0.2 * DAY_MS, atOnce)).toEqual({ renewed: 0, stepped: 0, faults: [] });
  expect(await deployment.doDue(now, atOnce)).toEqual({ renewed: PRODUCTS.length, stepped: 0, faults: [] });
  expect(database.counts()).toEqual({ writes: before.writes + PRODUCTS.length, commits: before.commits + 1 });
  for (const product of PRODUCTS) expect(timestampOf(product)).toMatchObject({ version: 2, snapshot: { version: 1 } });
  for (const each of repositories) accepted(await refreshFrom(store.objects, each, { now: now + 0.9 * DAY_MS }));
  expect(await deployment.doDue(now, atOnce)).toEqual({ renewed: 0, stepped: 0, faults: [] });
});

test.each(['cut', 'lost'] as const)(
  'what a fault cut between the memory and the timestamp is finished by the next look, and after a restart by the first (%s)',
  async (kind) => {
    await publishEverything();
    const now = (repositories[0]?.now ?? 0) + 0.6 * DAY_MS;
    expect(await deployment.doDue(now - 0.2 * DAY_MS, atOnce)).toMatchObject({ renewed: 0, faults: [] });
    for (const isRestarted of [false, true]) {
      const at = now + (isRestarted ? 0.6 * DAY_MS : 0);
      const before = PRODUCTS.map((product) => timestampOf(product).version);
      store.failAt(1, kind);
      const { renewed, faults } = await deployment.doDue(at, atOnce);
      expect(renewed + faults.length).toBe(PRODUCTS.length);
      expect(faults.length).toBe(kind === 'cut' ? PRODUCTS.length : 1);
      store.restore();
      if (isRestarted) deployment = opened();
      expect(await deployment.doDue(at, atOnce)).toEqual({ renewed: 0, stepped: 0, faults: [] });
      for (const [i, product] of PRODUCTS.entries()) {
        const { version } = timestampOf(product);
        expect(version, product).toBeGreaterThan(before[i] ?? 0);
        expect((await database.memoryOf(product).read())?.timestampVersion, product).toBe(version);
      }
      for (const each of repositories) accepted(await refreshFrom(store.objects, each, { now: at + 0.9 * DAY_MS }));
    }
  },
);

test('a look that comes while a publication is under way waits for its end, and signs nothing more', async () => {
  await publishEverything();
  const [gateway] = repositories;
  if (gateway === undefined) throw new Error('there is one');
  await gateway.publishRelease();
  const { put } = store.store;
  let show = (): void => undefined;
  const mayShow = new Promise<void>((resolve) => (show = resolve));
  const reached = new Promise<void>((resolve) => {
    shownBy(async (...asked) => {
      if (asked[0] === 'gateway/metadata/timestamp.json') {
        resolve();
        await mayShow;
      }
      return put(...asked);
    });
  });
  const published = ask('gateway', requestOf(gateway), gateway.now);
  await reached;
  const due = deployment.doDue(gateway.now, atOnce);
  // Long enough for a look that would not wait to publish itself.
  await wait(LOOK_MS);
  show();
  accepted(await published);
  expect(await due).toMatchObject({ renewed: 0, faults: [] });
  expect(timestampOf('gateway').version).toBe(2);
});

test('a renewal reads no role and writes one object; once the snapshot is due all of the repository is read again', async () => {
  await publishEverything();
  const read: string[] = [];
  const { get } = store.store;
  Object.assign(store.store, {
    get: (name: string, bytesMax: number) => {
      read.push(name);
      return get(name, bytesMax);
    },
  });
  const start = repositories[0]?.now ?? 0;
  await deployment.doDue(start + 0.6 * DAY_MS, atOnce);
  expect(read.some((name) => /targets|stable|snapshot/.test(name))).toBe(false);
  for (let day = 1; day < 5; day++) await deployment.doDue(start + (day + 0.2) * DAY_MS, atOnce);
  for (const product of PRODUCTS) expect(timestampOf(product).snapshot.version).toBe(2);
  expect(read.filter((name) => name.endsWith('1.stable.json'))).toHaveLength(PRODUCTS.length);
});

async function publishNextOf(product: string): Promise<void> {
  const repository = repositories.find(({ id }) => id.product === product);
  if (repository === undefined) throw new Error('there is such a product');
  await repository.publishRelease();
  accepted(await ask(product, requestOf(repository), repository.now));
}

test.each([
  [
    'another root',
    (objects: Map<string, Uint8Array>, other: TinyRepository) =>
      objects.set('hub/metadata/1.root.json', other.factory.root),
  ],
  ['no root', (objects: Map<string, Uint8Array>) => objects.delete('hub/metadata/1.root.json')],
  [
    'no log',
    (objects: Map<string, Uint8Array>) => {
      for (const name of [...objects.keys()]) if (name.startsWith('hub/log/')) objects.delete(name);
    },
  ],
  [
    'no timestamp and no snapshot',
    (objects: Map<string, Uint8Array>) => {
      objects.delete('hub/metadata/timestamp.json');
      objects.delete('hub/metadata/2.snapshot.json');
    },
  ],
])(
  'a product of which the store shows %s gets no signature, and is told of; the others are renewed',
  async (_, spoil) => {
    await publishEverything();
    // A log of one append is remembered whole: the signer would write the same bytes again.
    await publishNextOf('hub');
    const [gateway] = repositories;
    if (gateway === undefined) throw new Error('there is one');
    spoil(store.objects, gateway);
    const before = await database.memoryOf('hub').read();
    const { renewed, faults } = await deployment.doDue(gateway.now + 0.6 * DAY_MS, atOnce);
    expect(renewed).toBe(2);
    expect(faults.map(({ product }) => product)).toEqual(['hub']);
    expect(await database.memoryOf('hub').read()).toEqual(before);
  },
);

test('what ends first of all products is shown without a series a product, and who must be seen to is named once a day', async () => {
  await publishEverything();
  const start = repositories[0]?.now ?? 0;
  const told = new Map<string, number>();
  const metrics = signerMetrics(() => 0);
  const lookAt = async (days: number): Promise<readonly string[]> => {
    const at = { now: start + days * DAY_MS, told };
    const ends = await deploymentEnds(database.states(), at);
    metrics.lookedAtAll(ends, at.now);
    return ends.warnings.map(({ product, role, code, daysLeft }) => `${product} ${role} ${code} ${daysLeft}`);
  };
  expect(await lookAt(0.4)).toEqual([]);
  expect(await metrics.text()).toMatch(/firmament_signer_products\{is="past-half"\} 0/);
  expect(await lookAt(0.5)).toEqual([]);
  const text = await metrics.text();
  expect(text).toMatch(/firmament_signer_products\{is="all"\} 3/);
  expect(text).toMatch(/firmament_signer_products\{is="past-half"\} 3/);
  const seconds = (role: string): number =>
    Number(new RegExp(`firmament_signer_first_expires_seconds\\{role="${role}"\\} (\\S+)`).exec(text)?.[1]);
  expect(seconds('timestamp')).toBe(43_200);
  expect(seconds('snapshot')).toBe(6.5 * 86_400);
  expect(seconds('channel')).toBe(89.5 * 86_400);
  expect(seconds('targets')).toBe(364.5 * 86_400);
  expect(seconds('root')).toBe(364.5 * 86_400);
  expect(text).not.toContain('gateway');
  expect(await lookAt(0.9)).toEqual(PRODUCTS.map((product) => `${product} timestamp EXPIRY_NEAR 0`));
  expect(await lookAt(0.91)).toEqual([]);
  const beforeChannels = await lookAt(69);
  expect(beforeChannels).toEqual(expect.arrayContaining(PRODUCTS.map((product) => `${product} stable EXPIRY_NEAR 21`)));
});

test('a product whose memory is damaged, or with which nothing is signed, is counted and hides no other', async () => {
  await publishEverything();
  const raw = new DatabaseSync(join(folder, 'state.db'));
  raw.prepare("UPDATE product SET state = ? WHERE name = 'gateway'").run(Uint8Array.of(1));
  raw.close();
  const hub = await database.memoryOf('hub').read();
  if (hub === undefined) throw new Error('it is published');
  accepted(await database.memoryOf('hub').write({ ...hub, held: 'restored' }, hub));
  const ends = await deploymentEnds(database.states(), { now: repositories[0]?.now ?? 0, told: new Map() });
  expect(ends).toMatchObject({ products: 3, unreadable: 1, held: 1 });
  expect([...ends.earliest.keys()].sort()).toEqual(['channel', 'root', 'snapshot', 'targets', 'timestamp']);
});
