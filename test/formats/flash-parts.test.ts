/** What lies on flash: each part is read back as it was written, and refused with its own code if it is anything else. */
import { expect, test } from 'vitest';
import {
  BOOT_BUNDLE_BYTES_MAX,
  encodeBootBundle,
  parseBootBundle,
  ROOTS_MAX,
  type BootBundle,
} from '../../formats/boot-bundle.ts';
import {
  BOOT_STATE_BYTES_MAX,
  BOOT_STATE_EMPTY,
  encodeBootState,
  FAILED_MAX,
  otherSlot,
  parseBootState,
  TRIAL_STARTS_MAX,
  type BootState,
} from '../../formats/boot-state.ts';
import { encodeUtf8 } from '../../formats/bytes.ts';
import type { Code } from '../../formats/codes.ts';
import {
  encodeFactoryRecord,
  FACTORY_BYTES_MAX,
  parseFactoryRecord,
  repositoryOf,
  type FactoryRecord,
} from '../../formats/factory-record.ts';
import { encodeFloors, FLOORS_BYTES_MAX, parseFloors, type Floors } from '../../formats/floors.ts';
import { encodeSeenMetadata, parseSeenMetadata, type SeenMetadata } from '../../formats/seen-metadata.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { ROOT_BYTES_MAX } from '../../formats/tuf-root.ts';
import { SNAPSHOT_BYTES_MAX, TIMESTAMP_BYTES_MAX } from '../../formats/tuf-snapshot.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { edited } from './sample-repository.ts';

const BYTES = Uint8Array.of(0, 1, 255);
const SHA256 = 'ab'.repeat(32);

const BUNDLE: BootBundle = {
  release: '1.0.0',
  roots: [BYTES, new Uint8Array()],
  targets: BYTES,
  channel: BYTES,
  evidence: [
    { component: 'hub', provenance: BYTES, vsa: new Uint8Array() },
    { component: 'gateway', provenance: BYTES, vsa: undefined },
  ],
  proofs: {
    channel: BYTES,
    roots: new Map([
      [2, BYTES],
      [3, new Uint8Array()],
    ]),
  },
};
const STATE: BootState = { good: 'a', trial: { slot: 'b', starts: 2 }, confirmed: 'b', failed: [SHA256] };
const FLOORS: Floors = {
  root: { version: 3, sha256: SHA256 },
  channelVersions: new Map([['stable', 7]]),
  securityCounters: new Map([['gateway', 0]]),
};
const FACTORY: FactoryRecord = {
  product: 'gateway',
  components: [
    { component: 'gateway', hardwareId: 'gw-1', installer: 'slot' },
    { component: 'hub', hardwareId: 'primehub', installer: 'transfer' },
  ],
  channelName: 'stable',
  root: BYTES,
};
const SEEN: SeenMetadata = { timestamp: BYTES, snapshot: new Uint8Array(), checkpoint: BYTES };

/** A part by its encoder and parser; what was seen online answers undefined where others have a code. */
type Part = {
  readonly name: string;
  readonly value: unknown;
  readonly bytes: Uint8Array;
  readonly parse: (bytes: Uint8Array) => Verdict<unknown>;
  readonly code: Code;
  readonly bytesMax: number;
};
const seenVerdict = (bytes: Uint8Array): Verdict<SeenMetadata> => {
  const seen = parseSeenMetadata(bytes);
  return seen === undefined ? reject('NOT_FOUND', 'nothing readable was seen') : accept(seen);
};
const PARTS: readonly Part[] = [
  {
    name: 'boot bundle',
    value: BUNDLE,
    bytes: encodeBootBundle(BUNDLE),
    parse: parseBootBundle,
    code: 'BOOT_BUNDLE_MALFORMED',
    bytesMax: BOOT_BUNDLE_BYTES_MAX,
  },
  {
    name: 'boot state',
    value: STATE,
    bytes: encodeBootState(STATE),
    parse: parseBootState,
    code: 'BOOT_STATE_MALFORMED',
    bytesMax: BOOT_STATE_BYTES_MAX,
  },
  {
    name: 'floors',
    value: FLOORS,
    bytes: encodeFloors(FLOORS),
    parse: parseFloors,
    code: 'PROTECTED_STORE_MISSING',
    bytesMax: FLOORS_BYTES_MAX,
  },
  {
    name: 'factory record',
    value: FACTORY,
    bytes: encodeFactoryRecord(FACTORY),
    parse: parseFactoryRecord,
    code: 'PROTECTED_STORE_MISSING',
    bytesMax: FACTORY_BYTES_MAX,
  },
  {
    name: 'seen metadata',
    value: SEEN,
    bytes: encodeSeenMetadata(SEEN),
    parse: seenVerdict,
    code: 'NOT_FOUND',
    bytesMax: 4_000_000,
  },
];

test.each(PARTS)('a $name is read back as it was written', ({ value, bytes, parse }) => {
  expect(parse(bytes)).toEqual({ ok: true, value });
});

