/**
 * Halts: what any one manager of a channel says to stop a plan. It approves nothing, and always wins over a wave.
 *
 * - They stand under `firmament` in `signed` of the role `CHANNEL-halt`, beside the binding; the role lists no targets.
 * - A halted plan stays halted: each version carries the former halts on. The quorum alone lifts one, by its digest in `resumes`.
 * - A halt has no end: the file's expiry plays no part for whoever has seen it.
 * - Unknown members are refused. Specified in `docs/formats/plan.md`.
 */
import { encodeCanonicalJson } from './canonical-json.ts';
import { hexText, list, literal, object, optional, refine, text, type Decoder } from './decode.ts';
import { encodeInstant, instantDecoder, type Instant } from './instant.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { nameDecoder } from './names.ts';
import { placed, type Plan, type PlanPlace } from './plan.ts';
import { sha256Hex } from './sha256.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type Halt = {
  /** Digest of the plan that is stopped. */
  readonly plan: string;
  readonly at: Instant;
  /** For people; printable ASCII, so that it can be shown anywhere. */
  readonly reason: string;
};
export type HaltPart = {
  /** Oldest first. */
  readonly halts: readonly Halt[];
  /** SHA-256 of the file of the former version; undefined for the first one. */
  readonly former: string | undefined;
};

export const HALTS_MAX = 64;
/** What a reason may say. */
export const haltReasonDecoder: Decoder<string> = text(200, /[\x20-\x7e]+/);

const haltDecoder: Decoder<Halt> = object('refused', {
  plan: hexText(32),
  at: instantDecoder,
  reason: haltReasonDecoder,
});

const partDecoder: Decoder<HaltPart> = refine(
  object('refused', {
    version: literal(1),
    product: nameDecoder,
    role: nameDecoder,
    root: optional(hexText(32)),
    halts: list(haltDecoder, HALTS_MAX, 1),
    former: optional(hexText(32)),
  }),
  ({ halts, former }) => accept({ halts, former }),
);
const memberDecoder = object('refused', { firmament: partDecoder });

/** Parses the `firmament` member of a halt role. */
export function parseHaltPart(firmament: JsonObject | undefined): Verdict<HaltPart, 'HALT_MALFORMED'> {
  const signed = memberDecoder(firmament === undefined ? new Map() : new Map([['firmament', firmament]]));
  return signed.ok ? accept(signed.value.firmament) : reject('HALT_MALFORMED', signed.detail);
}

/** The members that a halt role adds to its binding. */
export function haltPartToJson({ halts, former }: HaltPart): readonly (readonly [string, JsonValue])[] {
  const members: (readonly [string, JsonValue])[] = [['halts', halts.map(haltToJson)]];
  return former === undefined ? members : [...members, ['former', former]];
}

/** The digest by which a plan resumes after `halt`, in hex. */
export function haltDigest(halt: Halt, place: PlanPlace): string {
  return sha256Hex(encodeCanonicalJson(placed(place, 'halt', haltToJson(halt))));
}

/** The halt of `plan` that stands, or undefined: each one that the plan does not resume stands. */
export function standingHalt(
  plan: Plan & { readonly sha256: string },
  halts: readonly Halt[],
  place: PlanPlace,
): Halt | undefined {
  return halts.find((halt) => halt.plan === plan.sha256 && !plan.resumes.includes(haltDigest(halt, place)));
}

function haltToJson({ plan, at, reason }: Halt): JsonObject {
  return new Map<string, JsonValue>([
    ['plan', plan],
    ['at', encodeInstant(at)],
    ['reason', reason],
  ]);
}
