/** The update graph of a draft in words: what it says that the former version did not, and what it says no longer. */
import { rangeText } from '../formats/next-hop.ts';
import { GRAPH_EMPTY, type UpdateGraph } from '../formats/update-graph.ts';
import { visible } from './visible-text.ts';

/** What changes of the ways. @param inForce where they all lead. */
export function describeGraph(
  now: UpdateGraph | undefined,
  before: UpdateGraph | undefined,
  inForce: string,
): readonly string[] {
  const after = sentences(now ?? GRAPH_EMPTY, inForce);
  const former = new Set(sentences(before ?? GRAPH_EMPTY, inForce));
  const said = new Set(after);
  return [
    ...after.filter((sentence) => !former.has(sentence)).map((sentence) => `  ${sentence}`),
    ...[...former].filter((sentence) => !said.has(sentence)).map((sentence) => `  no longer: ${sentence}`),
  ];
}

function sentences({ waypoints, from, deadEnds, recalled }: UpdateGraph, inForce: string): readonly string[] {
  return [
    ...recalled.map((release) => `! recalled: devices that run ${release} step back to ${inForce}`),
    ...waypoints.map((release) => `waypoint: devices below ${release} take it before anything above it`),
    ...[...from].map(([release, ranges]) => `${release} is installed over ${ranges.map(rangeText).join(' or ')} alone`),
    ...deadEnds.map(
      ({ release, reason }) => `! dead end: devices that run ${release} stay with it: ${visible(reason)}`,
    ),
  ];
}
