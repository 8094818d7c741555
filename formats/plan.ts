/**
 * The plan of a rollout: who may take a release, when, and on which condition the next ones may.
 *
 * - It stands in the channel, so the quorum that approves a release approves its plan; nobody else can change it.
 * - Waves rise strictly and end at all devices; each has a soak and a gate over the devices that it expects.
 * - A plan is named by its digest, together with its repository and channel; what it resumes is no part of that: a resumed plan is
 *   the same plan, with the same cohorts.
 * - `since` is the channel version that first carried it: the same content later is another plan, and begins anew.
 * - `leaseSeconds` is at most `haltSeconds`: a device that a halt does not reach stops when its lease ends.
 * - Unknown members are refused. Specified in `docs/formats/plan.md`.
 */
import type { RepositoryId } from './binding.ts';
import { encodeCanonicalJson } from './canonical-json.ts';
import { COHORTS } from './cohort.ts';
import { flag, hexText, integer, list, object, oneOf, optional, refine, shape, type Decoder } from './decode.ts';
import { encodeInstant, instantDecoder, type Instant } from './instant.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { segmentDecoder } from './names.ts';
import { sha256Hex } from './sha256.ts';
import { accept } from './verdict.ts';

/** What must hold of a wave before the next one may open. */
export type Gate = {
  /** A wave with fewer expected devices is not opened: too few say nothing. */
  readonly expectedMin: number;
  /** How many of them must have confirmed, in basis points; whoever is silent has not. */
  readonly confirmedBp: number;
  /** Counted from the wave's opening; what comes later counts no more. */
  readonly deadlineSeconds: number;
};
export type Wave = {
  /** Devices whose cohort lies below it take part; cumulative. */
  readonly cohortBp: number;
  /** How long the wave stands open, at least, before the next one opens. */
  readonly soakSeconds: number;
  readonly gate: Gate;
};

/** Whose confirmations count: of all devices, or of those whose evidence a hardware root backs. */
export type Voters = 'claimed' | 'proven';
export type Plan = {
  readonly release: string;
  readonly since: number;
  /** The first wave opens no earlier. */
  readonly notBefore: Instant;
  readonly waves: readonly Wave[];
  readonly voters: Voters;
  /** How long an open wave stays open on a device without being renewed. */
  readonly leaseSeconds: number;
  /** Within this time a halt stops every device that has time. */
  readonly haltSeconds: number;
  /** The release that a device takes which runs nothing and whose wave is not open. */
  readonly base: string | undefined;
  /** Whether the release may be installed from a file (rule R14), until when, and in which direction. */
  readonly offline: boolean;
  readonly offlineUntil: Instant | undefined;
  readonly direction: 'up' | 'down' | undefined;
  /** Digests of the halts that the quorum lifts. */
  readonly resumes: readonly string[];
};

/** The repository and the channel that a plan belongs to. */
export type PlanPlace = RepositoryId & { readonly channel: string };

export const WAVES_MAX = 16;
export const RESUMES_MAX = 64;
export const SECONDS_MAX = 31_622_400;
export const EXPECTED_MAX = 10_000_000;

const gateDecoder: Decoder<Gate> = object('refused', {
  expectedMin: integer(0, EXPECTED_MAX),
  confirmedBp: integer(0, COHORTS),
  deadlineSeconds: integer(1, SECONDS_MAX),
});

const waveDecoder: Decoder<Wave> = object('refused', {
  cohortBp: integer(1, COHORTS),
  soakSeconds: integer(0, SECONDS_MAX),
  gate: gateDecoder,
});

/** The `plan` member of a channel. */
export const planDecoder: Decoder<Plan> = refine(
  object('refused', {
    release: segmentDecoder,
    since: integer(1),
    notBefore: instantDecoder,
    waves: list(waveDecoder, WAVES_MAX, 1),
    voters: oneOf('claimed', 'proven'),
    leaseSeconds: integer(1, SECONDS_MAX),
    haltSeconds: integer(1, SECONDS_MAX),
    base: optional(segmentDecoder),
    offline: flag,
    offlineUntil: optional(instantDecoder),
    direction: optional(oneOf('up', 'down')),
    resumes: list(hexText(32), RESUMES_MAX),
  }),
  (plan) => {
    if (!plan.waves.every(({ cohortBp }, i) => cohortBp > (plan.waves[i - 1]?.cohortBp ?? 0))) {
      return shape('.waves: their cohorts must rise');
    }
    if (plan.waves.at(-1)?.cohortBp !== COHORTS) return shape(`.waves: the last one must reach ${COHORTS}`);
    if (plan.leaseSeconds > plan.haltSeconds) return shape('.leaseSeconds: a lease outlives the time of a halt');
    if (plan.base === plan.release) return shape('.base: it is the release of the plan');
    const saysMore = plan.offlineUntil !== undefined || plan.direction !== undefined;
    return saysMore && !plan.offline ? shape('.offline: it is not allowed, and yet limited') : accept(plan);
  },
);

/** The plan as JSON. */
export function planToJson(plan: Plan): JsonObject {
  return new Map([...identityOf(plan), ['resumes', plan.resumes] as const]);
}

/** The digest that names `plan` in `place`, in hex: SHA-256 of canonical JSON over both. */
export function planDigest(plan: Plan, place: PlanPlace): string {
  return sha256Hex(encodeCanonicalJson(placed(place, 'plan', identityOf(plan))));
}

/** `what` with the repository and channel that it belongs to: the text that is digested. */
export function placed(place: PlanPlace, what: 'plan' | 'halt', json: JsonObject): JsonObject {
  return new Map<string, JsonValue>([
    ['product', place.product],
    ['root', place.rootOneSha256],
    ['role', place.channel],
    [what, json],
  ]);
}

/** All that makes a plan this plan. */
function identityOf(plan: Plan): JsonObject {
  const members = new Map<string, JsonValue>([
    ['release', plan.release],
    ['since', plan.since],
    ['notBefore', encodeInstant(plan.notBefore)],
    ['waves', plan.waves.map(waveToJson)],
    ['voters', plan.voters],
    ['leaseSeconds', plan.leaseSeconds],
    ['haltSeconds', plan.haltSeconds],
    ['offline', plan.offline],
  ]);
  if (plan.base !== undefined) members.set('base', plan.base);
  if (plan.offlineUntil !== undefined) members.set('offlineUntil', encodeInstant(plan.offlineUntil));
  if (plan.direction !== undefined) members.set('direction', plan.direction);
  return members;
}

function waveToJson({ cohortBp, soakSeconds, gate }: Wave): JsonValue {
  return new Map<string, JsonValue>([
    ['cohortBp', cohortBp],
    ['soakSeconds', soakSeconds],
    ['gate', new Map(Object.entries(gate))],
  ]);
}
