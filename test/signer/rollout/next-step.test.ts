/** P3 at the signer: whatever happens in whatever order, a rollout never outruns its plan. */
import { describe, expect, test } from 'vitest';
import { decideWave } from '../../../formats/decide-wave.ts';
import { planDigest, type Plan } from '../../../formats/plan.ts';
import type { OpenWave, WaveStep } from '../../../formats/wave-step.ts';
import { seededRandom, type Random } from '../../../simulation/seed.ts';
import { gateState, nextStep, type RolloutView, type Votes } from '../../../signer/rollout/next-step.ts';
import { SEED } from '../../simulation/seed.ts';
import { SAMPLE_PLACE, SAMPLE_PLAN, SAMPLE_START, SAMPLE_STEP } from '../../formats/sample-plan.ts';

const MINUTE_MS = 60_000;
const votes = (expected: number, confirmed: number, failed = 0): Votes => ({ expected, confirmed, failed });
const gate = { expectedMin: 0, confirmedBp: 9000, deadlineSeconds: 60 };
const at = { openedAt: 0, now: 1000 };

describe('a gate', () => {
  test('is met by confirmations alone: silence counts against', () => {
    expect(gateState(gate, votes(10, 9), at)).toBe('met');
    expect(gateState(gate, votes(10, 8), at)).toBe('waiting');
    expect(gateState(gate, votes(0, 0), at)).toBe('met');
  });

  test('rounds up: nine tenths of eleven devices are ten', () => {
    expect(gateState(gate, votes(11, 9), at)).toBe('waiting');
    expect(gateState(gate, votes(11, 10), at)).toBe('met');
  });

  test('is lost once too many have failed, and when its deadline passes unmet', () => {
    expect(gateState(gate, votes(10, 8, 1), at)).toBe('waiting');
    expect(gateState(gate, votes(10, 8, 2), at)).toBe('lost');
    expect(gateState(gate, votes(10, 8), { openedAt: 0, now: 60_000 })).toBe('waiting');
    expect(gateState(gate, votes(10, 8), { openedAt: 0, now: 60_001 })).toBe('lost');
    expect(gateState(gate, votes(10, 9), { openedAt: 0, now: 60_001 })).toBe('met');
  });
});

describe('the next step', () => {
  const opened = SAMPLE_STEP.joinsLast;
  const day = 86_400_000;
  const view = (change: Partial<RolloutView> = {}): RolloutView => ({
    plan: SAMPLE_PLAN,
    current: { step: SAMPLE_STEP, expires: opened + 14_400_000 },
    isHalted: false,
    isBookWhole: true,
    votes: [votes(2, 2)],
    expectedNext: 8,
    ...change,
  });

  test('nothing opens before the plan begins, or with fewer expected devices than its gate demands', () => {
    const first = view({ current: undefined, votes: [], expectedNext: 2 });
    expect(nextStep(first, SAMPLE_START - 1)).toEqual({ kind: 'wait', because: 'not-begun' });
    expect(nextStep(first, SAMPLE_START)).toEqual({ kind: 'open' });
    expect(nextStep({ ...first, expectedNext: 1 }, SAMPLE_START)).toEqual({
      kind: 'wait',
      because: 'too-few-expected',
    });
  });

  test('a wave opens when the former one has soaked and met its gate, and at no moment before', () => {
    const expires = opened + 2 * day;
    const current = { step: SAMPLE_STEP, expires };
    expect(nextStep(view({ current }), opened + day - 1)).toEqual({ kind: 'wait', because: 'soaking' });
    expect(nextStep(view({ current }), opened + day)).toEqual({ kind: 'open' });
    expect(nextStep(view({ current, votes: [votes(2, 1)] }), opened + day)).toEqual({
      kind: 'wait',
      because: 'gate-unmet',
    });
  });

  test('a lease is renewed once half of it has passed, but not of a halted plan or a lost gate', () => {
    const half = opened + 7_200_000;
    expect(nextStep(view(), half - 1)).toEqual({ kind: 'wait', because: 'soaking' });
    expect(nextStep(view(), half)).toEqual({ kind: 'renew' });
    expect(nextStep(view({ isHalted: true }), half)).toEqual({ kind: 'wait', because: 'halted' });
    expect(nextStep(view({ votes: [votes(2, 1, 1)] }), half)).toEqual({ kind: 'wait', because: 'gate-lost' });
  });

  test('a completed rollout is left alone', () => {
    const step = { ...SAMPLE_STEP, completedAt: opened + 9 * day };
    expect(nextStep(view({ current: { step, expires: 0 } }), opened + 10 * day)).toEqual({
      kind: 'wait',
      because: 'completed',
    });
  });
});

