/** The decision about a wave: no device outruns the plan that people signed, whatever the rollout key says. */
import { expect, test } from 'vitest';
import { cohortOf } from '../../formats/cohort.ts';
import { CLOCK_SKEW_MS_MAX, decideWave, type WaveDecision, type WaveInput } from '../../formats/decide-wave.ts';
import { haltDigest } from '../../formats/halt.ts';
import type { Plan } from '../../formats/plan.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { encodeUtf8 } from '../../formats/bytes.ts';
import type { OpenWave, WaveStep } from '../../formats/wave-step.ts';
import { seededRandom } from '../../simulation/seed.ts';
import { SEED } from '../simulation/seed.ts';
import {
  SAMPLE_HALT,
  SAMPLE_PLACE,
  SAMPLE_PLAN,
  SAMPLE_PLAN_SHA256,
  SAMPLE_START,
  SAMPLE_STEP,
} from './sample-plan.ts';

const DAY_MS = 86_400_000;
const OPENED = SAMPLE_STEP.joinsLast;
const LEASE_MS = SAMPLE_PLAN.leaseSeconds * 1000;
const place = { planSha256: SAMPLE_PLAN_SHA256, anchor: SAMPLE_STEP.anchor };

/** The first device whose cohort satisfies `wanted`. */
function deviceWith(wanted: (cohort: number) => boolean): string {
  for (let i = 0; ; i++) {
    const deviceId = sha256Hex(encodeUtf8(`searched ${i}`));
    if (wanted(cohortOf({ ...place, deviceId }))) return deviceId;
  }
}

const FIRST = deviceWith((cohort) => cohort < 1000);
const SECOND = deviceWith((cohort) => cohort >= 1000);
const openAt = (openedAt: number): OpenWave => ({ openedAt, expected: { count: 0, merkleRoot: '00'.repeat(32) } });

/** The decision about the first device an hour after the first wave opened, with changes. */
function decide(
  change: Partial<Omit<WaveInput, 'rollout'>> & {
    readonly step?: Partial<WaveStep>;
    readonly expires?: number;
    readonly deviceId?: string;
  } = {},
): WaveDecision {
  const { step, expires = OPENED + LEASE_MS, deviceId = FIRST, ...more } = change;
  return decideWave({
    plan: SAMPLE_PLAN,
    place: SAMPLE_PLACE,
    rollout: { step: { ...SAMPLE_STEP, ...step }, expires },
    halts: [],
    device: { deviceId, since: undefined },
    now: OPENED + 3_600_000,
    ...more,
  });
}

test('a device below the open bound takes the release under its lease, and one above it waits', () => {
  expect(decide()).toMatchObject({ kind: 'open', boundBp: 1000, leaseEnds: OPENED + LEASE_MS });
  expect(decide({ deviceId: SECOND })).toMatchObject({ kind: 'held', code: 'WAVE_NOT_OPEN', boundBp: 1000 });
});

test('the bound itself is out: a wave of 1000 basis points has the cohorts 0 to 999', () => {
  const last = deviceWith((cohort) => cohort === 999);
  const next = deviceWith((cohort) => cohort === 1000);
  expect(decide({ deviceId: last })).toMatchObject({ kind: 'open', cohort: 999 });
  expect(decide({ deviceId: next })).toMatchObject({ kind: 'held', cohort: 1000 });
});

test('with a plan and no step, or a step of another plan, nothing is taken', () => {
  const input = {
    plan: SAMPLE_PLAN,
    place: SAMPLE_PLACE,
    halts: [],
    device: { deviceId: FIRST, since: 0 },
    now: OPENED,
  };
  expect(decideWave({ ...input, rollout: undefined })).toMatchObject({ kind: 'held', code: 'WAVE_NOT_OPEN' });
  expect(decide({ step: { plan: '00'.repeat(32) } })).toMatchObject({ kind: 'held', code: 'PLAN_MISMATCH' });
  expect(decide({ plan: { ...SAMPLE_PLAN, leaseSeconds: 1 } })).toMatchObject({ code: 'PLAN_MISMATCH' });
});

test('a halt wins over an open wave and over a completed rollout, and the quorum alone lifts it', () => {
  const completed = { open: [openAt(OPENED), openAt(OPENED + DAY_MS)], completedAt: OPENED + 4 * DAY_MS };
  const now = OPENED + 5 * DAY_MS;
  expect(decide({ halts: [SAMPLE_HALT] })).toMatchObject({ kind: 'held', code: 'PLAN_HALTED' });
  expect(decide({ halts: [SAMPLE_HALT], step: completed, now })).toMatchObject({ code: 'PLAN_HALTED' });
  const resumed = { ...SAMPLE_PLAN, resumes: [haltDigest(SAMPLE_HALT, SAMPLE_PLACE)] };
  expect(decide({ halts: [SAMPLE_HALT], plan: resumed })).toMatchObject({ kind: 'open' });
});

