/**
 * What a channel says beyond TUF: the release in force, and what may no longer boot.
 *
 * - It stands under `firmament` in `signed` of the channel, beside the binding; the quorum's signatures over it *are* the approval.
 * - `release` names what devices should run; older releases may stay listed as targets, so that devices that run them still boot.
 * - `history` names the file of the releases that are listed no longer, by its content: of itself that file approves nothing.
 * - `revokedDigests` and `minSecurityCounter` bind at every boot (rule R11).
 * - `plan` says who may take the release in force, and when (rule R8); without one it is for all devices at once.
 * - `graph` says which ways lead from release to release (`update-graph.ts`); without one every way leads up, over everything.
 * - `event` says what it follows and who made it; devices demand it where the targets role lists people (`boot/verify-quorum.ts`).
 * - Unknown members are refused: a device never acts on a plan that it understands in part.
 */
import { channelEventDecoder, channelEventToJson, type ChannelEvent } from './channel-event.ts';
import { hexText, integer, list, literal, object, optional, refine, shape, type Decoder } from './decode.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { nameDecoder, segmentDecoder } from './names.ts';
import { planDecoder, planToJson, type Plan } from './plan.ts';
import { graphDecoder, graphToJson, isNamedIn, type UpdateGraph } from './update-graph.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type ChannelPart = {
  readonly release: string;
  readonly minSecurityCounter: number;
  /** SHA-256 of images that may not boot any more, in hex. */
  readonly revokedDigests: readonly string[];
  readonly plan?: Plan | undefined;
  readonly graph?: UpdateGraph | undefined;
  /** Undefined as long as every release of the channel is listed in it. */
  readonly history?: HistoryPin | undefined;
  readonly event?: ChannelEvent | undefined;
};

/** One content of the role `CHANNEL-history`: its version, and the SHA-256 of its canonical signed part, in hex. */
export type HistoryPin = { readonly version: number; readonly sha256: string };

export const REVOKED_MAX = 1024;

const channelDecoder: Decoder<ChannelPart> = refine(
  object('refused', {
    version: literal(1),
    product: nameDecoder,
    role: nameDecoder,
    root: optional(hexText(32)),
    release: segmentDecoder,
    minSecurityCounter: integer(0),
    revokedDigests: list(hexText(32), REVOKED_MAX),
    plan: optional(planDecoder),
    graph: optional(graphDecoder),
    history: optional(object('refused', { version: integer(1), sha256: hexText(32) })),
    event: optional(channelEventDecoder),
  }),
  ({ version: _version, product: _product, role: _role, root: _root, ...part }) => {
    const { release, plan, graph } = part;
    if (plan !== undefined && plan.release !== release) {
      return shape('.plan: it is of another release than the one in force');
    }
    return graph !== undefined && isNamedIn(graph, release)
      ? shape('.graph: the release in force is no waypoint, no dead end, and not recalled')
      : accept(part);
  },
);
const memberDecoder = object('refused', { firmament: channelDecoder });

/** Parses the `firmament` member of a channel. */
export function parseChannelPart(firmament: JsonObject | undefined): Verdict<ChannelPart, 'RELEASE_MALFORMED'> {
  const signed = memberDecoder(firmament === undefined ? new Map() : new Map([['firmament', firmament]]));
  return signed.ok ? accept(signed.value.firmament) : reject('RELEASE_MALFORMED', `channel: ${signed.detail}`);
}

/** The members that a channel adds to its binding. */
export function channelPartToJson(part: ChannelPart): readonly (readonly [string, JsonValue])[] {
  const members: (readonly [string, JsonValue])[] = [
    ['release', part.release],
    ['minSecurityCounter', part.minSecurityCounter],
    ['revokedDigests', part.revokedDigests],
  ];
  if (part.plan !== undefined) members.push(['plan', planToJson(part.plan)]);
  if (part.graph !== undefined) members.push(['graph', graphToJson(part.graph)]);
  if (part.history !== undefined) {
    const { version, sha256 } = part.history;
    members.push([
      'history',
      new Map<string, JsonValue>([
        ['version', version],
        ['sha256', sha256],
      ]),
    ]);
  }
  if (part.event !== undefined) members.push(['event', channelEventToJson(part.event)]);
  return members;
}
