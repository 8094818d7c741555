/**
 * The rollout that `docs/formats/plan.md` shows: a plan of two waves, a step, a halt, a confirmation, from fixed times and keys.
 *
 * - Made with the encoders alone: the same bytes always.
 */
import type { Confirmation } from '../../formats/confirmation.ts';
import type { Halt } from '../../formats/halt.ts';
import { planDigest, type Plan, type PlanPlace } from '../../formats/plan.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import type { WaveStep } from '../../formats/wave-step.ts';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { SAMPLE_ID } from './sample-repository.ts';

const HOUR_MS = 3_600_000;

/** When the sample's plan may begin. */
export const SAMPLE_START: number = Date.UTC(2026, 0, 5, 8);
/** Where it belongs. */
export const SAMPLE_PLACE: PlanPlace = { ...SAMPLE_ID, channel: 'stable' };

/** A tenth of the devices for a day, then all for three. */
export const SAMPLE_PLAN: Plan = {
  release: '2.0.0',
  since: 2,
  notBefore: SAMPLE_START,
  waves: [
    {
      cohortBp: 1000,
      soakSeconds: 86_400,
      gate: { expectedMin: 2, confirmedBp: 9500, deadlineSeconds: 172_800 },
    },
    {
      cohortBp: 10_000,
      soakSeconds: 259_200,
      gate: { expectedMin: 0, confirmedBp: 9900, deadlineSeconds: 604_800 },
    },
  ],
  voters: 'claimed',
  leaseSeconds: 14_400,
  haltSeconds: 14_400,
  base: '1.0.0',
  offline: false,
  offlineUntil: undefined,
  direction: undefined,
  resumes: [],
};
export const SAMPLE_PLAN_SHA256: string = planDigest(SAMPLE_PLAN, SAMPLE_PLACE);

/** The first wave, an hour after the plan allows it. */
export const SAMPLE_STEP: WaveStep = {
  plan: SAMPLE_PLAN_SHA256,
  anchor: sha256Hex(encodeUtf8('the checkpoint that contains the plan')),
  joinsLast: SAMPLE_START + HOUR_MS,
  open: [
    {
      openedAt: SAMPLE_START + HOUR_MS,
      expected: { count: 2, merkleRoot: sha256Hex(encodeUtf8('two devices')) },
    },
  ],
  completedAt: undefined,
  former: undefined,
};

export const SAMPLE_HALT: Halt = {
  plan: SAMPLE_PLAN_SHA256,
  at: SAMPLE_START + 2 * HOUR_MS,
  reason: 'gateways in the north lose their uplink',
};

/** A device of the sample. */
export const SAMPLE_DEVICE: string = sha256Hex(encodeUtf8('device 1'));

export const SAMPLE_CONFIRMATION: Confirmation = {
  product: SAMPLE_ID.product,
  root: SAMPLE_ID.rootOneSha256,
  plan: SAMPLE_PLAN_SHA256,
  release: '2.0.0',
  securityCounters: new Map([['gateway', 2]]),
  deviceId: SAMPLE_DEVICE,
  outcome: 'confirmed',
  code: undefined,
  sequence: 7,
  failures: 1,
  evidence: undefined,
  statement: undefined,
  at: SAMPLE_START + 2 * HOUR_MS,
};
