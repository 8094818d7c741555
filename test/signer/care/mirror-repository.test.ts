/** A mirror shows a whole repository at every moment, never goes back, and holds nothing that was not signed, whatever its source does. */
import { beforeAll, describe, expect, test } from 'vitest';
import { concatBytes, encodeUtf8 } from '../../../formats/bytes.ts';
import { encodeEntryBundle } from '../../../formats/log-tiles.ts';
import type { Verdict } from '../../../formats/verdict.ts';
import type { MirrorPlace } from '../../../signer/care/mirror-place.ts';
import { mirrorRepository, type Mirrored } from '../../../signer/care/mirror-repository.ts';
import { publishChanges } from '../../../signer/publish-changes.ts';
import { makeFaultStore } from '../../../simulation/fault-store.ts';
import { seededRandom } from '../../../simulation/seed.ts';
import { SEED } from '../../simulation/seed.ts';
import { accepted } from '../../accepted.ts';
import { LOGGED } from '../../logged-repository.ts';
import { makeTinyRepository } from '../../tiny-repository.ts';
import { deviceSees, optionsFor, publishAll } from '../publishing.ts';
import { checkOnce, found, mediumOver, publishedHistory, publishNext, sourceOver, type History } from './published.ts';

const TIMESTAMP = 'gateway/metadata/timestamp.json';
type Objects = Map<string, Uint8Array>;

type Run = { readonly from: Objects; readonly to: MirrorPlace; readonly asked?: Set<string>; readonly now?: number };

function mirror(
  { repository }: Pick<History, 'repository'>,
  { from, to, asked, now }: Run,
): Promise<Verdict<Mirrored>> {
  const { source } = sourceOver(from);
  return mirrorRepository({
    source: {
      open: (name) => {
        asked?.add(name);
        return source.open(name);
      },
    },
    place: to,
    repository: repository.id,
    check: checkOnce,
    now: now ?? repository.now,
  });
}

type Versions = {
  readonly history: Pick<History, 'repository' | 'store'>;
  readonly old: Objects;
  readonly next: Objects;
};
/** A repository before and after another publication, with all people rotated in between if asked. */
async function versions(rotate: boolean): Promise<Versions> {
  const repository = await makeTinyRepository({ log: LOGGED });
  const store = makeFaultStore();
  accepted(await publishAll(repository, store));
  const old = new Map(store.objects);
  await publishNext({ repository, store }, rotate);
  return { history: { repository, store }, old, next: new Map(store.objects) };
}

let history: History;
let whole: Objects;
beforeAll(async () => {
  history = await publishedHistory();
  whole = new Map();
  const first = accepted(await mirror(history, { from: new Map(history.store.objects), to: mediumOver(whole).place }));
  expect(first).toMatchObject({ brought: whole.size, kept: 0 });
});

test('a mirror is whole by itself, holds what devices ask for and nothing else, and devices refresh from it', async () => {
  expect(await found(history, whole, { isBlind: true })).toEqual([]);
  for (const [name, bytes] of whole) expect(history.store.objects.get(name), name).toEqual(bytes);
  expect(await deviceSees(whole, history.repository)).toMatchObject({ boots: true });
});

test('every name in a mirror is its own address: no web server has to decode anything', () => {
  for (const name of whole.keys()) expect(name.split('/').map(encodeURIComponent).join('/')).toBe(name);
});

test('a second run brings nothing again but what is replaced under its name', async () => {
  const asked = new Set<string>();
  const { place, writes } = mediumOver(new Map(whole));
  const again = accepted(await mirror(history, { from: new Map(history.store.objects), to: place, asked }));
  expect([...asked].sort()).toEqual(['gateway/log/checkpoint', 'gateway/metadata/3.root.json', TIMESTAMP]);
  expect(writes()).toBe(1);
  expect(again).toMatchObject({ brought: 2, kept: whole.size - 2 });
});

