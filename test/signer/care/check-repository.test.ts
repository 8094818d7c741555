/** Whoever damages one object of a published repository, in whatever way, is found out: the object is named, with a code. */
import { beforeAll, describe, expect, test } from 'vitest';
import { seededRandom } from '../../../simulation/seed.ts';
import { SEED } from '../../simulation/seed.ts';
import { parseCheckpoint } from '../../../formats/checkpoint.ts';
import { isJsonObject, type JsonValue } from '../../../formats/json.ts';
import { accepted } from '../../accepted.ts';
import { publishChanges } from '../../../signer/publish-changes.ts';
import { makeFaultStore } from '../../../simulation/fault-store.ts';
import { makeTinyRepository, signedOf } from '../../tiny-repository.ts';
import { optionsFor, publishAll } from '../publishing.ts';
import { checked, found, publishedHistory, type History } from './published.ts';

const NOTHING = new Uint8Array();
const TIMESTAMP = 'gateway/metadata/timestamp.json';
const CHECKPOINT = 'gateway/log/checkpoint';
/** Cuts and flips of each object. */
const TRIES = 2;

let history: History;
let names: readonly string[];
beforeAll(async () => {
  history = await publishedHistory();
  names = [...history.store.objects.keys()].sort();
});

const bytesOf = (name: string): Uint8Array => history.store.objects.get(name) ?? NOTHING;
const withOther = (name: string, bytes: Uint8Array): ReadonlyMap<string, Uint8Array> =>
  new Map(history.store.objects).set(name, bytes);
/** The codes under which `name` is found in `objects`. */
async function codesOf(name: string, objects: ReadonlyMap<string, Uint8Array>): Promise<readonly string[]> {
  return (await found(history, objects)).filter(({ object }) => object === name).map(({ code }) => code);
}

/** Version and role of a metadata file. */
function roleOf(name: string): { readonly version: number; readonly role: string } | undefined {
  const [, version, role] = /\/metadata\/(\d+)\.(.+)\.json$/.exec(name) ?? [];
  return version === undefined || role === undefined ? undefined : { version: Number(version), role };
}

/** What no device asks for: former versions of all roles but root, bundles of former sizes, and tiles of a size that was never shown. */
function isFormer(name: string): boolean {
  const role = roleOf(name);
  if (role !== undefined && role.role !== 'root') {
    return names.map(roleOf).some((other) => other?.role === role.role && other.version > role.version);
  }
  const [, width] = /\/log\/tile\/0\/000\.p\/(\d+)$/.exec(name) ?? [];
  if (width !== undefined) return !shownSizes().has(Number(width));
  return bundleSize(name) < Math.max(...names.map(bundleSize).filter((size) => size > 0));
}

/** The sizes of all checkpoints that were ever shown. */
function shownSizes(): ReadonlySet<number> {
  const checkpoints = [...(history.former.get(CHECKPOINT) ?? []), bytesOf(CHECKPOINT)];
  return new Set(checkpoints.map((bytes) => accepted(parseCheckpoint(bytes)).size));
}

/** How many entries a bundle has; none where `name` is another object. */
function bundleSize(name: string): number {
  const size = /\/log\/tile\/entries\/000\.p\/(\d+)$/.exec(name)?.[1];
  return size === undefined ? Number.NaN : Number(size);
}

function versionAfter(name: string): string {
  return name.replace(/\/(\d+)\./, (_, version: string) => `/${Number(version) + 1}.`);
}

test('a repository with a history is whole, and nothing in it is left unjudged', async () => {
  const result = await checked(history, history.store.objects);
  expect(result.findings.all()).toEqual([]);
  expect(result.roots).toBe(2);
  expect(result.logSize).toBeGreaterThan(6);
  expect([...result.roles.keys()].sort()).toEqual([
    'beta',
    'beta-history',
    'stable',
    'stable-halt',
    'stable-history',
    'stable-rollout',
    'targets',
  ]);
});

test('an object that a device may ask for and that is gone is named; what none asks for any more may go', async () => {
  let gone = 0;
  for (const name of names) {
    const objects = new Map(history.store.objects);
    objects.delete(name);
    if (isFormer(name)) expect(await found(history, objects), name).toEqual([]);
    else {
      gone++;
      expect(await codesOf(name, objects), name).toContain('NOT_FOUND');
    }
  }
  expect(gone).toBeGreaterThan(20);
  expect(names.filter(isFormer).length).toBeGreaterThan(8);
});

test(`an object that is cut short is named (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  for (const name of names) {
    for (let i = 0; i < TRIES; i++) {
      const length = i === 0 ? 0 : random(bytesOf(name).length);
      const objects = withOther(name, bytesOf(name).slice(0, length));
      expect(await codesOf(name, objects), `${name} cut to ${length} bytes`).not.toEqual([]);
    }
  }
});

test(`an object with a single changed byte is named (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  for (const name of names) {
    for (let i = 0; i < TRIES; i++) {
      const changed = bytesOf(name).slice();
      const at = random(changed.length);
      const by = 1 + random(255);
      changed[at] = (changed[at] ?? 0) ^ by;
      expect(await codesOf(name, withOther(name, changed)), `${name}, byte ${at} by ${by}`).not.toEqual([]);
    }
  }
});

test('an object in the place of which another version of it stands is named', async () => {
  let replaced = 0;
  for (const name of names) {
    const next = names.find((other) => other === versionAfter(name));
    if (next === undefined || roleOf(name) === undefined) continue;
    replaced++;
    expect(await codesOf(next, withOther(next, bytesOf(name))), next).not.toEqual([]);
    expect(await codesOf(name, withOther(name, bytesOf(next))), name).not.toEqual([]);
  }
  expect(replaced).toBeGreaterThan(6);
});

