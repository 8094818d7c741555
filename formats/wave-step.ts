/**
 * A wave step: what the online rollout role of a channel says. It opens waves within a plan that people signed, and approves nothing.
 *
 * - It stands under `firmament` in `signed` of the role `CHANNEL-rollout`, beside the binding; the role lists no targets.
 * - `open` holds every open wave with the moment of its opening, so that a device sees for itself that each wave has soaked.
 * - Each wave names the number of devices that were expected and the Merkle root over them, frozen when it opened.
 * - The lease ends with the file's own `expires`; `former` is the digest of the step before, whatever plan that was of.
 * - Unknown members are refused. Specified in `docs/formats/plan.md`.
 */
import { hexText, integer, list, literal, object, optional, refine, type Decoder } from './decode.ts';
import { encodeInstant, instantDecoder, type Instant } from './instant.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { nameDecoder } from './names.ts';
import { EXPECTED_MAX, WAVES_MAX } from './plan.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type OpenWave = {
  readonly openedAt: Instant;
  readonly expected: { readonly count: number; readonly merkleRoot: string };
};
export type WaveStep = {
  /** Digest of the plan that it steps through. */
  readonly plan: string;
  /** What cohorts are drawn with: the same for the whole plan. */
  readonly anchor: string;
  /** Devices listed after this moment join with the last wave. */
  readonly joinsLast: Instant;
  /** The open waves, first to last. */
  readonly open: readonly OpenWave[];
  /** Set once the last wave has soaked and met its gate: then no lease is needed any more. */
  readonly completedAt: Instant | undefined;
  /** SHA-256 of the file of the former step; undefined for the first one. */
  readonly former: string | undefined;
};

const openWaveDecoder: Decoder<OpenWave> = object('refused', {
  openedAt: instantDecoder,
  expected: object('refused', { count: integer(0, EXPECTED_MAX), merkleRoot: hexText(32) }),
});

const stepDecoder: Decoder<WaveStep> = refine(
  object('refused', {
    version: literal(1),
    product: nameDecoder,
    role: nameDecoder,
    root: optional(hexText(32)),
    plan: hexText(32),
    anchor: hexText(32),
    joinsLast: instantDecoder,
    open: list(openWaveDecoder, WAVES_MAX, 1),
    completedAt: optional(instantDecoder),
    former: optional(hexText(32)),
  }),
  ({ plan, anchor, joinsLast, open, completedAt, former }) =>
    accept({ plan, anchor, joinsLast, open, completedAt, former }),
);
const memberDecoder = object('refused', { firmament: stepDecoder });

/** Parses the `firmament` member of a rollout role. */
export function parseWaveStep(firmament: JsonObject | undefined): Verdict<WaveStep, 'WAVE_STEP_MALFORMED'> {
  const signed = memberDecoder(firmament === undefined ? new Map() : new Map([['firmament', firmament]]));
  return signed.ok ? accept(signed.value.firmament) : reject('WAVE_STEP_MALFORMED', signed.detail);
}

/** The members that a rollout role adds to its binding. */
export function waveStepToJson(step: WaveStep): readonly (readonly [string, JsonValue])[] {
  const members: [string, JsonValue][] = [
    ['plan', step.plan],
    ['anchor', step.anchor],
    ['joinsLast', encodeInstant(step.joinsLast)],
    ['open', step.open.map(openWaveToJson)],
  ];
  if (step.completedAt !== undefined) members.push(['completedAt', encodeInstant(step.completedAt)]);
  if (step.former !== undefined) members.push(['former', step.former]);
  return members;
}

function openWaveToJson({ openedAt, expected }: OpenWave): JsonValue {
  return new Map<string, JsonValue>([
    ['openedAt', encodeInstant(openedAt)],
    ['expected', new Map<string, JsonValue>(Object.entries(expected))],
  ]);
}