describe('any sequence of events', () => {
  type World = { now: number; current: RolloutView['current']; votes: Votes[]; isHalted: boolean };

  function randomPlan(random: Random): Plan {
    const count = 1 + random(4);
    const waves = Array.from({ length: count }, (_, i) => ({
      cohortBp: i === count - 1 ? 10_000 : (i + 1) * 1000 + random(900),
      soakSeconds: random(3) * 600,
      gate: { expectedMin: random(3), confirmedBp: random(5) * 2500, deadlineSeconds: 1 + random(7200) },
    }));
    return { ...SAMPLE_PLAN, waves, leaseSeconds: 600 + random(3600) };
  }

  /** One thing that may happen: time passes, devices speak, somebody halts; then the signer acts. */
  function happen(world: World, plan: Plan, random: Random): void {
    world.now += random(40) * MINUTE_MS;
    world.votes = world.votes.map(({ expected, confirmed, failed }) => {
      const more = random(expected - confirmed - failed + 1);
      return random(4) === 0 ? votes(expected, confirmed, failed + more) : votes(expected, confirmed + more, failed);
    });
    if (random(60) === 0) world.isHalted = true;
    const expectedNext = random(8);
    const view = { plan, ...world, expectedNext, isBookWhole: true };
    const next = nextStep(view, world.now);
    if (next.kind === 'wait') return;
    const open: OpenWave[] = [...(world.current?.step.open ?? [])];
    if (next.kind === 'open') {
      open.push({ openedAt: world.now, expected: { count: expectedNext, merkleRoot: '00'.repeat(32) } });
      world.votes.push(votes(expectedNext, 0));
    }
    const completedAt = next.kind === 'complete' ? world.now : undefined;
    const step: WaveStep = { ...SAMPLE_STEP, plan: planDigest(plan, SAMPLE_PLACE), open, completedAt };
    world.current = { step, expires: world.now + plan.leaseSeconds * 1000 };
  }

  test('no wave is ever open whose predecessor had not soaked and met its gate, and the device agrees with every step', () => {
    const random = seededRandom(SEED);
    let opened = 0;
    for (let run = 0; run < 300; run++) {
      const plan = randomPlan(random);
      const world: World = { now: SAMPLE_START - 3600_000, current: undefined, votes: [], isHalted: false };
      for (let i = 0; i < 60; i++) {
        const before = { open: world.current?.step.open ?? [], votes: world.votes, isHalted: world.isHalted };
        happen(world, plan, random);
        const { current } = world;
        if (current === undefined || current.step.open.length === before.open.length) continue;
        opened++;
        const former = before.open.at(-1);
        const wave = plan.waves[before.open.length - 1];
        if (former !== undefined && wave !== undefined) {
          expect(world.now, `seed ${SEED}`).toBeGreaterThanOrEqual(former.openedAt + wave.soakSeconds * 1000);
          const seen = world.votes[before.open.length - 1];
          const needed = Math.ceil(((seen?.expected ?? 0) * wave.gate.confirmedBp) / 10_000);
          expect(seen?.confirmed, `seed ${SEED}`).toBeGreaterThanOrEqual(needed);
        }
        expect(before.isHalted, `seed ${SEED}`).toBe(false);
        const decision = decideWave({
          ...{ plan, place: SAMPLE_PLACE, rollout: current, halts: [], now: world.now },
          device: { deviceId: undefined, since: undefined },
        });
        expect(decision.kind === 'open' || decision.code === 'WAVE_NOT_OPEN', `seed ${SEED}`).toBe(true);
      }
    }
    expect(opened, `seed ${SEED}: waves really open`).toBeGreaterThan(200);
  });
});
