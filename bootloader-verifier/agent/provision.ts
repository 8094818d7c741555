/**
 * Provisioning: the last step in the factory, which tells a device what it is and which root it trusts.
 *
 * - The root must be version 1, signed by its own threshold, and bound to this product; a device is never given a broken anchor.
 * - A device is provisioned once; a second time is refused, also where its record is lost but its floors have risen (R19).
 */
import { verifyBinding, type BindingCode } from '../../formats/binding.ts';
import { repositoryOf, type FactoryRecord } from '../../formats/factory-record.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import type { MetadataParseCode } from '../../formats/tuf-metadata.ts';
import { parseRoot } from '../../formats/tuf-root.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { verifyThreshold } from '../../formats/verify-signatures.ts';
import type { Flash } from '../boot/flash.ts';
import { readRecord } from '../boot/flash-records.ts';
import { hasRisenFloors, provisionFlash } from '../boot/protected-store.ts';

export type ProvisionCode =
  | MetadataParseCode
  | BindingCode
  | 'METADATA_THRESHOLD_UNMET'
  | 'ROOT_VERSION_NOT_NEXT'
  | 'DEVICE_PROVISIONED'
  | 'METADATA_TOO_LARGE';

/** Writes `factory` to a blank device. @param flash with the factory's rights. */
export async function provisionDevice(
  flash: Flash,
  factory: FactoryRecord,
  check: SignatureCheck,
): Promise<Verdict<void, ProvisionCode>> {
  const root = parseRoot(factory.root);
  if (!root.ok) return root;
  const { signed } = root.value;
  const threshold = verifyThreshold(root.value, { name: 'root', keys: signed.keys, ...signed.roles.root }, check);
  if (!threshold.ok) return threshold;
  if (signed.version !== 1) return reject('ROOT_VERSION_NOT_NEXT', `root version ${signed.version}, 1 is provisioned`);
  const bound = verifyBinding(signed.firmament, { repository: repositoryOf(factory), role: 'root', isRootOne: true });
  if (!bound.ok) return bound;
  if ((await readRecord(flash, 'factory')) !== undefined) {
    return reject('DEVICE_PROVISIONED', 'this device has its factory record already');
  }
  if (await hasRisenFloors(flash)) return reject('DEVICE_PROVISIONED', 'this device has floors that must not be reset');
  return (await provisionFlash(flash, factory))
    ? accept(undefined)
    : reject('METADATA_TOO_LARGE', 'the root does not fit the factory region');
}
