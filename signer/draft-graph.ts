/**
 * The update graph of a channel's next version: the former one with what a draft adds to it or takes from it.
 *
 * - What is said of a release stays until it is taken back by name, or the release has gone from the channel.
 * - What comes into force is no longer a waypoint, recalled or a dead end: it is where all ways lead.
 * - A channel whose graph says nothing has none.
 */
import {
  GRAPH_EMPTY,
  graphDecoder,
  graphToJson,
  isEmptyGraph,
  type DeadEnd,
  type UpdateGraph,
  type VersionRange,
} from '../formats/update-graph.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';

export type GraphDraft = {
  /** Releases that devices must not skip, from now on. */
  readonly waypoints?: readonly string[];
  /** Over which versions releases may be installed; replaced by release. */
  readonly from?: ReadonlyMap<string, readonly VersionRange[]>;
  readonly deadEnds?: readonly DeadEnd[];
  /** Releases to step back from. */
  readonly recalled?: readonly string[];
  /** Releases of which nothing is to be said any more. */
  readonly without?: readonly string[];
};

/** The graph after `former`; undefined where it says nothing. */
export function nextGraph(
  former: UpdateGraph | undefined,
  draft: GraphDraft & { readonly inForce: string },
): Verdict<UpdateGraph | undefined, 'DRAFT_REFUSED'> {
  const { waypoints = [], from = new Map<string, readonly VersionRange[]>(), deadEnds = [], recalled = [] } = draft;
  const before = former ?? GRAPH_EMPTY;
  const gone = new Set([...(draft.without ?? []), draft.inForce]);
  const said = new Set([...waypoints, ...deadEnds.map(({ release }) => release), ...recalled]);
  const stays = (release: string): boolean => !gone.has(release) && !said.has(release);
  const graph = {
    waypoints: [...before.waypoints.filter(stays), ...waypoints],
    from: new Map([...[...before.from].filter(([release]) => !(draft.without ?? []).includes(release)), ...from]),
    deadEnds: [...before.deadEnds.filter(({ release }) => stays(release)), ...deadEnds],
    recalled: [...before.recalled.filter(stays), ...recalled],
  };
  if (isEmptyGraph(graph)) return accept(undefined);
  const read = graphDecoder(graphToJson(graph));
  return read.ok ? accept(graph) : reject('DRAFT_REFUSED', `graph${read.detail}`);
}
