/**
 * The life of a slot, as pure steps over the boot state: armed, on trial, confirmed, good; or failed and reverted.
 *
 * - Confirmed is the system's word; good is what the boot stage made of it, after the slot has passed once more.
 * - A confirmation waits for the boot stage even while the next trial is armed: no slot is forgotten in between.
 * - A trial counts its start *before* it runs, so that a power cut during a trial is a start, not an endless loop.
 * - A trial that was started too often is reverted, and the good slot starts.
 * - No slot is written off by the state alone: one that it does not name may still try, last and on trial. So lost state
 *   chooses among the slots that pass: the checks protect the device, not the state.
 * - A trial that comes with a lease is dropped if the lease ends before its first start.
 * - A slot that is about to be overwritten is forgotten first, so that new content never inherits an old standing.
 */
import {
  BOOT_STATE_EMPTY,
  FAILED_MAX,
  otherSlot,
  TRIAL_STARTS_MAX,
  type BootState,
  type SlotId,
} from '../../formats/boot-state.ts';
import type { Instant } from '../../formats/instant.ts';

/** How a slot is started: on trial, or as the good one. */
export type StartMode = 'trial' | 'normal';
export type Candidate = { readonly slot: SlotId; readonly mode: StartMode };

const SLOTS: readonly SlotId[] = ['a', 'b'];

/**
 * The slots to try at a start, best first: the one on trial, the good one, then what is left, on trial.
 * @param state what flash says, its confirmation already settled; undefined if it says nothing readable.
 */
export function planStart(state: BootState | undefined): readonly Candidate[] {
  const { good, trial } = state ?? BOOT_STATE_EMPTY;
  const candidates: Candidate[] = [];
  if (state !== undefined && trial !== undefined && !isExhausted(state)) {
    candidates.push({ slot: trial.slot, mode: 'trial' });
  }
  if (good !== undefined) candidates.push({ slot: good, mode: 'normal' });
  for (const slot of SLOTS) {
    if (slot !== trial?.slot && slot !== good) candidates.push({ slot, mode: 'trial' });
  }
  return candidates;
}

/** Whether the trial was started as often as it may be, without having been confirmed. */
export function isExhausted(state: BootState): boolean {
  return state.trial !== undefined && state.trial.starts >= TRIAL_STARTS_MAX;
}

/** The state to write before the chosen slot runs. */
export function settleStart(state: BootState | undefined, chosen: Candidate): BootState {
  const before = state ?? BOOT_STATE_EMPTY;
  if (chosen.mode === 'normal') return { ...before, trial: undefined };
  const starts = before.trial?.slot === chosen.slot ? before.trial.starts : 0;
  return {
    ...before,
    trial: { slot: chosen.slot, starts: Math.min(starts + 1, TRIAL_STARTS_MAX), leaseEnds: undefined },
  };
}

/** The state after the boot stage has looked at a confirmed slot: it is good if it passed. */
export function settleConfirmed(state: BootState, passed: boolean): BootState {
  return { ...state, good: passed ? state.confirmed : state.good, confirmed: undefined };
}

/** The state before `slot` is overwritten: whatever it says of the slot's present content ends here. */
export function forgetSlot(state: BootState, slot: SlotId): BootState {
  return {
    good: state.good === slot ? undefined : state.good,
    trial: state.trial?.slot === slot ? undefined : state.trial,
    confirmed: state.confirmed === slot ? undefined : state.confirmed,
    failed: state.failed,
  };
}

/** The state that puts a freshly written slot on trial at the next start. @param leaseEnds when its wave closes again, if it does. */
export function armTrial(state: BootState, slot: SlotId, leaseEnds?: Instant): BootState {
  return { ...forgetSlot(state, slot), trial: { slot, starts: 0, leaseEnds } };
}

/**
 * The state without a trial whose lease ended before it was ever started (rule R13); undefined if there is nothing to drop.
 * @param now fresh time: without it nothing is dropped, and the slot is tried.
 */
export function dropLapsedTrial(state: BootState, now: Instant): BootState | undefined {
  const { trial } = state;
  const isLapsed = trial?.leaseEnds !== undefined && trial.starts === 0 && trial.leaseEnds <= now;
  return isLapsed ? forgetSlot(state, trial.slot) : undefined;
}

/** The system's word that `slot`, which runs on trial, works. The boot stage acts on it at the next start. */
export function confirmTrial(state: BootState, slot: SlotId): BootState {
  return { ...state, trial: undefined, confirmed: slot };
}

/** The state after a failed trial: the good slot starts next, and the images are remembered. */
export function failTrial(state: BootState, imagesSha256: string | undefined): BootState {
  const failed = imagesSha256 === undefined ? state.failed : [...state.failed, imagesSha256].slice(-FAILED_MAX);
  return { ...state, trial: undefined, failed };
}

/** The slot that an installation may overwrite: never the one that the next start keeps, confirmed or else good. */
export function freeSlot(state: BootState): SlotId {
  return otherSlot(state.confirmed ?? state.good ?? 'b');
}