describe('a store that is set back', () => {
  test('to any former timestamp is told by what the signer remembers', async () => {
    const former = history.former.get(TIMESTAMP) ?? [];
    expect(former.length).toBeGreaterThan(2);
    for (const bytes of former) {
      expect(await codesOf(TIMESTAMP, withOther(TIMESTAMP, bytes))).toContain('PUBLICATION_UNFINISHED');
    }
  });

  test('to any former checkpoint of the log is told by its proofs alone; the last one, by who remembers, as a publication that was cut', async () => {
    const now = bytesOf(CHECKPOINT);
    const former = (history.former.get(CHECKPOINT) ?? []).filter((bytes) => Buffer.compare(bytes, now) !== 0);
    expect(former.length).toBeGreaterThan(1);
    for (const bytes of former) {
      const blind = await found(history, withOther(CHECKPOINT, bytes), { isBlind: true });
      expect(blind).toContainEqual(expect.objectContaining({ object: CHECKPOINT, code: 'LOG_ROLLBACK' }));
      const code = bytes === former.at(-1) ? 'PUBLICATION_UNFINISHED' : 'LOG_ROLLBACK';
      expect(await codesOf(CHECKPOINT, withOther(CHECKPOINT, bytes))).toEqual([code]);
    }
  });
});

test('a timestamp of another signer with the same memory is damage, as the signer itself would refuse to go on', async () => {
  const repository = await makeTinyRepository();
  const store = makeFaultStore();
  accepted(await publishAll(repository, store));
  const other = store.copy();
  await repository.publishRelease();
  accepted(await publishAll(repository, store));
  accepted(await publishChanges(optionsFor(repository, other), {}));
  store.objects.set(TIMESTAMP, other.objects.get(TIMESTAMP) ?? NOTHING);
  expect(await publishChanges(optionsFor(repository, store), {})).toMatchObject({ code: 'SIGNER_STATE_STALE' });
  expect(await found({ repository, store, former: new Map() }, store.objects)).toContainEqual(
    expect.objectContaining({ level: 'damage', code: 'SIGNER_STATE_STALE', object: 'state' }),
  );
});

test('a store in which something is published while it is looked at is not damaged for that', async () => {
  const repository = await makeTinyRepository();
  const store = makeFaultStore();
  accepted(await publishAll(repository, store));
  let published = 0;
  const whileLooking = async (name: string): Promise<void> => {
    if (name !== TIMESTAMP || published++ > 0) return;
    await repository.publishRelease();
    accepted(await publishAll(repository, store));
  };
  const seen = await found({ repository, store, former: new Map() }, store.objects, { whileLooking });
  expect(published).toBe(1);
  expect(seen.filter(({ level }) => level === 'damage')).toEqual([]);
});

test('what a stranger puts among the objects is named as foreign, and is no damage', async () => {
  for (const name of ['notes.txt', 'metadata/../../x', 'log/tile/0/000.p/256', 'targets/x', 'metadata/7.Stable.json']) {
    const seen = await found(history, withOther(`gateway/${name}`, NOTHING));
    expect(seen).toEqual([
      expect.objectContaining({ level: 'warning', code: 'OBJECT_FOREIGN', object: `gateway/${name}` }),
    ]);
  }
});

test('a target that no version lists is an orphan, and one with other bytes than its name says is damage', async () => {
  const target = names.find((name) => name.includes('/targets/')) ?? '';
  const orphan = target.replace('1.0.0/', '9.0.0/');
  expect(await codesOf(orphan, withOther(orphan, bytesOf(target)))).toEqual(['OBJECT_ORPHANED']);
  expect(await codesOf(orphan, withOther(orphan, NOTHING))).toEqual(['IMAGE_HASH_MISMATCH']);
});

test('what people sign is named weeks before it expires, what the signer signs hours before; what has expired is damage', async () => {
  const at = (now: number): ReturnType<typeof found> => found(history, history.store.objects, { now });
  const { now } = history.repository;
  const hours = await at(now + 20 * 3_600_000);
  expect(hours).toEqual([expect.objectContaining({ code: 'EXPIRY_NEAR', object: TIMESTAMP })]);
  const weeks = (await at(now + 80 * 86_400_000)).map(({ code, object }) => [code, object]);
  expect(weeks).toContainEqual(['EXPIRY_NEAR', 'gateway/metadata/6.stable.json']);
  expect(weeks).toContainEqual(['METADATA_EXPIRED', TIMESTAMP]);
});

test('a role that lists fewer distinct keys than it demands is named: nobody could ever sign it again', async () => {
  const repository = await makeTinyRepository();
  const signed = signedOf(repository.newest('targets'));
  const delegations = signed.get('delegations');
  const roles = isJsonObject(delegations) ? delegations.get('roles') : undefined;
  const [first, ...rest]: readonly JsonValue[] = Array.isArray(roles) ? (roles as readonly JsonValue[]) : [];
  if (!isJsonObject(delegations) || !isJsonObject(first)) throw new Error('channels are delegated');
  const greedy = new Map(first).set('threshold', 4);
  signed.set('delegations', new Map(delegations).set('roles', [greedy, ...rest]));
  repository.put('targets', await repository.sign('targets', signed));
  await repository.publishOnline();
  const objects = new Map([...repository.files].map(([name, bytes]) => [`gateway/${name}`, bytes]));
  const seen = await found({ ...history, repository }, objects, { isBlind: true });
  expect(seen).toContainEqual(
    expect.objectContaining({ level: 'damage', code: 'ROLE_BELOW_QUORUM', object: 'gateway/metadata/1.targets.json' }),
  );
});
