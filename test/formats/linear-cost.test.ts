/** The work of the parsers, in counted steps: it grows with the file, and no file makes it grow faster. */
import { expect, test } from 'vitest';
import { parseBootBundle } from '../../formats/boot-bundle.ts';
import { encodeBase64, encodeUtf8 } from '../../formats/bytes.ts';
import { parseRelease } from '../../formats/release.ts';
import { parseRoot } from '../../formats/tuf-root.ts';
import { parseSnapshot } from '../../formats/tuf-snapshot.ts';
import { parseTargets, targetsToJson } from '../../formats/tuf-targets.ts';
import { verifyThreshold } from '../../formats/verify-signatures.ts';
import { accepted } from '../accepted.ts';
import { countSteps } from '../counted-steps.ts';
import { edited, headOf, SAMPLE_FILES } from './sample-repository.ts';

const HASHES = { sha256: 'ab'.repeat(32) };

/** `count` members in an order that is neither that of the names nor its reverse. */
function shuffled(count: number, value: unknown, nameOf: (name: string) => string): object {
  const entries = Array.from({ length: count }, (_, i) => [nameOf(String((i * 7919) % count).padStart(6, '0')), value]);
  return Object.fromEntries(entries) as object;
}

function targetsFile(count: number): Uint8Array {
  const targets = shuffled(count, { length: 1, hashes: HASHES }, (name) => `1.0.0/gateway/${name}.js`);
  return edited(SAMPLE_FILES['1.stable.json'], ['signed', 'targets'], targets);
}

/** How many steps the larger work takes for each step of the smaller one. */
function growth(work: (count: number) => () => void, from: number, to: number): number {
  const [small, large] = [work(from), work(to)];
  const steps = countSteps(small);
  expect(steps).toBeGreaterThan(from);
  return countSteps(large) / steps;
}

test('16,000 targets cost about 4 times what 4,000 cost, from the bytes to the signed bytes', () => {
  const parse = (count: number): (() => void) => {
    const file = targetsFile(count);
    return () => void parseTargets(file);
  };
  const grown = growth(parse, 4000, 16_000);
  expect(grown).toBeGreaterThan(3.9);
  // The names are sorted, which is the one part above the linear; anything quadratic would cost 16 times as much.
  expect(grown).toBeLessThan(5);
});

test('what a broken file costs is no more than what a good one costs', () => {
  const good = countSteps(() => void parseTargets(targetsFile(4000)));
  for (const [path, value] of [
    [['signed', 'version'], 0],
    [['signed', '_type'], 'root'],
    [['signed', 'targets', '1.0.0/gateway/003999.js', 'length'], -1],
    [['signatures'], null],
  ] as const) {
    const bad = edited(targetsFile(4000), path, value);
    expect(
      countSteps(() => void parseTargets(bad)),
      path.join('.'),
    ).toBeLessThan(good);
  }
});

test('4 times the files of a snapshot, the signatures of a file, the delegations or the keys cost about 4 times as much', () => {
  const snapshot = (count: number): (() => void) => {
    const meta = shuffled(count, { version: 1 }, (name) => `${name}.json`);
    const file = edited(SAMPLE_FILES['1.snapshot.json'], ['signed', 'meta'], meta);
    return () => void parseSnapshot(file);
  };
  expect(growth(snapshot, 2000, 8000)).toBeLessThan(5);
  const role = { keyids: ['a'], threshold: 1, terminating: false, paths: ['*'] };
  const delegations = (count: number): (() => void) => {
    const roles = Array.from({ length: count }, (_, i) => ({ ...role, name: `role-${i}` }));
    const file = edited(SAMPLE_FILES['1.targets.json'], ['signed', 'delegations', 'roles'], roles);
    return () => void parseTargets(file);
  };
  expect(growth(delegations, 1000, 4000)).toBeLessThan(4.3);
  const keys = (count: number): (() => void) => {
    const key = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: 'ab' } };
    const file = edited(
      SAMPLE_FILES['1.root.json'],
      ['signed', 'keys'],
      shuffled(count, key, (name) => name),
    );
    return () => void parseRoot(file);
  };
  expect(growth(keys, 16, 64)).toBeLessThan(4.3);
});

test('assembling a release grows with the targets of its channel, also where all of them claim to be images', () => {
  const release = (count: number): (() => void) => {
    const { targets } = accepted(parseTargets(SAMPLE_FILES['1.stable.json'])).signed;
    const image = targets.get('1.0.0/gateway/image.js');
    const provenance = '1.0.0/gateway/image.js.provenance.json';
    const many = new Map([
      [provenance, targets.get(provenance)],
      ...Array.from({ length: count }, (_, i) => [`1.0.0/gateway/${i}`, image] as const),
    ]);
    const listed = new Map([...many].flatMap(([name, file]) => (file === undefined ? [] : [[name, file] as const])));
    return () => void parseRelease(listed, '1.0.0');
  };
  expect(growth(release, 4000, 16_000)).toBeLessThan(4.3);
});

test('writing targets metadata grows with the targets', () => {
  const write = (count: number): (() => void) => {
    const { targets } = accepted(parseTargets(targetsFile(count))).signed;
    return () => void targetsToJson({ ...headOf('targets'), targets, delegations: undefined });
  };
  expect(growth(write, 4000, 16_000)).toBeLessThan(4.1);
});

test('64 signatures of one key cost one check', () => {
  const root = accepted(parseRoot(SAMPLE_FILES['1.root.json']));
  let checks = 0;
  const [first] = root.signatures;
  const signatures = first === undefined ? [] : Array.from({ length: 64 }, () => first);
  const role = { name: 'root', keys: root.signed.keys, ...root.signed.roles.root };
  const verdict = verifyThreshold({ signedBytes: root.signedBytes, signatures }, role, () => ++checks > 0);
  expect(verdict).toMatchObject({ ok: false, code: 'METADATA_THRESHOLD_UNMET' });
  expect(checks).toBe(1);
});

test('a boot bundle costs in proportion to its files', () => {
  const bundle = (size: number): (() => void) => {
    const file = encodeBase64(new Uint8Array(size).fill(7));
    const evidence = [{ component: 'gateway', provenance: file, vsa: file }];
    const json = { version: 1, release: '1.0.0', roots: [file], targets: file, channel: file, evidence };
    const bytes = encodeUtf8(JSON.stringify(json));
    return () => void parseBootBundle(bytes);
  };
  expect(growth(bundle, 3000, 12_000)).toBeLessThan(4.1);
});