test('a lease holds to its end and no longer, and none is longer than the plan allows', () => {
  const expires = OPENED + LEASE_MS;
  expect(decide({ now: expires - 1 })).toMatchObject({ kind: 'open' });
  expect(decide({ now: expires })).toMatchObject({ kind: 'held', code: 'LEASE_EXPIRED' });
  const longest = OPENED + LEASE_MS + CLOCK_SKEW_MS_MAX;
  expect(decide({ now: OPENED, expires: longest })).toMatchObject({ kind: 'open' });
  expect(decide({ now: OPENED, expires: longest + 1 })).toMatchObject({ kind: 'held', code: 'LEASE_TOO_LONG' });
});

test('without time a device takes only what is completed', () => {
  const completed = { open: [openAt(OPENED), openAt(OPENED + DAY_MS)], completedAt: OPENED + 4 * DAY_MS };
  expect(decide({ now: undefined })).toMatchObject({ kind: 'held', code: 'LEASE_EXPIRED' });
  expect(decide({ now: undefined, step: completed, deviceId: SECOND })).toMatchObject({ kind: 'open' });
});

test('a stolen rollout key opens no wave before the plan begins or the former wave has soaked', () => {
  const early = (step: Partial<WaveStep>, now = OPENED): WaveDecision => decide({ step, now, expires: now + LEASE_MS });
  expect(early({ open: [openAt(SAMPLE_START - 1000)] })).toMatchObject({ kind: 'held', code: 'WAVE_TOO_EARLY' });
  const second = OPENED + DAY_MS;
  expect(early({ open: [openAt(OPENED), openAt(second - 1000)] }, second)).toMatchObject({ code: 'WAVE_TOO_EARLY' });
  expect(early({ open: [openAt(OPENED), openAt(second)] }, second)).toMatchObject({ kind: 'open' });
});

test('a wave or a completion that is dated into the future is no open one', () => {
  const skewed = OPENED - CLOCK_SKEW_MS_MAX;
  expect(decide({ now: skewed, expires: OPENED })).toMatchObject({ kind: 'open' });
  expect(decide({ now: skewed - 1, expires: OPENED })).toMatchObject({ kind: 'held', code: 'WAVE_TOO_EARLY' });
  const step = { open: [openAt(OPENED), openAt(OPENED + DAY_MS)], completedAt: OPENED + 4 * DAY_MS };
  expect(decide({ now: OPENED + 2 * DAY_MS, step })).toMatchObject({ kind: 'held', code: 'WAVE_TOO_EARLY' });
});

test('more waves than planned, or a completion before the last wave has opened and soaked, is refused', () => {
  const now = OPENED + 9 * DAY_MS;
  const open = [openAt(OPENED), openAt(OPENED + DAY_MS)];
  const three = [...open, openAt(OPENED + 4 * DAY_MS)];
  expect(decide({ now, step: { open: three } })).toMatchObject({ code: 'WAVE_TOO_EARLY' });
  expect(decide({ now, step: { completedAt: now } })).toMatchObject({ code: 'WAVE_TOO_EARLY' });
  const unsoaked = { open, completedAt: OPENED + 4 * DAY_MS - 1000 };
  expect(decide({ now, step: unsoaked })).toMatchObject({ kind: 'held', code: 'WAVE_TOO_EARLY' });
});

test('whatever a rollout key signs, no device with time takes a release before the times that people signed', () => {
  const random = seededRandom(SEED);
  const from = SAMPLE_START - DAY_MS;
  for (let i = 0; i < 3000; i++) {
    const moment = (): number => from + random(7 * 24) * 3_600_000;
    const open = Array.from({ length: 1 + random(3) }, () => openAt(moment()));
    const completedAt = random(3) === 0 ? moment() : undefined;
    const now = moment();
    const deviceId = random(2) === 0 ? FIRST : SECOND;
    const decision = decide({ step: { open, completedAt }, now, expires: moment(), deviceId });
    if (decision.kind === 'held') continue;
    expect(now + CLOCK_SKEW_MS_MAX, `seed ${SEED}`).toBeGreaterThanOrEqual(earliest(SAMPLE_PLAN, deviceId));
  }
});

/** The moment before which the plan lets no device of this cohort in, whatever happens. */
function earliest(plan: Plan, deviceId: string): number {
  const cohort = cohortOf({ ...place, deviceId });
  const before = plan.waves.filter(({ cohortBp }) => cohortBp <= cohort);
  return before.reduce((moment, { soakSeconds }) => moment + soakSeconds * 1000, plan.notBefore);
}
