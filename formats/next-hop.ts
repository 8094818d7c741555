/**
 * What a device takes next on its way to the release in force: one function for device, boot stage, publisher and console.
 *
 * In this order:
 * - what runs nothing takes the release in force: there is nothing to install it over;
 * - from a dead end nothing leads, whatever else is said;
 * - a recalled release is left for the release in force, wherever that lies;
 * - nothing else leads down;
 * - the lowest waypoint above what runs, and below the release in force, comes first; of two with one version the first by name;
 * - the hop goes over the version that runs, by its `from`.
 * Each hop but the step back leads up, so that no way has a cycle, and none is longer than the waypoints and one.
 */
import { compareFirmwareVersions } from './firmware-version.ts';
import { liesIn, type UpdateGraph, type VersionRange } from './update-graph.ts';

/** A release by its name, and the version of a device's main component in it. */
export type VersionedRelease = { readonly release: string; readonly version: string };
/** The graph as one kind of device sees it. */
export type Ways = {
  readonly inForce: VersionedRelease;
  /** Those that have an image for this device. */
  readonly waypoints: readonly VersionedRelease[];
  readonly graph: UpdateGraph;
};
export type WayCode = 'DEAD_END' | 'WAY_CLOSED' | 'RECALL_MISSING';
export type Hop =
  | { readonly kind: 'arrived' }
  | { readonly kind: 'hop'; readonly release: string; readonly why: 'in-force' | 'waypoint' | 'recall' }
  | { readonly kind: 'stuck'; readonly code: WayCode; readonly detail: string };

/** Decides what a device that runs `from` takes next. @param from undefined where nothing runs. */
export function nextHop(ways: Ways, from: VersionedRelease | undefined): Hop {
  const { inForce, graph } = ways;
  if (from === undefined) return { kind: 'hop', release: inForce.release, why: 'in-force' };
  if (from.release === inForce.release) return { kind: 'arrived' };
  const end = graph.deadEnds.find(({ release }) => release === from.release);
  if (end !== undefined) return stuck('DEAD_END', `no update leads from ${from.release}: ${end.reason}`);
  if (graph.recalled.includes(from.release)) return { kind: 'hop', release: inForce.release, why: 'recall' };
  if (compareFirmwareVersions(inForce.version, from.version) < 0) {
    const what = `${inForce.release} (${inForce.version}) is older than ${from.release} (${from.version})`;
    return stuck('RECALL_MISSING', `${what}, which is not recalled`);
  }
  const waypoint = nextWaypoint(ways, from);
  const next = waypoint ?? inForce;
  const ranges = graph.from.get(next.release);
  return liesIn(from.version, ranges)
    ? { kind: 'hop', release: next.release, why: waypoint === undefined ? 'in-force' : 'waypoint' }
    : stuck(
        'WAY_CLOSED',
        `${next.release} goes over ${(ranges ?? []).map(rangeText).join(' or ')}, not ${from.version}`,
      );
}

/** All that a device takes from `from` on, in this order, and where it gets stuck. */
export function wayFrom(
  ways: Ways,
  from: VersionedRelease | undefined,
): { readonly hops: readonly VersionedRelease[]; readonly end: Exclude<Hop, { readonly kind: 'hop' }> } {
  const hops: VersionedRelease[] = [];
  let at = from;
  // A step back, every waypoint, the release in force: more hops there are not.
  for (let left = ways.waypoints.length + 2; left > 0; left--) {
    const hop = nextHop(ways, at);
    if (hop.kind !== 'hop') return { hops, end: hop };
    const next = [ways.inForce, ...ways.waypoints].find(({ release }) => release === hop.release) ?? ways.inForce;
    hops.push(next);
    at = next;
  }
  return { hops, end: stuck('WAY_CLOSED', 'the way has no end') };
}

function nextWaypoint({ waypoints, inForce }: Ways, from: VersionedRelease): VersionedRelease | undefined {
  const ahead = waypoints.filter(
    ({ version }) =>
      compareFirmwareVersions(version, from.version) > 0 && compareFirmwareVersions(version, inForce.version) < 0,
  );
  return ahead.sort((a, b) => {
    const order = compareFirmwareVersions(a.version, b.version);
    if (order !== 0) return order;
    return a.release < b.release ? -1 : 1;
  })[0];
}

/** A range in words. */
export function rangeText({ min, below }: VersionRange): string {
  if (min === undefined) return `below ${below ?? ''}`;
  return below === undefined ? `${min} and above` : `${min} and above, below ${below}`;
}

function stuck(code: WayCode, detail: string): Extract<Hop, { readonly kind: 'stuck' }> {
  return { kind: 'stuck', code, detail };
}
