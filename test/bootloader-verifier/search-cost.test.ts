/** The work of the search for a target and of the checks around it, in counted steps: it grows with the metadata, and no pattern makes it grow faster. */
import { expect, test } from 'vitest';
import {
  isFound,
  nextStep,
  startSearch,
  stepSearch,
  VISITED_MAX,
} from '../../bootloader-verifier/boot/search-target.ts';
import { verifyDelegatedRole, verifyTargetsRole } from '../../bootloader-verifier/boot/verify-targets.ts';
import { verifyInitialRoot } from '../../bootloader-verifier/boot/verify-root.ts';
import { verifySnapshot, verifyTimestamp } from '../../bootloader-verifier/boot/verify-timestamp.ts';
import { matchesPathPattern } from '../../formats/path-pattern.ts';
import { parseSnapshot } from '../../formats/tuf-snapshot.ts';
import { delegationsFor, type Delegations } from '../../formats/tuf-targets.ts';
import { accepted } from '../accepted.ts';
import { countSteps } from '../counted-steps.ts';
import { edited, SAMPLE_FILES } from '../formats/sample-repository.ts';

const KEYS = { keys: new Map(), roles: [] };
const ROLE = { keyids: ['a'], threshold: 1, terminating: false, paths: ['*'] };
/** Whatever was signed fits, so that files of any size can be made without keys. */
const check = (): boolean => true;
const NOW = Date.UTC(2026, 5, 1);

function roles(count: number, of: (index: number) => object): Delegations {
  return { ...KEYS, roles: Array.from({ length: count }, (_, i) => ({ ...ROLE, name: `r${i}`, ...of(i) })) };
}

/** How many steps the larger work takes for each step of the smaller one. */
function growth(work: (count: number) => () => void, from: number): number {
  const [small, large] = [countSteps(work(from)), countSteps(work(4 * from))];
  expect(small).toBeGreaterThan(0);
  return large / small;
}

test('a bin is found in as many steps among 16,384 as among 2', () => {
  const among = (bitLength: number): number => {
    const bins = { keyids: ['a'], threshold: 1, bitLength, namePrefix: 'bin' };
    return countSteps(() => void delegationsFor({ ...KEYS, bins }, '1.0.0/gateway/image.js'));
  };
  expect(among(14)).toBe(among(1));
  expect(among(32)).toBe(among(1));
});

test('4,096 roles by hash prefixes cost 4 times what 1,024 cost, and so do 4 times the prefixes of one', () => {
  const digits = (i: number): string => i.toString(16).padStart(4, '0');
  const byRoles = (count: number) => {
    const delegations = roles(count, (i) => ({ pathHashPrefixes: [digits(i)] }));
    return () => void delegationsFor(delegations, 'file');
  };
  expect(growth(byRoles, 1024)).toBeLessThan(4.1);
  const byPrefixes = (count: number) => {
    const delegations = roles(1, () => ({
      pathHashPrefixes: Array.from({ length: count }, (_, i) => `zz${digits(i)}`),
    }));
    return () => void delegationsFor(delegations, 'file');
  };
  expect(growth(byPrefixes, 1024)).toBeLessThan(4.1);
});

test('many delegations with many patterns cost in proportion to all of their characters', () => {
  const byRoles = (count: number) => {
    const delegations = roles(count, (i) => ({ paths: Array.from({ length: 50 }, (_, k) => `${i}/*/${k}-*.bin`) }));
    return () => void delegationsFor(delegations, '7/gateway/3-image.bin');
  };
  expect(growth(byRoles, 100)).toBeLessThan(4.1);
});

test('no pattern costs more than a few steps for each pair of its characters and those of the name', () => {
  const wild = ['*a', 'a*', '?*', '*?', '**', '*ab', '*a?'];
  for (const part of wild) {
    for (const end of ['b', '*b', '/b', '']) {
      const pattern = (part.repeat(200) + end).slice(0, 512);
      const name = 'a'.repeat(1000);
      const steps = countSteps(() => void matchesPathPattern(pattern, name));
      expect(steps, pattern.slice(-8)).toBeLessThan(4 * pattern.length * name.length);
    }
  }
  const deep = (count: number) => () => void matchesPathPattern('*a/'.repeat(count), 'aaab/'.repeat(count));
  expect(growth(deep, 50)).toBeLessThan(4.3);
});

/** Steps of a whole search for a target that nobody lists, through roles that each delegate to `fan` others. */
function searchSteps(fan: number): number {
  const root = accepted(verifyInitialRoot(SAMPLE_FILES['1.root.json'], check));
  const delegations = Array.from({ length: fan }, (_, i) => ({ ...ROLE, name: `r${i}` }));
  const key = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: 'ab' } };
  const signatures = [{ keyid: 'a', sig: '00' }];
  const bytes = edited(
    edited(SAMPLE_FILES['1.targets.json'], ['signed', 'delegations'], { keys: { a: key }, roles: delegations }),
    ['signatures'],
    (all: readonly unknown[]) => [...all, ...signatures],
  );
  const targets = accepted(verifyTargetsRole(root, bytes, { check }));
  const delegated = accepted(verifyDelegatedRole(targets, { name: 'r0', bytes }, { check }));
  return countSteps(() => {
    let search = startSearch('missing');
    for (let step = nextStep(search); step.ok; step = nextStep(search)) {
      const outcome = stepSearch(search, step.value, step.value.delegator === undefined ? targets : delegated);
      if (isFound(outcome)) throw new Error('nobody lists it');
      search = outcome;
    }
  });
}

test(`a search that visits ${VISITED_MAX} roles, each with many delegations back to the others, costs in proportion to them`, () => {
  expect(searchSteps(1000) / searchSteps(250)).toBeLessThan(4.2);
});

test('a snapshot of 25,000 files costs 4 times one of 6,250, held against one of as many', () => {
  const root = accepted(verifyInitialRoot(SAMPLE_FILES['1.root.json'], check));
  const trust = { root, now: NOW, check };
  const named = edited(SAMPLE_FILES['timestamp.json'], ['signed', 'meta', 'snapshot.json'], { version: 1 });
  const timestamp = accepted(verifyTimestamp(trust, named, undefined));
  const work = (count: number) => {
    const meta = Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`${(i * 7919) % count}.json`, { version: 1 }]),
    );
    const file = edited(SAMPLE_FILES['1.snapshot.json'], ['signed', 'meta'], meta);
    const seen = accepted(parseSnapshot(file));
    return () => void accepted(verifySnapshot({ ...trust, timestamp }, file, seen));
  };
  // Members that stand in no order are sorted, which is the one part above the linear.
  expect(growth(work, 6_250)).toBeLessThan(4.8);
});
