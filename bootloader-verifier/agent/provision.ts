/**
 * Provisioning: the last step in the factory, which tells a device what it is and which root it trusts.
 *
 * - The root must be version 1, signed by its own threshold, and bound to this product; a device is never given a broken anchor.
 * - The record is what the device can read back: one component that starts from a slot, each component once.
 * - A device is provisioned once; a second time is refused, also where its record is lost but its floors have risen (R19).
 */
import { verifyBinding, type BindingCode } from '../../formats/binding.ts';
import {
  encodeFactoryRecord,
  parseFactoryRecord,
  repositoryOf,
  type FactoryRecord,
} from '../../formats/factory-record.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import type { MetadataParseCode } from '../../formats/tuf-metadata.ts';
import { parseRoot } from '../../formats/tuf-root.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { verifyThreshold } from '../../formats/verify-signatures.ts';
import type { Flash } from '../boot/flash.ts';
import { readRecord } from '../boot/flash-records.ts';
import { hasRisenFloors, provisionFlash, type NewDevice } from '../boot/protected-store.ts';

export type ProvisionCode =
  | MetadataParseCode
  | BindingCode
  | 'METADATA_THRESHOLD_UNMET'
  | 'ROOT_VERSION_NOT_NEXT'
  | 'DEVICE_PROVISIONED'
  | 'PROTECTED_STORE_MISSING'
  | 'METADATA_TOO_LARGE';

/**
 * Writes `device` to a blank device.
 * @param flash with the factory's rights.
 * @returns the record that it has from now on, with its factory key.
 */
export async function provisionDevice(
  flash: Flash,
  device: NewDevice,
  check: SignatureCheck,
): Promise<Verdict<FactoryRecord, ProvisionCode>> {
  const root = parseRoot(device.root);
  if (!root.ok) return root;
  const { signed } = root.value;
  const threshold = verifyThreshold(root.value, { name: 'root', keys: signed.keys, ...signed.roles.root }, check);
  if (!threshold.ok) return threshold;
  if (signed.version !== 1) return reject('ROOT_VERSION_NOT_NEXT', `root version ${signed.version}, 1 is provisioned`);
  const bound = verifyBinding(signed.firmament, { repository: repositoryOf(device), role: 'root', isRootOne: true });
  if (!bound.ok) return bound;
  const record = parseFactoryRecord(encodeFactoryRecord({ ...device, deviceKey: undefined }));
  if (!record.ok) return record;
  if ((await readRecord(flash, 'factory')) !== undefined) {
    return reject('DEVICE_PROVISIONED', 'this device has its factory record already');
  }
  if (await hasRisenFloors(flash)) return reject('DEVICE_PROVISIONED', 'this device has floors that must not be reset');
  const factory = await provisionFlash(flash, device);
  return factory === undefined
    ? reject('METADATA_TOO_LARGE', 'the root does not fit the factory region')
    : accept(factory);
}
