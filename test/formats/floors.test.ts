/** Floors: they only rise, each by itself, and what is written at the limits can be read back. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  COUNTER_JUMP_MAX,
  encodeFloors,
  FLOORS_BYTES_MAX,
  parseFloors,
  raiseFloors,
  type Floors,
} from '../../formats/floors.ts';
import { edited } from './sample-repository.ts';

const FLOORS: Floors = {
  root: { version: 3, sha256: 'ab'.repeat(32) },
  channelVersions: new Map([['stable', 7]]),
  securityCounters: new Map([['gateway', 5]]),
};
type Reached = Parameters<typeof raiseFloors>[1];
const REACHED: Reached = {
  root: { version: 3, sha256: 'ab'.repeat(32) },
  channel: { name: 'stable', version: 7 },
  components: [{ component: 'gateway', securityCounter: 5 }],
};

const NAMES = ['stable', 'beta', '__proto__', 'constructor'];
const value = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.maxSafeNat());
const entries = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), value), { maxLength: 4 })
  .map((members) => new Map(members));
const rootPin = fc.record({
  version: value.map((version) => Math.max(version, 1)),
  sha256: fc.constantFrom('ab', 'cd'),
});

test('no value that a device reaches ever lowers a floor or removes one, and each reached value is held', () => {
  const floors = fc.record({ root: rootPin, channelVersions: entries, securityCounters: entries });
  const reached = fc.record({
    root: rootPin,
    channel: fc.record({ name: fc.constantFrom(...NAMES), version: value }),
    components: fc.array(fc.record({ component: fc.constantFrom(...NAMES), securityCounter: value }), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(floors, reached, (before, by) => {
      const after = raiseFloors(before, by);
      expect(after.root).toEqual(by.root.version > before.root.version ? by.root : before.root);
      for (const [name, floor] of before.channelVersions)
        expect(after.channelVersions.get(name)).toBeGreaterThanOrEqual(floor);
      for (const [name, floor] of before.securityCounters)
        expect(after.securityCounters.get(name)).toBeGreaterThanOrEqual(floor);
      expect(after.channelVersions.get(by.channel.name)).toBeGreaterThanOrEqual(by.channel.version);
      for (const { component, securityCounter } of by.components)
        expect(after.securityCounters.get(component)).toBeGreaterThanOrEqual(securityCounter);
      expect(raiseFloors(after, by)).toEqual(after);
    }),
  );
});

test('a root of the pinned version does not replace the pinned one: only a newer root does', () => {
  const fork = { version: 3, sha256: 'cd'.repeat(32) };
  expect(raiseFloors(FLOORS, { ...REACHED, root: fork }).root).toEqual(FLOORS.root);
  expect(raiseFloors(FLOORS, { ...REACHED, root: { ...fork, version: 4 } }).root).toEqual({ ...fork, version: 4 });
});

test('floors that nothing exceeds are written as the same bytes, so that nothing has to be written', () => {
  expect(encodeFloors(raiseFloors(FLOORS, REACHED))).toEqual(encodeFloors(FLOORS));
});

test('raising floors leaves the old ones as they were', () => {
  raiseFloors(FLOORS, { ...REACHED, channel: { name: 'beta', version: 9 } });
  expect([...FLOORS.channelVersions]).toEqual([['stable', 7]]);
});

test('a counter may rise by 16 at once', () => {
  expect(COUNTER_JUMP_MAX).toBe(16);
});

/** Floors of `count` channels and components with the longest names and the largest numbers. */
function largest(count: number): Floors {
  const names = Array.from(
    { length: count },
    (_, i) => [`${'a'.repeat(61)}${i + 10}`, Number.MAX_SAFE_INTEGER] as const,
  );
  return {
    root: { version: Number.MAX_SAFE_INTEGER, sha256: 'ab'.repeat(32) },
    channelVersions: new Map(names),
    securityCounters: new Map(names),
  };
}

test('16 floors of either kind can be read back, with the longest names and the largest numbers; 17 cannot', () => {
  expect(encodeFloors(largest(16)).length).toBeLessThan(FLOORS_BYTES_MAX);
  expect(parseFloors(encodeFloors(largest(16)))).toEqual({ ok: true, value: largest(16) });
  expect(parseFloors(encodeFloors({ ...largest(16), channelVersions: largest(17).channelVersions }))).toMatchObject({
    ok: false,
    code: 'PROTECTED_STORE_MISSING',
  });
});

test('floors that cannot be read mean recovery, never zero', () => {
  for (const [path, bent] of [
    [['root'], undefined],
    [['root', 'version'], 0],
    [['root', 'version'], undefined],
    [['root', 'sha256'], ''],
    [['root', 'sha256'], 'AB'.repeat(32)],
    [['root', 'x-unknown'], 1],
    [['channelVersions'], []],
    [['channelVersions', 'stable'], -1],
    [['channelVersions', 'stable'], '7'],
    [['channelVersions', 'stable'], 1.5],
    [['channelVersions', '../x'], 1],
    [['securityCounters', 'gateway'], null],
    [['securityCounters'], undefined],
  ] as const) {
    expect(parseFloors(edited(encodeFloors(FLOORS), path, bent)), JSON.stringify([path, bent])).toMatchObject({
      ok: false,
      code: 'PROTECTED_STORE_MISSING',
    });
  }
});
