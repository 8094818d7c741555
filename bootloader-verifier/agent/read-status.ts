/** What a device tells of itself (`formats/device-status.ts`): read from its flash, verified like at a start, nothing written. */
import { BOOT_STATE_EMPTY, type SlotId } from '../../formats/boot-state.ts';
import type { DeviceRuns, DeviceStatus } from '../../formats/device-status.ts';
import { encodeFactoryRecord } from '../../formats/factory-record.ts';
import { encodeFloors } from '../../formats/floors.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { accept, type Verdict } from '../../formats/verdict.ts';
import type { Flash } from '../boot/flash.ts';
import { readDeviceTrust } from '../boot/protected-store.ts';
import { verifySlot } from '../boot/slot.ts';
import { readBootState } from '../boot/start-device.ts';
import type { DeviceTrust } from '../boot/verify-bundle.ts';

/** The status of the device whose `flash` this is. */
export async function readStatus(
  flash: Flash,
  check: SignatureCheck,
): Promise<Verdict<DeviceStatus, 'PROTECTED_STORE_MISSING'>> {
  const device = await readDeviceTrust(flash, check);
  if (!device.ok) return device;
  const state = (await readBootState(flash)) ?? BOOT_STATE_EMPTY;
  const slot = state.confirmed ?? state.good;
  const { factory, floors } = device.value;
  return accept({
    factory: encodeFactoryRecord(factory),
    floors: encodeFloors(floors),
    runs: slot === undefined ? undefined : await readRuns(flash, slot, device.value),
    failed: state.failed,
  });
}

async function readRuns(flash: Flash, slot: SlotId, device: DeviceTrust): Promise<DeviceRuns | undefined> {
  const release = await verifySlot(flash, slot, device);
  if (!release.ok) return undefined;
  const { permit } = release.value;
  return { release: permit.release, firmwareVersion: permit.main.firmwareVersion, imagesSha256: permit.imagesSha256 };
}
