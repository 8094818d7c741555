/** Plans, wave steps and halts: understood whole, limited, and bound to their place. */
import { expect, test } from 'vitest';
import { channelPartToJson, parseChannelPart } from '../../formats/channel-part.ts';
import { haltDigest, haltPartToJson, HALTS_MAX, parseHaltPart, standingHalt } from '../../formats/halt.ts';
import type { JsonObject, JsonValue } from '../../formats/json.ts';
import {
  planDecoder,
  planDigest,
  planToJson,
  RESUMES_MAX,
  SECONDS_MAX,
  WAVES_MAX,
  type Plan,
  type Wave,
} from '../../formats/plan.ts';
import { parseWaveStep, waveStepToJson, type WaveStep } from '../../formats/wave-step.ts';
import { SAMPLE_HALT, SAMPLE_PLACE, SAMPLE_PLAN, SAMPLE_PLAN_SHA256, SAMPLE_STEP } from './sample-plan.ts';
import { bound } from './sample-repository.ts';

const wave = (cohortBp: number): Wave => ({
  cohortBp,
  soakSeconds: 0,
  gate: { expectedMin: 0, confirmedBp: 0, deadlineSeconds: 1 },
});
const read = (plan: Plan): ReturnType<typeof planDecoder> => planDecoder(planToJson(plan));
const withPlan = (change: Partial<Plan>): ReturnType<typeof planDecoder> => read({ ...SAMPLE_PLAN, ...change });
const refusedFor = (change: Partial<Plan>): string => {
  const verdict = withPlan(change);
  return verdict.ok ? 'accepted' : verdict.detail;
};
const changed = (json: JsonObject, name: string, value: JsonValue): JsonObject => new Map([...json, [name, value]]);

test('what is written of a plan, a step and a halt is read as the same', () => {
  const whole: Plan = {
    ...SAMPLE_PLAN,
    voters: 'proven',
    offline: true,
    offlineUntil: SAMPLE_PLAN.notBefore,
    direction: 'up',
    resumes: ['ab'.repeat(32)],
  };
  for (const plan of [SAMPLE_PLAN, whole]) expect(read(plan)).toEqual({ ok: true, value: plan });
  const step: WaveStep = { ...SAMPLE_STEP, completedAt: SAMPLE_STEP.joinsLast, former: 'cd'.repeat(32) };
  for (const each of [SAMPLE_STEP, step]) {
    expect(parseWaveStep(bound('stable-rollout', waveStepToJson(each)))).toEqual({ ok: true, value: each });
  }
  const part = { halts: [SAMPLE_HALT], former: 'cd'.repeat(32) };
  expect(parseHaltPart(bound('stable-halt', haltPartToJson(part)))).toEqual({ ok: true, value: part });
});

test('waves rise strictly and end at all devices: no plan leaves somebody out or opens nothing', () => {
  expect(refusedFor({ waves: [wave(1000), wave(1000), wave(10_000)] })).toBe('.waves: their cohorts must rise');
  expect(refusedFor({ waves: [wave(5000), wave(1000), wave(10_000)] })).toBe('.waves: their cohorts must rise');
  expect(refusedFor({ waves: [wave(9999)] })).toBe('.waves: the last one must reach 10000');
  expect(refusedFor({ waves: [] })).toMatch(/^\.waves/);
  expect(refusedFor({ waves: [wave(0), wave(10_000)] })).toMatch(/^\.waves\[0\]\.cohortBp/);
});

test('a plan has at most 16 waves, 64 resumed halts, and times of a year', () => {
  const waves = (count: number): readonly Wave[] =>
    Array.from({ length: count }, (_, i) => wave(i === count - 1 ? 10_000 : i + 1));
  expect(withPlan({ waves: waves(WAVES_MAX) }).ok).toBe(true);
  expect(refusedFor({ waves: waves(WAVES_MAX + 1) })).toMatch(/^\.waves/);
  const resumes = (count: number): readonly string[] => new Array<string>(count).fill('ab'.repeat(32));
  expect(withPlan({ resumes: resumes(RESUMES_MAX) }).ok).toBe(true);
  expect(refusedFor({ resumes: resumes(RESUMES_MAX + 1) })).toMatch(/^\.resumes/);
  expect(withPlan({ leaseSeconds: SECONDS_MAX, haltSeconds: SECONDS_MAX }).ok).toBe(true);
  expect(refusedFor({ haltSeconds: SECONDS_MAX + 1 })).toMatch(/^\.haltSeconds/);
});

test('a lease never outlives the time that the plan gives a halt', () => {
  expect(withPlan({ leaseSeconds: 60, haltSeconds: 60 }).ok).toBe(true);
  expect(refusedFor({ leaseSeconds: 61, haltSeconds: 60 })).toMatch(/^\.leaseSeconds/);
});

test('what is not allowed offline is not limited offline, and no plan falls back to its own release', () => {
  expect(refusedFor({ direction: 'up' })).toMatch(/^\.offline/);
  expect(refusedFor({ offlineUntil: SAMPLE_PLAN.notBefore })).toMatch(/^\.offline/);
  expect(refusedFor({ base: SAMPLE_PLAN.release })).toMatch(/^\.base/);
});

