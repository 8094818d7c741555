/**
 * The boot stage: from power-on to one verified release, or to recovery.
 *
 * 1. Trust and floors are read; without them there is recovery, never a guess (R19).
 * 2. A confirmed slot that passes once more raises the floors, and becomes good when the state is written: a cut in between
 *    repeats the step (R9, P5).
 * 3. The candidates of the boot state are verified in their order, whole, from flash alone; the first that passes is chosen.
 *    What is on trial beside a good slot must be the next hop of it (`find-ways.ts`).
 * 4. The good slot raises the floors too, because its bundle may have been given newer trust; a slot on trial never does.
 * 5. The state is written; then the components with a flash of their own are brought to the images of the same slot. Where that
 *    fails a trial has failed; the good slot has nothing behind it that would do better, and the device waits in recovery.
 * 6. What is started is measured (`measure-boot.ts`); then the main image is handed out. From here on the floors are closed until the next start.
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
import { accept, reject, type Rejected, type Verdict } from '../../formats/verdict.ts';
import { verifyHop, type HopCode } from './find-ways.ts';
import { readRecord, writeRecord } from './flash-records.ts';
import type { Flash } from './flash.ts';
import { installComponents, type FindInstaller } from './installer.ts';
import { measureBoot, type BootIdentityVerdict } from './measure-boot.ts';
import {
  failTrial,
  isExhausted,
  planStart,
  settleConfirmed,
  settleStart,
  type Candidate,
  type StartMode,
} from './plan-start.ts';
import { raiseDeviceFloors, readDeviceTrust } from './protected-store.ts';
import { readBundle, verifySlot, type SlotCode } from './slot.ts';
import { verifyBundle, type BootPermit, type DeviceTrust } from './verify-bundle.ts';
import type { FirmwareImage, ReleaseImages } from './verify-image.ts';

export type StartCode = SlotCode | HopCode | 'IMAGE_TRIED_BEFORE' | 'TRIAL_EXHAUSTED' | 'COMPONENT_INSTALL_FAILED';
export type RefusedSlot = { readonly slot: SlotId; readonly refusal: Rejected<StartCode> };
export type Started = {
  readonly kind: 'started';
  readonly slot: SlotId;
  readonly mode: StartMode;
  /** The main image, which is to run. */
  readonly image: FirmwareImage;
  /** Images that were transferred at this start, because something else lay in their place. */
  readonly transferred: readonly FirmwareImage[];
  readonly floors: Floors;
  /** What the system can prove of this start; undefined for a device without an identity. */
  readonly identity: BootIdentityVerdict | undefined;
  readonly refused: readonly RefusedSlot[];
};
export type Recovery = {
  readonly kind: 'recovery';
  /** The good slot, if it passes and only waits for a component to take its image. */
  readonly waiting?: { readonly slot: SlotId; readonly permit: BootPermit };
  readonly refusal: Rejected<'PROTECTED_STORE_MISSING' | 'NO_BOOTABLE_SLOT' | 'COMPONENT_INSTALL_FAILED'>;
  readonly refused: readonly RefusedSlot[];
};

/**
 * Decides what this device starts, and brings all its components to it.
 * @param flash with the right to write `protected`.
 */
export async function startDevice(
  flash: Flash,
  check: SignatureCheck,
  findInstaller: FindInstaller,
): Promise<Started | Recovery> {
  const device = await readDeviceTrust(flash, check);
  if (!device.ok) return { kind: 'recovery', refusal: device, refused: [] };
  const found = await readBootState(flash);
  const run: Run = { flash, device: device.value, refused: [], verified: new Map(), found };
  let state = await giveUpExhausted(run, await promoteConfirmed(run, found));
  for (const candidate of planStart(state)) {
    const { slot, mode } = candidate;
    const release = await verifyOnce(run, slot);
    const refusal = release.ok
      ? (refuseFailed(state, mode, release.value) ?? (await refuseSkipped(run, { state, candidate }, release.value)))
      : release;
    if (release.ok && refusal === undefined) {
      if (mode === 'normal') await raise(run, release.value);
      state = await settle(run, settleStart(state, candidate));
      const transferred = await installComponents(release.value, findInstaller);
      const { main: image, permit } = release.value;
      const { floors, factory } = run.device;
      if (transferred.ok) {
        const identity = await measureBoot(flash, factory, { permit, ...candidate });
        const { refused } = run;
        return { kind: 'started', ...candidate, image, transferred: transferred.value, floors, identity, refused };
      }
      run.refused.push({ slot, refusal: transferred });
      if (mode === 'normal') return recovery(run, { slot, permit });
      state = failTrial(state, permit.imagesSha256);
    }
    if (refusal !== undefined) run.refused.push({ slot, refusal });
  }
  if (state !== undefined) await settle(run, { ...state, trial: undefined });
  return recovery(run);
}

