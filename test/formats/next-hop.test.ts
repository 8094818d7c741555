/** The ways from release to release: what a device takes next, held against a search through everything that it could do. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compareFirmwareVersions } from '../../formats/firmware-version.ts';
import { isJsonObject, parseJson } from '../../formats/json.ts';
import { nextHop, wayFrom, type VersionedRelease, type Ways } from '../../formats/next-hop.ts';
import {
  DEAD_ENDS_MAX,
  FROM_MAX,
  GRAPH_EMPTY,
  graphDecoder,
  graphToJson,
  RANGES_MAX,
  REASON_LENGTH_MAX,
  RECALLED_MAX,
  WAYPOINTS_MAX,
  type UpdateGraph,
  type VersionRange,
} from '../../formats/update-graph.ts';
import { seededRandom, type Random } from '../../simulation/seed.ts';
import { accepted } from '../accepted.ts';
import { SEED } from '../simulation/seed.ts';

const VECTORS = new URL('../vectors/graph/hops.json', import.meta.url);

const at = (version: string, release = version): VersionedRelease => ({ release, version });
const ways = (inForce: string, waypoints: readonly string[] = [], graph: Partial<UpdateGraph> = {}): Ways => ({
  inForce: at(inForce),
  waypoints: waypoints.map((version) => at(version)),
  graph: { ...GRAPH_EMPTY, waypoints, ...graph },
});
const range = (min?: string, below?: string): VersionRange => ({ min, below });

describe('versions', () => {
  test('the order is that of SemVer, section 11, and of numbers longer than any number type', () => {
    const rising = [
      ...['0.9.9', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11'],
      ...['1.0.0-rc.1', '1.0.0', '1.0.1', '1.2.0', '1.10.0', '2.0.0', '9007199254740993.0.0', '9007199254740994.0.0'],
    ];
    for (const [i, a] of rising.entries()) {
      for (const [j, b] of rising.entries()) {
        expect(Math.sign(compareFirmwareVersions(a, b)), `${a} ${b}`).toBe(Math.sign(i - j));
      }
    }
  });
});

describe('hops', () => {
  test('without a graph every way leads up to what is in force, over everything', () => {
    expect(nextHop(ways('2.0.0'), at('1.0.0'))).toEqual({ kind: 'hop', release: '2.0.0', why: 'in-force' });
    expect(nextHop(ways('2.0.0'), at('2.0.0', 'other'))).toMatchObject({ kind: 'hop', release: '2.0.0' });
    expect(nextHop(ways('2.0.0'), at('2.0.0'))).toEqual({ kind: 'arrived' });
  });

  test('nothing leads down unless what runs is recalled, and then at once, past every waypoint', () => {
    expect(nextHop(ways('1.0.0'), at('2.0.0'))).toMatchObject({ kind: 'stuck', code: 'RECALL_MISSING' });
    const recalled = ways('1.0.0', ['1.5.0'], { recalled: ['2.0.0'] });
    expect(nextHop(recalled, at('2.0.0'))).toEqual({ kind: 'hop', release: '1.0.0', why: 'recall' });
    expect(nextHop(recalled, at('2.1.0'))).toMatchObject({ code: 'RECALL_MISSING' });
  });

  test('a device takes every waypoint above it, one after the other, and none below it or above what is in force', () => {
    const graph = ways('4.0.0', ['5.0.0', '3.0.0', '2.0.0', '1.0.0']);
    expect(wayFrom(graph, at('1.5.0')).hops.map(({ release }) => release)).toEqual(['2.0.0', '3.0.0', '4.0.0']);
    expect(wayFrom(graph, at('3.0.0')).hops.map(({ release }) => release)).toEqual(['4.0.0']);
  });

  test('a device that runs nothing takes what is in force: there is nothing to install it over', () => {
    const graph = ways('4.0.0', ['2.0.0'], { from: new Map([['4.0.0', [range('2.0.0')]]]) });
    expect(wayFrom(graph, undefined).hops.map(({ release }) => release)).toEqual(['4.0.0']);
  });

  test('from a dead end nothing leads, also where it is the way to a waypoint, and the reason is told', () => {
    const graph = ways('4.0.0', ['2.0.0'], { deadEnds: [{ release: '1.3.0', reason: 'its loader is broken' }] });
    expect(nextHop(graph, at('1.3.0'))).toMatchObject({
      code: 'DEAD_END',
      detail: expect.stringContaining('loader') as string,
    });
    expect(nextHop(graph, at('1.2.0'))).toMatchObject({ kind: 'hop', release: '2.0.0' });
  });

  test('a release is installed over the versions of its ranges alone: from the least on, below the other bound', () => {
    const graph = ways('4.0.0', [], { from: new Map([['4.0.0', [range('1.0.0', '2.0.0'), range('3.0.0')]]]) });
    const hop = (version: string): string => nextHop(graph, at(version)).kind;
    expect(['0.9.0', '1.0.0', '1.9.9', '2.0.0-rc.1', '2.0.0', '3.0.0-rc.1', '3.0.0'].map(hop)).toEqual([
      'stuck',
      'hop',
      'hop',
      'hop',
      'stuck',
      'stuck',
      'hop',
    ]);
    expect(nextHop(graph, at('2.0.0'))).toMatchObject({ code: 'WAY_CLOSED' });
  });

  test('of two waypoints of one version the first by name comes first, on every device', () => {
    const both = { ...ways('4.0.0'), waypoints: [at('2.0.0', 'b'), at('2.0.0', 'a')] };
    expect(nextHop(both, at('1.0.0'))).toMatchObject({ release: 'a' });
  });
});

describe('graphs as signed', () => {
  const read = (graph: Partial<UpdateGraph>): boolean => graphDecoder(graphToJson({ ...GRAPH_EMPTY, ...graph })).ok;
  const names = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `1.${i}.0`);
  const ends = (count: number): UpdateGraph['deadEnds'] => names(count).map((release) => ({ release, reason: 'r' }));

  test('each list has its limit', () => {
    const ranges = (count: number): readonly VersionRange[] => Array.from({ length: count }, () => range('1.0.0'));
    const from = (count: number): UpdateGraph['from'] =>
      new Map(names(count).map((name) => [name, ranges(1)] as const));
    expect(read({ waypoints: names(WAYPOINTS_MAX) })).toBe(true);
    expect(read({ waypoints: names(WAYPOINTS_MAX + 1) })).toBe(false);
    expect(read({ recalled: names(RECALLED_MAX) })).toBe(true);
    expect(read({ recalled: names(RECALLED_MAX + 1) })).toBe(false);
    expect(read({ deadEnds: ends(DEAD_ENDS_MAX) })).toBe(true);
    expect(read({ deadEnds: ends(DEAD_ENDS_MAX + 1) })).toBe(false);
    expect(read({ from: from(FROM_MAX) })).toBe(true);
    expect(read({ from: from(FROM_MAX + 1) })).toBe(false);
    expect(read({ from: new Map([['2.0.0', ranges(RANGES_MAX)]]) })).toBe(true);
    expect(read({ from: new Map([['2.0.0', ranges(RANGES_MAX + 1)]]) })).toBe(false);
    expect(read({ deadEnds: [{ release: '1.0.0', reason: 'r'.repeat(REASON_LENGTH_MAX + 1) }] })).toBe(false);
  });

  test.each<[string, Partial<UpdateGraph>]>([
    ['a range without a bound', { from: new Map([['2.0.0', [range()]]]) }],
    ['a range in which nothing lies', { from: new Map([['2.0.0', [range('2.0.0', '2.0.0')]]]) }],
    ['no range at all', { from: new Map([['2.0.0', []]]) }],
    ['a waypoint that is recalled', { waypoints: ['1.0.0'], recalled: ['1.0.0'] }],
    ['a waypoint that stands twice', { waypoints: ['1.0.0', '1.0.0'] }],
    ['a dead end that is recalled', { deadEnds: [{ release: '1.0.0', reason: 'r' }], recalled: ['1.0.0'] }],
    ['a version that is none', { from: new Map([['2.0.0', [range('two')]]]) }],
    ['a reason of two lines', { deadEnds: [{ release: '1.0.0', reason: 'a\nb' }] }],
  ])('a graph with %s is not read', (_, graph) => {
    expect(read(graph)).toBe(false);
  });
});

describe('random graphs', () => {
  const VERSIONS = Array.from({ length: 9 }, (_, i) => `${1 + Math.floor(i / 3)}.${i % 3}.0`);

  function drawGraph(random: Random): Ways {
    const inForce = VERSIONS[random(VERSIONS.length)] ?? '1.0.0';
    const others = VERSIONS.filter((version) => version !== inForce);
    const drawn = new Map(others.map((version) => [version, random(8)]));
    const named = (what: number): readonly string[] => others.filter((version) => drawn.get(version) === what);
    const from = new Map(
      VERSIONS.filter(() => random(4) === 0).map((version) => {
        const [a, b] = [random(9), random(9)].sort((x, y) => x - y);
        return [version, [range(VERSIONS[a ?? 0], a === b ? undefined : VERSIONS[b ?? 0])]] as const;
      }),
    );
    const waypoints = [...named(0), ...named(1), ...named(2)];
    const deadEnds = named(3).map((release) => ({ release, reason: 'drawn' }));
    return ways(inForce, waypoints, { from, deadEnds, recalled: named(4) });
  }

  /** Whether the hop from `x` to `y` breaks nothing that people signed: written down once more, from the rules. */
  function isLegal({ inForce, waypoints, graph }: Ways, x: VersionedRelease, y: VersionedRelease): boolean {
    const above = (a: VersionedRelease, b: VersionedRelease): boolean =>
      VERSIONS.indexOf(a.version) > VERSIONS.indexOf(b.version);
    if (graph.deadEnds.some(({ release }) => release === x.release)) return false;
    if (graph.recalled.includes(x.release)) return y.release === inForce.release;
    if (!above(y, x) || above(y, inForce)) return false;
    if (waypoints.some((w) => above(w, x) && above(y, w))) return false;
    const ranges = graph.from.get(y.release);
    const index = VERSIONS.indexOf(x.version);
    return (
      ranges === undefined ||
      ranges.some(
        ({ min = VERSIONS[0] ?? '', below }) =>
          index >= VERSIONS.indexOf(min) && (below === undefined || index < VERSIONS.indexOf(below)),
      )
    );
  }

  /** Every legal way from `x` to what is in force. */
  function allWays(graph: Ways, x: VersionedRelease): readonly (readonly string[])[] {
    if (x.release === graph.inForce.release) return [[]];
    return [...graph.waypoints, graph.inForce]
      .filter((y) => y.release !== x.release && isLegal(graph, x, y))
      .flatMap((y) => allWays(graph, y).map((rest) => [y.release, ...rest]));
  }

  test('each device ends at what is in force, by the one legal way, or stays where no legal way leads on', () => {
    const random = seededRandom(SEED);
    const seen = { arrived: 0, DEAD_END: 0, WAY_CLOSED: 0, RECALL_MISSING: 0, several: 0 };
    for (let round = 0; round < 3_000; round++) {
      const graph = drawGraph(random);
      const from = at(VERSIONS[random(VERSIONS.length)] ?? '');
      const { hops, end } = wayFrom(graph, from);
      const taken = hops.map(({ release }) => release);
      const shown = `seed ${SEED}, round ${round}: from ${from.version}: ${JSON.stringify([graph, [...graph.graph.from]])}`;
      expect(hops.length, shown).toBeLessThanOrEqual(graph.waypoints.length + 1);
      expect(new Set(taken).size, shown).toBe(taken.length);
      const legal = allWays(graph, from);
      if (end.kind === 'arrived') {
        expect(legal, shown).toContainEqual(taken);
        seen.arrived++;
        if (taken.length > 1) seen.several++;
        continue;
      }
      expect(legal, shown).toEqual([]);
      seen[end.code]++;
    }
    for (const [what, count] of Object.entries(seen)) expect(count, `seed ${SEED}: ${what}`).toBeGreaterThan(20);
  });
});

test('every hop of the vectors is the one that the document demands', () => {
  const vectors = accepted(parseJson(readFileSync(VECTORS), { bytesMax: 100_000 }));
  const cases = Array.isArray(vectors) ? vectors.filter(isJsonObject) : [];
  expect(cases.length).toBe(5);
  for (const vector of cases) {
    const graph = accepted(graphDecoder(vector.get('graph') ?? null));
    const inForce = String(vector.get('inForce'));
    const hops = vector.get('hops');
    for (const [version, expected] of isJsonObject(hops) ? hops : []) {
      const hop = nextHop(ways(inForce, graph.waypoints, graph), version === '' ? undefined : at(version));
      const told = {
        arrived: 'arrived',
        hop: 'release' in hop ? hop.release : '',
        stuck: 'code' in hop ? hop.code : '',
      };
      expect(told[hop.kind], `${String(vector.get('says'))}: from ${version}`).toBe(expected);
    }
  }
});