test.each(PARTS)(
  'a $name with a member more, a member less or another version is refused with its code',
  ({ bytes, parse, code }) => {
    expect(parse(edited(bytes, ['x-unknown'], 1))).toMatchObject({ ok: false, code });
    const members = Object.keys(JSON.parse(new TextDecoder().decode(bytes)) as object);
    for (const member of members.filter(
      (name) => !['good', 'trial', 'proofs', 'checkpoint', 'confirmed'].includes(name),
    )) {
      expect(parse(edited(bytes, [member], undefined)), member).toMatchObject({ ok: false, code });
      expect(parse(edited(bytes, [member], null)), member).toMatchObject({ ok: false, code });
    }
    for (const version of [0, 2, '1', 1.5])
      expect(parse(edited(bytes, ['version'], version))).toMatchObject({ ok: false, code });
  },
);

test.each(PARTS)(
  'flash that was never written, cut off or filled with one byte holds no $name',
  ({ bytes, parse, code }) => {
    for (const other of [
      new Uint8Array(),
      bytes.slice(0, -1),
      bytes.slice(1),
      bytes.map(() => 0xff),
      bytes.map(() => 0),
    ]) {
      expect(parse(other)).toMatchObject({ ok: false, code });
    }
    for (const text of ['null', '[]', '{}', '""', '1'])
      expect(parse(encodeUtf8(text)), text).toMatchObject({ ok: false, code });
  },
);

test.each(PARTS)('a $name is read up to its size and not a byte beyond', ({ bytes, parse, code, bytesMax }) => {
  const padded = new Uint8Array(bytesMax).fill(0x20);
  padded.set(bytes);
  expect(parse(padded).ok).toBe(true);
  expect(parse(new Uint8Array([...padded, 0x20]))).toMatchObject({ ok: false, code });
});

test('the state of a device that was never installed is read back, absent members as absent', () => {
  expect(parseBootState(encodeBootState(BOOT_STATE_EMPTY))).toEqual({ ok: true, value: BOOT_STATE_EMPTY });
  expect(new TextDecoder().decode(encodeBootState(BOOT_STATE_EMPTY))).toBe('{"failed":[],"version":1}');
});

test('a boot state names slots a and b alone, counts starts up to 3 and remembers 8 images', () => {
  expect([TRIAL_STARTS_MAX, FAILED_MAX]).toEqual([3, 8]);
  const parse = (path: readonly (string | number)[], value: unknown): boolean =>
    parseBootState(edited(encodeBootState(STATE), path, value)).ok;
  expect(parse(['trial', 'starts'], TRIAL_STARTS_MAX)).toBe(true);
  expect(
    parse(
      ['failed'],
      Array.from({ length: FAILED_MAX }, () => SHA256),
    ),
  ).toBe(true);
  for (const [path, value] of [
    [['trial', 'starts'], TRIAL_STARTS_MAX + 1],
    [['trial', 'starts'], -1],
    [['trial', 'starts'], undefined],
    [['trial', 'slot'], 'c'],
    [['trial', 'x-unknown'], 1],
    [['good'], 'A'],
    [['good'], ''],
    [['confirmed'], 'ab'],
    [['failed'], Array.from({ length: FAILED_MAX + 1 }, () => SHA256)],
    [['failed'], ['AB'.repeat(32)]],
  ] as const) {
    expect(parse(path, value), JSON.stringify([path, value])).toBe(false);
  }
  expect([otherSlot('a'), otherSlot('b')]).toEqual(['b', 'a']);
});

test('a boot bundle has the evidence of 1 to 8 images, and a factory record as many components', () => {
  const counts = [0, 1, 8, 9];
  const named = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `c-${index}`);
  const bundles = counts.map((count) => {
    const evidence = named(count).map((component) => ({ component, provenance: BYTES }));
    return parseBootBundle(encodeBootBundle({ ...BUNDLE, evidence })).ok;
  });
  const records = counts.map((count) => {
    const components = named(count).map((component, index) => ({
      component,
      hardwareId: 'gw-1',
      installer: index === 0 ? ('slot' as const) : ('transfer' as const),
    }));
    return parseFactoryRecord(encodeFactoryRecord({ ...FACTORY, components })).ok;
  });
  expect([bundles, records]).toEqual([
    [false, true, true, false],
    [false, true, true, false],
  ]);
});

test('a factory record names each component once, and exactly one that starts from a slot', () => {
  const [gateway = expect.unreachable(), hub = expect.unreachable()] = FACTORY.components;
  const judge = (...components: FactoryRecord['components']): string => {
    const record = parseFactoryRecord(encodeFactoryRecord({ ...FACTORY, components }));
    return record.ok ? 'read' : record.code;
  };
  expect([judge(gateway, hub), judge(hub, gateway), judge(gateway)]).toEqual(['read', 'read', 'read']);
  for (const components of [[hub], [gateway, { ...gateway, component: 'other' }], [gateway, hub, hub]]) {
    expect(judge(...components)).toBe('PROTECTED_STORE_MISSING');
  }
});

