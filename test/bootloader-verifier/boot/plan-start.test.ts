/** The life of a slot, over every state that flash can hold. */
import { expect, test } from 'vitest';
import {
  FAILED_MAX,
  otherSlot,
  parseBootState,
  encodeBootState,
  TRIAL_STARTS_MAX,
  type BootState,
  type SlotId,
} from '../../../formats/boot-state.ts';
import {
  armTrial,
  confirmTrial,
  failTrial,
  forgetSlot,
  freeSlot,
  isExhausted,
  planStart,
  settleConfirmed,
  settleStart,
} from '../../../bootloader-verifier/boot/plan-start.ts';
import { accepted } from '../../accepted.ts';

const SLOTS: readonly SlotId[] = ['a', 'b'];
const MAYBE_SLOT: readonly (SlotId | undefined)[] = [undefined, 'a', 'b'];
const DIGEST = 'ab'.repeat(32);

/** Every state but for the list of failed images, which no step here looks into. */
const STATES: readonly BootState[] = MAYBE_SLOT.flatMap((good) =>
  MAYBE_SLOT.flatMap((confirmed) => [
    { good, confirmed, trial: undefined, failed: [DIGEST] },
    ...SLOTS.flatMap((slot) =>
      [0, 1, 2, 3].map((starts) => ({ good, confirmed, trial: { slot, starts }, failed: [DIGEST] })),
    ),
  ]),
);

test('every state of the list can lie on flash, and is read back as it was', () => {
  expect(STATES).toHaveLength(81);
  for (const state of STATES) expect(accepted(parseBootState(encodeBootState(state)))).toEqual(state);
});

test('the slot on trial starts first, then the good one, then whatever is left, on trial', () => {
  for (const state of STATES) {
    const { good, trial } = state;
    const first = trial !== undefined && !isExhausted(state) ? [{ slot: trial.slot, mode: 'trial' }] : [];
    const second = good === undefined ? [] : [{ slot: good, mode: 'normal' }];
    const left = SLOTS.filter((slot) => slot !== good && slot !== trial?.slot);
    expect(planStart(state)).toEqual([...first, ...second, ...left.map((slot) => ({ slot, mode: 'trial' }))]);
  }
});

test('without a state every slot may try, each on trial: none is good by assumption', () => {
  expect(planStart(undefined)).toEqual([
    { slot: 'a', mode: 'trial' },
    { slot: 'b', mode: 'trial' },
  ]);
});

test('no slot starts as good but the one that the state calls good, and none is left without a try but an exhausted one', () => {
  for (const state of STATES) {
    const plan = planStart(state);
    expect(plan.filter(({ mode }) => mode === 'normal').every(({ slot }) => slot === state.good)).toBe(true);
    const untried = SLOTS.filter((slot) => !plan.some((candidate) => candidate.slot === slot));
    expect(untried.every((slot) => isExhausted(state) && slot === state.trial?.slot)).toBe(true);
  }
});

test('a slot is started on trial at most as often as the limit says, whatever the state was before', () => {
  for (const before of [undefined, ...STATES]) {
    for (const slot of SLOTS) {
      let state = before === undefined ? undefined : armTrial(before, slot);
      let starts = 0;
      for (let i = 0; i < 2 * TRIAL_STARTS_MAX; i++) {
        const [chosen] = planStart(state).filter((candidate) => candidate.slot === slot && candidate.mode === 'trial');
        if (chosen === undefined) break;
        state = settleStart(state, chosen);
        starts++;
      }
      expect(starts).toBe(TRIAL_STARTS_MAX);
      expect(state !== undefined && isExhausted(state)).toBe(true);
    }
  }
});

test('a start as good ends the trial of another slot and changes nothing else', () => {
  for (const state of STATES) {
    for (const slot of SLOTS) {
      expect(settleStart(state, { slot, mode: 'normal' })).toEqual({ ...state, trial: undefined });
    }
  }
});

test('a start on trial counts itself before the image runs, up to the limit', () => {
  for (const state of STATES) {
    for (const slot of SLOTS) {
      const before = state.trial?.slot === slot ? state.trial.starts : 0;
      const starts = Math.min(before + 1, TRIAL_STARTS_MAX);
      expect(settleStart(state, { slot, mode: 'trial' })).toEqual({ ...state, trial: { slot, starts } });
    }
  }
});

test('only a confirmation that passed once more makes a slot good, and no confirmation outlives the start', () => {
  for (const state of STATES) {
    expect(settleConfirmed(state, true)).toEqual({ ...state, good: state.confirmed, confirmed: undefined });
    expect(settleConfirmed(state, false)).toEqual({ ...state, confirmed: undefined });
    for (const step of [armTrial(state, 'a'), failTrial(state, DIGEST), forgetSlot(state, 'b')]) {
      expect([state.good, undefined]).toContain(step.good);
    }
  }
});

test('a confirmation names the slot that ran, even where the state was lost meanwhile', () => {
  for (const state of STATES) {
    for (const slot of SLOTS) {
      expect(confirmTrial(state, slot)).toEqual({ ...state, trial: undefined, confirmed: slot });
    }
  }
});

test('an installation never overwrites what the next start keeps: the confirmed slot, else the good one', () => {
  for (const state of STATES) {
    const free = freeSlot(state);
    expect(free).not.toBe(state.confirmed ?? state.good);
    if (state.confirmed === undefined) expect(free).not.toBe(state.good);
  }
});

test('a slot that is overwritten keeps no standing: neither good, nor confirmed, nor on trial by its former content', () => {
  for (const state of STATES) {
    for (const slot of SLOTS) {
      const other = otherSlot(slot);
      const forgotten = forgetSlot(state, slot);
      expect([forgotten.good, forgotten.confirmed, forgotten.trial?.slot]).not.toContain(slot);
      expect(forgotten.good === other).toBe(state.good === other);
      expect(forgotten.confirmed === other).toBe(state.confirmed === other);
      expect(forgotten.failed).toEqual(state.failed);
      expect(armTrial(state, slot)).toEqual({ ...forgotten, trial: { slot, starts: 0 } });
    }
  }
});

test('a failed trial leaves the good slot, and of the images that failed the newest are remembered', () => {
  for (const state of STATES) {
    expect(failTrial(state, 'cd'.repeat(32))).toEqual({
      ...state,
      trial: undefined,
      failed: [DIGEST, 'cd'.repeat(32)],
    });
    expect(failTrial(state, undefined)).toEqual({ ...state, trial: undefined });
  }
  const digests = Array.from({ length: FAILED_MAX + 1 }, (_, i) => i.toString(16).padStart(64, '0'));
  const empty: BootState = { good: 'a', trial: undefined, confirmed: undefined, failed: [] };
  const full = digests.reduce((state, digest) => failTrial(state, digest), empty);
  expect(full.failed).toEqual(digests.slice(1));
  expect(parseBootState(encodeBootState(full)).ok).toBe(true);
});
