/** The benchmark's report: goals decide, and each peer is pinned to what is installed. */
import { expect, test } from 'vitest';
import { installedVersion, PEERS } from './peers.ts';
import { benchReport, passes } from './report.ts';

const LINE = {
  group: 'repository',
  metric: 'read',
  unit: 'CPU ms',
  ours: 2,
  peer: '@tufjs/models',
  peerValue: 40,
  ratio: 20,
  goal: 20,
};

test('a line passes at its goal and not below, and never where nothing was measured', () => {
  expect(passes(LINE)).toBe(true);
  expect(passes({ ...LINE, ratio: 19.99 })).toBe(false);
  expect(passes({ ...LINE, ratio: Number.NaN })).toBe(false);
});

test('the report names for each line the peer, its version and both commands, and says what was missed', () => {
  const report = benchReport([LINE, { ...LINE, ratio: 1 }]);
  expect(report).toMatch(/20\.00 .* ok /);
  expect(report).toMatch(/1\.00 .* MISSED /);
  expect(report).toContain(`@tufjs/models ${PEERS['@tufjs/models']?.version}: Metadata.fromJSON`);
  expect(report).toContain('ours: parseTargets(bytes)');
});

test('every package among the peers is installed in the version that is pinned', () => {
  const packages = Object.values(PEERS).filter((peer) => peer.package !== undefined);
  expect(packages.length).toBeGreaterThan(0);
  for (const peer of packages) expect(installedVersion(peer)).toBe(peer.version);
});