test('a boot bundle has 1 to 256 roots of at most 512,000 bytes, and other files of at most 700,000', () => {
  expect([ROOTS_MAX, ROOT_BYTES_MAX]).toEqual([256, 512_000]);
  const judge = (change: Partial<BootBundle>): boolean =>
    parseBootBundle(encodeBootBundle({ ...BUNDLE, ...change })).ok;
  const roots = (count: number): readonly Uint8Array[] => Array.from({ length: count }, () => BYTES);
  expect([judge({ roots: roots(ROOTS_MAX) }), judge({ roots: roots(ROOTS_MAX + 1) }), judge({ roots: [] })]).toEqual([
    true,
    false,
    false,
  ]);
  const root = (size: number): Partial<BootBundle> => ({ roots: [new Uint8Array(size)] });
  expect([judge(root(ROOT_BYTES_MAX)), judge(root(ROOT_BYTES_MAX + 1))]).toEqual([true, false]);
  for (const file of ['targets', 'channel', 'provenance', 'vsa']) {
    const sized = (size: number): Partial<BootBundle> => {
      const change = { [file]: new Uint8Array(size) };
      return file in BUNDLE ? change : { evidence: [{ component: 'gateway', provenance: BYTES, ...change }] };
    };
    expect([judge(sized(700_000)), judge(sized(700_001))], file).toEqual([true, false]);
  }
});

test('a boot bundle names a release by a name of ours', () => {
  for (const release of ['', '..', '../1.0.0', '1.0.0/x', '.x', '1'.repeat(65)]) {
    expect(parseBootBundle(edited(encodeBootBundle(BUNDLE), ['release'], release)), release).toMatchObject({
      ok: false,
      code: 'BOOT_BUNDLE_MALFORMED',
    });
  }
});

test('files in a bundle have one spelling: base64 in another alphabet, unpadded or with stray bits is refused', () => {
  for (const text of ['AAH_', 'AAH', 'AAH/\n', 'AB==', ' AAH/', 'AAH/AAH', 1, ['AAH/']]) {
    expect(parseBootBundle(edited(encodeBootBundle(BUNDLE), ['targets'], text)), String(text)).toMatchObject({
      ok: false,
      code: 'BOOT_BUNDLE_MALFORMED',
    });
  }
});

test('a factory record names product, hardware, component and channel by names of ours, and a root that fits', () => {
  for (const member of ['product', 'hardwareId', 'component', 'channelName']) {
    for (const name of ['', 'A', '../x', 'a/b', '__proto__']) {
      expect(
        parseFactoryRecord(edited(encodeFactoryRecord(FACTORY), [member], name)),
        `${member} ${name}`,
      ).toMatchObject({
        ok: false,
        code: 'PROTECTED_STORE_MISSING',
      });
    }
  }
  const sized = (size: number): boolean =>
    parseFactoryRecord(encodeFactoryRecord({ ...FACTORY, root: new Uint8Array(size) })).ok;
  expect([sized(ROOT_BYTES_MAX), sized(ROOT_BYTES_MAX + 1)]).toEqual([true, false]);
});

test('the repository of a device is its product and the digest of its root 1', () => {
  expect(repositoryOf(FACTORY)).toEqual({ product: 'gateway', rootOneSha256: sha256Hex(BYTES) });
});

test('what was seen online is kept up to the sizes that a device reads', () => {
  const judge = (change: Partial<SeenMetadata>): boolean =>
    parseSeenMetadata(encodeSeenMetadata({ ...SEEN, ...change })) !== undefined;
  for (const [file, size] of [
    ['timestamp', TIMESTAMP_BYTES_MAX],
    ['snapshot', SNAPSHOT_BYTES_MAX],
  ] as const) {
    expect([judge({ [file]: new Uint8Array(size) }), judge({ [file]: new Uint8Array(size + 1) })], file).toEqual([
      true,
      false,
    ]);
  }
});

test('proofs stand in a bundle or not at all; those of roots in rising order, the channel once', () => {
  const without = { ...BUNDLE, proofs: undefined };
  expect(parseBootBundle(encodeBootBundle(without))).toEqual(accept(without));
  const noChannel = { ...BUNDLE, proofs: { channel: undefined, roots: new Map() } };
  expect(parseBootBundle(encodeBootBundle(noChannel))).toEqual(accept(noChannel));
  for (const versions of [[3, 2], [1]]) {
    const roots = new Map(versions.map((version) => [version, BYTES]));
    const code = 'BOOT_BUNDLE_MALFORMED';
    expect(parseBootBundle(encodeBootBundle({ ...BUNDLE, proofs: { channel: BYTES, roots } }))).toMatchObject({ code });
  }
});
