/**
 * The life of a slot, as pure steps over the boot state: armed, on trial, confirmed, good; or failed and reverted.
 *
 * - A confirmed trial becomes the good slot, if it still passes; that is the only way a slot becomes good.
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

/** How a slot is started: `confirmed` ends its trial with success, `normal` is the good slot. */
export type StartMode = 'confirmed' | 'trial' | 'normal';
export type Candidate = { readonly slot: SlotId; readonly mode: StartMode };

/**
 * The slots to try at a start, best first.
 * @param state what flash says; undefined if it says nothing readable.
 */
export function planStart(state: BootState | undefined): readonly Candidate[] {
  if (state === undefined) return both('a');
  const fallback = state.good === undefined ? [] : fallbackCandidates(state.good, state.trial?.slot);
  const { trial } = state;
  if (trial === undefined || isExhausted(state)) return fallback;
  return [{ slot: trial.slot, mode: state.confirmed === trial.slot ? 'confirmed' : 'trial' }, ...fallback];
}

/** Whether the trial was started as often as it may be, without having been confirmed. */
export function isExhausted(state: BootState): boolean {
  return state.trial !== undefined && state.confirmed !== state.trial.slot && state.trial.starts >= TRIAL_STARTS_MAX;
}

/** The good slot, then the other one unless it is the one on trial: a damaged good slot is no reason not to start. */
function fallbackCandidates(good: SlotId, onTrial: SlotId | undefined): readonly Candidate[] {
  const candidates: readonly Candidate[] = [{ slot: good, mode: 'normal' }];
  return onTrial === undefined ? [...candidates, { slot: otherSlot(good), mode: 'trial' }] : candidates;
}

function both(first: SlotId): readonly Candidate[] {
  return [
    { slot: first, mode: 'trial' },
    { slot: otherSlot(first), mode: 'trial' },
  ];
}

/** The state to write before the chosen slot runs. */
export function settleStart(state: BootState | undefined, chosen: Candidate): BootState {
  const before = state ?? BOOT_STATE_EMPTY;
  const settled: BootState = { good: before.good, trial: undefined, confirmed: undefined, failed: before.failed };
  switch (chosen.mode) {
    case 'confirmed':
      return { ...settled, good: chosen.slot };
    case 'normal':
      return settled;
    case 'trial': {
      const starts = before.trial?.slot === chosen.slot ? before.trial.starts : 0;
      return { ...settled, trial: { slot: chosen.slot, starts: Math.min(starts + 1, TRIAL_STARTS_MAX) } };
    }
  }
}

/** The state that puts a freshly written slot on trial at the next start. */
export function armTrial(state: BootState, slot: SlotId): BootState {
  return { ...state, trial: { slot, starts: 0 }, confirmed: undefined };
}

/** The system's word that the slot on trial works. The boot stage acts on it at the next start. */
export function confirmTrial(state: BootState): BootState {
  return state.trial === undefined ? state : { ...state, confirmed: state.trial.slot };
}

/** The state after a failed trial: the good slot starts next, and the image is remembered. */
export function failTrial(state: BootState, imageSha256: string | undefined): BootState {
  const failed = imageSha256 === undefined ? state.failed : [...state.failed, imageSha256].slice(-FAILED_MAX);
  return { ...state, trial: undefined, confirmed: undefined, failed };
}

/** The slot that an installation may overwrite: never the good one, nor a confirmed one. */
export function freeSlot(state: BootState): SlotId {
  return otherSlot(state.confirmed ?? state.good ?? 'b');
}
