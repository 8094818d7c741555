/**
 * The boot stage: from power-on to one verified image, or to recovery.
 *
 * 1. Trust and floors are read; without them there is recovery, never a guess (R19).
 * 2. The candidates of the boot state are verified in their order, whole, from flash alone; the first that passes is chosen.
 * 3. Only a confirmed or good slot raises the floors, before it is recorded as good: a cut in between repeats the step (R9, P5).
 * 4. The state is written, then the image is handed out. From here on the floors are closed until the next start.
 */
import {
  BOOT_STATE_EMPTY,
  parseBootState,
  encodeBootState,
  type BootState,
  type SlotId,
} from '../../formats/boot-state.ts';
import { equalBytes } from '../../formats/bytes.ts';
import type { Floors } from '../../formats/floors.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { reject, type Rejected } from '../../formats/verdict.ts';
import { readRecord, writeRecord } from './flash-records.ts';
import type { Flash } from './flash.ts';
import { failTrial, isExhausted, planStart, settleStart, type Candidate, type StartMode } from './plan-start.ts';
import { raiseDeviceFloors, readDeviceTrust } from './protected-store.ts';
import { verifySlot, type SlotCode } from './slot.ts';
import type { DeviceTrust } from './verify-bundle.ts';
import type { FirmwareImage } from './verify-image.ts';

export type RefusedSlot = {
  readonly slot: SlotId;
  readonly refusal: Rejected<SlotCode | 'IMAGE_TRIED_BEFORE' | 'TRIAL_EXHAUSTED'>;
};
export type Started = {
  readonly kind: 'started';
  readonly slot: SlotId;
  readonly mode: StartMode;
  readonly image: FirmwareImage;
  readonly floors: Floors;
  readonly refused: readonly RefusedSlot[];
};
export type Recovery = {
  readonly kind: 'recovery';
  readonly refusal: Rejected<'PROTECTED_STORE_MISSING' | 'NO_BOOTABLE_SLOT'>;
  readonly refused: readonly RefusedSlot[];
};

/** Decides what this device starts. @param flash with the right to write `protected`. */
export async function startDevice(flash: Flash, check: SignatureCheck): Promise<Started | Recovery> {
  const device = await readDeviceTrust(flash, check);
  if (!device.ok) return { kind: 'recovery', refusal: device, refused: [] };
  const found = await readBootState(flash);
  const { state, refused } = await giveUpExhausted(flash, found, device.value);
  for (const candidate of planStart(state)) {
    const image = await verifySlot(flash, candidate.slot, device.value);
    const refusal = image.ok ? refuseFailed(state, candidate, image.value) : image;
    if (!image.ok || refusal !== undefined) {
      if (refusal !== undefined) refused.push({ slot: candidate.slot, refusal });
      continue;
    }
    const floors = await settle(flash, { state, candidate, image: image.value }, device.value);
    return { kind: 'started', ...candidate, image: image.value, floors, refused };
  }
  if (state?.trial !== undefined) await writeBootState(flash, { ...state, trial: undefined, confirmed: undefined });
  return { kind: 'recovery', refusal: reject('NO_BOOTABLE_SLOT', 'no slot passes the boot checks'), refused };
}

/** The boot state, or undefined if none can be read: then the slots alone decide. */
export async function readBootState(flash: Flash): Promise<BootState | undefined> {
  const bytes = await readRecord(flash, 'state');
  const state = bytes === undefined ? undefined : parseBootState(bytes);
  return state?.ok === true ? state.value : undefined;
}

/** Writes the boot state. It always fits: its lists are short. */
export async function writeBootState(flash: Flash, state: BootState): Promise<void> {
  await writeRecord(flash, 'state', encodeBootState(state));
}

/** Turns a trial that was started too often into a failed one. */
async function giveUpExhausted(
  flash: Flash,
  state: BootState | undefined,
  device: DeviceTrust,
): Promise<{ readonly state: BootState | undefined; readonly refused: RefusedSlot[] }> {
  if (state?.trial === undefined || !isExhausted(state)) return { state, refused: [] };
  const { slot, starts } = state.trial;
  const image = await verifySlot(flash, slot, device);
  const refusal = reject('TRIAL_EXHAUSTED', `slot ${slot} was started ${starts} times without being confirmed`);
  return {
    state: failTrial(state, image.ok ? image.value.permit.image.sha256 : undefined),
    refused: [{ slot, refusal }],
  };
}

/** An image that lost its trial on this device is no way out of trouble. */
function refuseFailed(
  state: BootState | undefined,
  candidate: Candidate,
  image: FirmwareImage,
): Rejected<'IMAGE_TRIED_BEFORE'> | undefined {
  const { sha256 } = image.permit.image;
  return candidate.mode === 'trial' && (state ?? BOOT_STATE_EMPTY).failed.includes(sha256)
    ? reject('IMAGE_TRIED_BEFORE', `${sha256.slice(0, 12)}… has failed its trial`)
    : undefined;
}

async function settle(
  flash: Flash,
  chosen: { readonly state: BootState | undefined; readonly candidate: Candidate; readonly image: FirmwareImage },
  device: DeviceTrust,
): Promise<Floors> {
  const { state, candidate, image } = chosen;
  const isTrial = candidate.mode === 'trial';
  const floors = isTrial ? device.floors : await raiseDeviceFloors(flash, device.floors, image.permit);
  const settled = settleStart(state, candidate);
  const unchanged = state !== undefined && equalBytes(encodeBootState(state), encodeBootState(settled));
  if (!unchanged) await writeBootState(flash, settled);
  return floors;
}