function recovery({ refused }: Run, waiting?: Recovery['waiting']): Recovery {
  const refusal =
    waiting === undefined
      ? reject('NO_BOOTABLE_SLOT', 'no slot passes the boot checks')
      : reject(
          'COMPONENT_INSTALL_FAILED',
          `slot ${waiting.slot} passes, but not all of its components took their images`,
        );
  return { kind: 'recovery', refusal, refused, ...(waiting === undefined ? {} : { waiting }) };
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

/** Writes `state` unless it says what was `found`. */
export async function writeChangedState(flash: Flash, found: BootState | undefined, state: BootState): Promise<void> {
  const same = found !== undefined && equalBytes(encodeBootState(found), encodeBootState(state));
  if (!same) await writeBootState(flash, state);
}

/** One start: what it works with, and what it has found so far. */
type Run = {
  readonly flash: Flash;
  /** With the floors in force: they may rise within a start. */
  device: DeviceTrust;
  readonly refused: RefusedSlot[];
  readonly verified: Map<SlotId, Verdict<ReleaseImages, SlotCode>>;
  /** The boot state as it lies on flash. */
  found: BootState | undefined;
};

/** Writes `state`, unless it lies on flash already. */
async function settle(run: Run, state: BootState): Promise<BootState> {
  await writeChangedState(run.flash, run.found, state);
  run.found = state;
  return state;
}

/** Verifies a slot once a start: nothing writes to it in between. */
async function verifyOnce(run: Run, slot: SlotId): Promise<Verdict<ReleaseImages, SlotCode>> {
  const known = run.verified.get(slot) ?? (await verifySlot(run.flash, slot, run.device));
  run.verified.set(slot, known);
  return known;
}

/** Acts on the system's confirmation: floors first; the state that makes the slot good is written before anything runs. */
async function promoteConfirmed(run: Run, state: BootState | undefined): Promise<BootState | undefined> {
  if (state?.confirmed === undefined) return state;
  const slot = state.confirmed;
  const release = await verifyOnce(run, slot);
  if (release.ok) await raise(run, release.value);
  else run.refused.push({ slot, refusal: release });
  return settleConfirmed(state, release.ok);
}

/** Turns a trial that was started too often into a failed one. */
async function giveUpExhausted(run: Run, state: BootState | undefined): Promise<BootState | undefined> {
  if (state?.trial === undefined || !isExhausted(state)) return state;
  const { slot, starts } = state.trial;
  const release = await verifyOnce(run, slot);
  const refusal = reject('TRIAL_EXHAUSTED', `slot ${slot} was started ${starts} times without being confirmed`);
  run.refused.push({ slot, refusal });
  return failTrial(state, release.ok ? release.value.permit.imagesSha256 : undefined);
}

/** A release that lost its trial on this device is no way out of trouble. */
function refuseFailed(
  state: BootState | undefined,
  mode: StartMode,
  { permit }: ReleaseImages,
): Rejected<'IMAGE_TRIED_BEFORE'> | undefined {
  return mode === 'trial' && (state ?? BOOT_STATE_EMPTY).failed.includes(permit.imagesSha256)
    ? reject('IMAGE_TRIED_BEFORE', `${permit.release} has failed its trial with these images`)
    : undefined;
}

/** What is on trial goes over what is good, if that passes: nothing skips a waypoint, or leads down unless it was recalled. */
async function refuseSkipped(
  run: Run,
  { state, candidate }: { readonly state: BootState | undefined; readonly candidate: Candidate },
  { permit }: ReleaseImages,
): Promise<Rejected<HopCode> | undefined> {
  const good = state?.good;
  if (candidate.mode === 'normal' || good === undefined || good === candidate.slot) return undefined;
  const bundle = await readBundle(run.flash, good);
  const runs = bundle && verifyBundle(bundle, run.device);
  const hop = runs?.ok === true ? verifyHop(permit, runs.value) : accept(undefined);
  if (hop.ok) return undefined;
  // Only what passes as a whole stands in the way: its images are looked at where it would.
  return (await verifyOnce(run, good)).ok ? hop : undefined;
}

/** Raises the floors to what the release has reached; whatever is verified from here on is held against them. */
async function raise(run: Run, { permit }: ReleaseImages): Promise<void> {
  const floors = await raiseDeviceFloors(run.flash, run.device.floors, permit);
  run.device = { ...run.device, floors };
}