describe.each([
  ['a release', false],
  ['a rotation of all people together with a release', true],
])('%s', (_, rotate) => {
  test('a cut at every write leaves what devices saw or the new state, and a second run brings only what is missing', async () => {
    const { history: at, old, next } = await versions(rotate);
    const before = new Map<string, Uint8Array>();
    accepted(await mirror(at, { from: old, to: mediumOver(before).place }));
    const seenBefore = await deviceSees(before, at.repository);
    const counting = mediumOver(new Map(before));
    accepted(await mirror(at, { from: next, to: counting.place }));
    expect(counting.writes()).toBeGreaterThan(8);
    for (let cutAt = 1; cutAt <= counting.writes(); cutAt++) {
      const objects = new Map(before);
      await expect(mirror(at, { from: next, to: mediumOver(objects, cutAt).place })).rejects.toThrow('for a test');
      const seen = await deviceSees(objects, at.repository);
      expect([seenBefore, { channel: 2, boots: true }], `write ${cutAt}`).toContainEqual(seen);
      const standing = new Set(objects.keys());
      const asked = new Set<string>();
      accepted(await mirror(at, { from: next, to: mediumOver(objects).place, asked }));
      expect(await deviceSees(objects, at.repository)).toEqual({ channel: 2, boots: true });
      const again = [...asked].filter((name) => standing.has(name)).sort();
      expect(again).toEqual(['gateway/log/checkpoint', TIMESTAMP]);
    }
  });

  test('devices refresh at every moment between two writes', async () => {
    const { history: at, old, next } = await versions(rotate);
    const objects = new Map<string, Uint8Array>();
    accepted(await mirror(at, { from: old, to: mediumOver(objects).place }));
    const seen: unknown[] = [];
    const look = async (): Promise<void> => void seen.push(await deviceSees(objects, at.repository));
    accepted(await mirror(at, { from: next, to: mediumOver(objects, Infinity, look).place }));
    expect(seen.length).toBeGreaterThan(8);
    for (const each of seen) expect(each).toMatchObject({ boots: true });
  });
});

describe('what stands in the mirror and is not of the repository', () => {
  test('under the name of the next root ends the run by its name: devices that ask for it would refuse it', async () => {
    const next = 'gateway/metadata/3.root.json';
    expect(whole.has(next)).toBe(false);
    for (const junk of [encodeUtf8('{}'), whole.get('gateway/metadata/1.root.json') ?? new Uint8Array()]) {
      const objects = new Map(whole).set(next, junk);
      expect(await deviceSees(objects, history.repository)).toEqual(expect.any(String));
      const { place, writes } = mediumOver(objects);
      const refused = await mirror(history, { from: new Map(history.store.objects), to: place });
      expect(refused).toMatchObject({ ok: false, code: 'OBJECT_FOREIGN' });
      expect(refused.ok ? '' : refused.detail).toContain('metadata/3.root.json');
      expect(writes()).toBe(0);
    }
  });

  test('is brought anew, whichever object was changed, cut, emptied or lengthened, and wherever', async () => {
    const random = seededRandom(SEED);
    for (const [name, bytes] of whole) {
      const at = random(bytes.length);
      const digit = bytes.findIndex((byte) => byte > 0x30 && byte < 0x39);
      const changes = {
        changed: bytes.with(at, bytes[at] === 0 ? 1 : 0),
        counted: digit < 0 ? new Uint8Array() : bytes.with(digit, 0x39),
        cut: bytes.slice(0, at),
        lengthened: concatBytes(bytes, Uint8Array.of(10)),
      };
      for (const [how, other] of Object.entries(changes)) {
        const objects = new Map(whole).set(name, other);
        const run = await mirror(history, { from: new Map(history.store.objects), to: mediumOver(objects).place });
        expect(run, `${name} ${how}`).toMatchObject({ ok: true });
        // White space behind a timestamp changes nothing for anybody: one of the same version is not replaced.
        const isLeft = name === TIMESTAMP && how === 'lengthened';
        expect(objects, `${name} ${how} (seed ${SEED})`).toEqual(isLeft ? new Map(whole).set(name, other) : whole);
      }
    }
  });
});

test('a store that is lost is made again from a mirror: the signer goes on from there, and devices with it', async () => {
  const { history: at, next } = await versions(false);
  const restored = makeFaultStore();
  accepted(await mirror(at, { from: next, to: mediumOver(restored.objects).place }));
  const { repository, store } = at;
  const signer = { store: restored.store, memory: store.memory };
  accepted(await publishChanges(optionsFor(repository, signer), {}));
  await repository.publishRelease();
  accepted(await publishAll(repository, signer));
  expect(await deviceSees(restored.objects, repository)).toEqual({ channel: 3, boots: true });
  expect(await found({ ...at, former: new Map() }, restored.objects)).toEqual([]);
});

