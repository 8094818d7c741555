/**
 * The life of a slot, as pure steps over the boot state: armed, on trial, confirmed, good; or failed and reverted.
 *
 * - Confirmed is the system's word; good is what the boot stage made of it, after the slot has passed once more.
 * - A confirmation waits for the boot stage even while the next trial is armed: no slot is forgotten in between.
 * - A trial counts its start *before* it runs, so that a power cut during a trial is a start, not an endless loop.
 * - A trial that was started too often is reverted, and the good slot starts.
 * - Lost state chooses among the slots that pass, each on trial: the checks protect the device, not the state.
 */
import {
  BOOT_STATE_EMPTY,
  FAILED_MAX,
  otherSlot,
  TRIAL_STARTS_MAX,
  type BootState,
  type SlotId,
} from '../../formats/boot-state.ts';

/** How a slot is started: on trial, or as the good one. */
export type StartMode = 'trial' | 'normal';
export type Candidate = { readonly slot: SlotId; readonly mode: StartMode };

/**
 * The slots to try at a start, best first.
 * @param state what flash says, its confirmation already settled; undefined if it says nothing readable.
 */
export function planStart(state: BootState | undefined): readonly Candidate[] {
  if (state === undefined) {
    return [
      { slot: 'a', mode: 'trial' },
      { slot: 'b', mode: 'trial' },
    ];
  }
  const { trial, good } = state;
  const normal: readonly Candidate[] = good === undefined ? [] : [{ slot: good, mode: 'normal' }];
  if (trial !== undefined && !isExhausted(state)) return [{ slot: trial.slot, mode: 'trial' }, ...normal];
  // A damaged good slot is no reason not to start: the other one may try, if it passes.
  return good === undefined ? normal : [...normal, { slot: otherSlot(good), mode: 'trial' }];
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
  return { ...before, trial: { slot: chosen.slot, starts: Math.min(starts + 1, TRIAL_STARTS_MAX) } };
}

/** The state after the boot stage has looked at a confirmed slot: it is good if it passed. */
export function settleConfirmed(state: BootState, passed: boolean): BootState {
  return { ...state, good: passed ? state.confirmed : state.good, confirmed: undefined };
}

/** The state that puts a freshly written slot on trial at the next start. */
export function armTrial(state: BootState, slot: SlotId): BootState {
  return { ...state, trial: { slot, starts: 0 } };
}

/** The system's word that the slot on trial works. The boot stage acts on it at the next start. */
export function confirmTrial(state: BootState): BootState {
  return state.trial === undefined ? state : { ...state, trial: undefined, confirmed: state.trial.slot };
}

/** The state after a failed trial: the good slot starts next, and the image is remembered. */
export function failTrial(state: BootState, imageSha256: string | undefined): BootState {
  const failed = imageSha256 === undefined ? state.failed : [...state.failed, imageSha256].slice(-FAILED_MAX);
  return { ...state, trial: undefined, failed };
}

/** The slot that an installation may overwrite: never the good one, nor a confirmed one. */
export function freeSlot(state: BootState): SlotId {
  return otherSlot(state.confirmed ?? state.good ?? 'b');
}