test('a member that is not known is refused: a device never acts on a plan that it understands in part', () => {
  expect(planDecoder(changed(planToJson(SAMPLE_PLAN), 'countries', []))).toMatchObject({ code: 'SHAPE_MALFORMED' });
  const step = bound('stable-rollout', waveStepToJson(SAMPLE_STEP));
  expect(parseWaveStep(changed(step, 'force', true))).toMatchObject({ ok: false, code: 'WAVE_STEP_MALFORMED' });
  const halt = bound('stable-halt', haltPartToJson({ halts: [SAMPLE_HALT], former: undefined }));
  expect(parseHaltPart(changed(halt, 'until', '2030-01-01T00:00:00Z'))).toMatchObject({ code: 'HALT_MALFORMED' });
});

test('a step or a halt that says nothing is refused', () => {
  expect(parseWaveStep(undefined)).toMatchObject({ ok: false, code: 'WAVE_STEP_MALFORMED' });
  expect(parseWaveStep(bound('stable-rollout', waveStepToJson({ ...SAMPLE_STEP, open: [] })))).toMatchObject({
    code: 'WAVE_STEP_MALFORMED',
  });
  expect(parseHaltPart(undefined)).toMatchObject({ ok: false, code: 'HALT_MALFORMED' });
  expect(parseHaltPart(bound('stable-halt', haltPartToJson({ halts: [], former: undefined })))).toMatchObject({
    code: 'HALT_MALFORMED',
  });
});

test('a role halts at most 64 plans, and a reason is one line of plain text', () => {
  const halts = (count: number): ReturnType<typeof parseHaltPart> =>
    parseHaltPart(
      bound('stable-halt', haltPartToJson({ halts: new Array(count).fill(SAMPLE_HALT), former: undefined })),
    );
  expect(halts(HALTS_MAX).ok).toBe(true);
  expect(halts(HALTS_MAX + 1)).toMatchObject({ code: 'HALT_MALFORMED' });
  for (const reason of ['', 'a\nb', 'a\u001b[2J', 'a\u202eb', 'a'.repeat(201)]) {
    const part = haltPartToJson({ halts: [{ ...SAMPLE_HALT, reason }], former: undefined });
    expect(parseHaltPart(bound('stable-halt', part))).toMatchObject({ code: 'HALT_MALFORMED' });
  }
});

test('a plan of another release than the one in force is refused', () => {
  const part = { release: '2.0.0', minSecurityCounter: 0, revokedDigests: [], plan: SAMPLE_PLAN };
  expect(parseChannelPart(bound('stable', channelPartToJson(part)))).toEqual({ ok: true, value: part });
  const other = channelPartToJson({ ...part, release: '1.0.0' });
  expect(parseChannelPart(bound('stable', other))).toMatchObject({ code: 'RELEASE_MALFORMED' });
});

test('the digest of a plan names its content, repository and channel, and nothing that is resumed', () => {
  const digests = new Set([
    SAMPLE_PLAN_SHA256,
    planDigest({ ...SAMPLE_PLAN, since: 3 }, SAMPLE_PLACE),
    planDigest({ ...SAMPLE_PLAN, leaseSeconds: 1 }, SAMPLE_PLACE),
    planDigest({ ...SAMPLE_PLAN, base: undefined }, SAMPLE_PLACE),
    planDigest(SAMPLE_PLAN, { ...SAMPLE_PLACE, channel: 'beta' }),
    planDigest(SAMPLE_PLAN, { ...SAMPLE_PLACE, product: 'other' }),
    planDigest(SAMPLE_PLAN, { ...SAMPLE_PLACE, rootOneSha256: '00'.repeat(32) }),
  ]);
  expect(digests.size).toBe(7);
  expect(planDigest({ ...SAMPLE_PLAN, resumes: ['ab'.repeat(32)] }, SAMPLE_PLACE)).toBe(SAMPLE_PLAN_SHA256);
});

test('a halt stands until the quorum resumes over that very halt, and a later halt of the plan stands again', () => {
  const plan = { ...SAMPLE_PLAN, sha256: SAMPLE_PLAN_SHA256 };
  const resumed = { ...plan, resumes: [haltDigest(SAMPLE_HALT, SAMPLE_PLACE)] };
  const later = { ...SAMPLE_HALT, at: SAMPLE_HALT.at + 1000 };
  expect(standingHalt(plan, [SAMPLE_HALT], SAMPLE_PLACE)).toBe(SAMPLE_HALT);
  expect(standingHalt(resumed, [SAMPLE_HALT], SAMPLE_PLACE)).toBeUndefined();
  expect(standingHalt(resumed, [SAMPLE_HALT, later], SAMPLE_PLACE)).toBe(later);
  expect(standingHalt(plan, [{ ...SAMPLE_HALT, plan: '00'.repeat(32) }], SAMPLE_PLACE)).toBeUndefined();
});