test('a store that is made again from a mirror that is behind the signer gets no signature (R6)', async () => {
  const { history: at, old } = await versions(false);
  const restored = makeFaultStore();
  accepted(await mirror(at, { from: old, to: mediumOver(restored.objects).place }));
  const signer = { store: restored.store, memory: at.store.memory };
  const refused = await publishChanges(optionsFor(at.repository, signer), {});
  expect(refused).toMatchObject({ ok: false, code: 'REPOSITORY_CONFLICT' });
});

describe('a source that lies', () => {
  test(`whichever single object it changes, the mirror shows what it showed and holds nothing that was not signed (seed ${SEED})`, async () => {
    const { history: at, old, next } = await versions(false);
    const random = seededRandom(SEED);
    const before = new Map<string, Uint8Array>();
    accepted(await mirror(at, { from: old, to: mediumOver(before).place }));
    let refused = 0;
    for (const [name, bytes] of next) {
      const changed = bytes.slice();
      const byte = random(changed.length);
      changed[byte] = (changed[byte] ?? 0) ^ (1 + random(255));
      for (const lie of [changed, bytes.slice(0, byte), concatBytes(bytes, new Uint8Array(100_000))]) {
        const objects = new Map(before);
        const verdict = await mirror(at, { from: new Map(next).set(name, lie), to: mediumOver(objects).place });
        for (const [held, content] of objects) expect([old.get(held), next.get(held)], held).toContainEqual(content);
        if (!verdict.ok) {
          refused++;
          expect(objects.get(TIMESTAMP), name).toEqual(before.get(TIMESTAMP));
          expect(verdict.detail.length).toBeGreaterThan(3);
        }
      }
    }
    expect(refused).toBeGreaterThan(30);
  });

  test('of an edge of the log and of what lies below it is refused, and nothing of either is held', async () => {
    const { history: at, next } = await versions(false);
    const lies = new Map(next);
    for (const [name, bytes] of next) {
      const width = Number(/\/log\/tile\/entries\/.*\.p\/(\d+)$/.exec(name)?.[1] ?? 0);
      if (width > 0) lies.set(name, encodeEntryBundle(Array.from({ length: width }, () => encodeUtf8('a lie'))));
      if (name.includes('/log/tile/0/')) lies.set(name, bytes.toReversed());
    }
    const objects = new Map<string, Uint8Array>();
    const verdict = await mirror(at, { from: lies, to: mediumOver(objects).place });
    expect(verdict).toMatchObject({ ok: false, code: 'LOG_TILE_MALFORMED' });
    expect([...objects.keys()].filter((name) => name.includes('/log/tile/'))).toEqual([]);
  });

  test('and shows an older timestamp is refused, and the mirror stays', async () => {
    const { history: at, old, next } = await versions(false);
    const objects = new Map<string, Uint8Array>();
    accepted(await mirror(at, { from: next, to: mediumOver(objects).place }));
    const before = new Map(objects);
    expect(await mirror(at, { from: old, to: mediumOver(objects).place })).toMatchObject({
      code: 'TIMESTAMP_ROLLBACK',
    });
    expect(objects).toEqual(before);
  });

  test('and shows a smaller log under a newer timestamp is refused', async () => {
    const { history: at, old, next } = await versions(false);
    const objects = new Map<string, Uint8Array>();
    accepted(await mirror(at, { from: next, to: mediumOver(objects).place }));
    const lie = new Map(next).set('gateway/log/checkpoint', old.get('gateway/log/checkpoint') ?? new Uint8Array());
    expect(await mirror(at, { from: lie, to: mediumOver(objects).place })).toMatchObject({ code: 'LOG_ROLLBACK' });
  });

  test('and goes on showing what has expired is refused: a copy would hide that nobody refreshes it', async () => {
    const { history: at, old } = await versions(false);
    const now = at.repository.now + 2 * 86_400_000;
    const verdict = await mirror(at, { from: old, to: mediumOver(new Map()).place, now });
    expect(verdict).toMatchObject({ code: 'METADATA_EXPIRED' });
  });
});
