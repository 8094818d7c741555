/**
 * The update graph: the ways from release to release, as people sign them in the channel.
 *
 * - A *waypoint* is a release that every device below it takes before anything above it. It is no floor: a floor is what a device
 *   never goes below, a waypoint is what it does not skip.
 * - `from` says over which versions a release may be installed; a release of which it says nothing goes over every one.
 * - From a *dead end* no update leads; devices that run it stay, and say so.
 * - `recalled` releases are stepped back from, to the release in force; nothing else ever leads down (rule R11).
 * - Versions are those of a device's main component, in the order of SemVer; ranges are two versions, and no text is matched.
 * - Unknown members are refused. Specified in `docs/formats/release.md`.
 */
import { list, mapOf, object, optional, refine, shape, text, type Decoder } from './decode.ts';
import { compareFirmwareVersions } from './firmware-version.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { firmwareVersionDecoder, segmentDecoder } from './names.ts';
import { accept } from './verdict.ts';

/** From `min` on, and below `below`; what is left out has no bound. */
export type VersionRange = { readonly min: string | undefined; readonly below: string | undefined };
export type DeadEnd = { readonly release: string; /** For whoever asks why. */ readonly reason: string };
export type UpdateGraph = {
  readonly waypoints: readonly string[];
  readonly from: ReadonlyMap<string, readonly VersionRange[]>;
  readonly deadEnds: readonly DeadEnd[];
  readonly recalled: readonly string[];
};

export const WAYPOINTS_MAX = 16;
export const FROM_MAX = 32;
export const RANGES_MAX = 8;
export const DEAD_ENDS_MAX = 32;
export const RECALLED_MAX = 32;
export const REASON_LENGTH_MAX = 200;

/** The graph of a channel that says nothing of ways: up, over everything. */
export const GRAPH_EMPTY: UpdateGraph = { waypoints: [], from: new Map(), deadEnds: [], recalled: [] };

const rangeDecoder: Decoder<VersionRange> = refine(
  object('refused', { min: optional(firmwareVersionDecoder), below: optional(firmwareVersionDecoder) }),
  (range) => {
    const { min, below } = range;
    if (min === undefined && below === undefined) return shape(': it has no bound');
    return min !== undefined && below !== undefined && compareFirmwareVersions(min, below) >= 0
      ? shape(': nothing lies in it')
      : accept(range);
  },
);

const deadEndDecoder: Decoder<DeadEnd> = object('refused', {
  release: segmentDecoder,
  reason: text(REASON_LENGTH_MAX, /[^\p{Cc}]+/u),
});

/** The member `graph` of a channel. */
export const graphDecoder: Decoder<UpdateGraph> = refine(
  object('refused', {
    waypoints: list(segmentDecoder, WAYPOINTS_MAX),
    from: mapOf(segmentDecoder, list(rangeDecoder, RANGES_MAX, 1), FROM_MAX),
    deadEnds: list(deadEndDecoder, DEAD_ENDS_MAX),
    recalled: list(segmentDecoder, RECALLED_MAX),
  }),
  (graph) => {
    const ends = graph.deadEnds.map(({ release }) => release);
    const named = [...graph.waypoints, ...ends, ...graph.recalled];
    return new Set(named).size === named.length
      ? accept(graph)
      : shape(': a release is one of waypoint, dead end and recalled, and once');
  },
);

/** Whether `release` is a waypoint, a dead end or recalled. */
export function isNamedIn({ waypoints, deadEnds, recalled }: UpdateGraph, release: string): boolean {
  return waypoints.includes(release) || recalled.includes(release) || deadEnds.some((end) => end.release === release);
}

/** Whether a channel need not say it. */
export function isEmptyGraph({ waypoints, from, deadEnds, recalled }: UpdateGraph): boolean {
  return waypoints.length + from.size + deadEnds.length + recalled.length === 0;
}

/** Whether `version` lies in one of `ranges`; it always does where there are none. */
export function liesIn(version: string, ranges: readonly VersionRange[] | undefined): boolean {
  return (
    ranges === undefined ||
    ranges.some(
      ({ min, below }) =>
        (min === undefined || compareFirmwareVersions(version, min) >= 0) &&
        (below === undefined || compareFirmwareVersions(version, below) < 0),
    )
  );
}

/** The member `graph`. */
export function graphToJson({ waypoints, from, deadEnds, recalled }: UpdateGraph): JsonObject {
  return new Map<string, JsonValue>([
    ['waypoints', waypoints],
    ['from', new Map([...from].map(([release, ranges]) => [release, ranges.map(rangeToJson)] as const))],
    ['deadEnds', deadEnds.map(({ release, reason }) => new Map(Object.entries({ release, reason })))],
    ['recalled', recalled],
  ]);
}

function rangeToJson({ min, below }: VersionRange): JsonValue {
  const members = new Map<string, JsonValue>();
  if (min !== undefined) members.set('min', min);
  if (below !== undefined) members.set('below', below);
  return members;
}
