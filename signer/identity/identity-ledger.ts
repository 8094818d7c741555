/**
 * The signer's ledger of identities, a file a device.
 *
 * - An entry is replaced as a whole, synced, before what it says leaves the signer: a cut leaves the old state or the new one.
 * - A damaged entry is a fault that a person repairs from a backup; it never reads as a device without an identity.
 */
import { join } from 'node:path';
import { OperationError } from '../../formats/operation-error.ts';
import { MODE_SECRET, readFileBounded, replaceFile } from '../durable-file.ts';
import { whileLocked } from '../lock-file.ts';
import {
  encodeDeviceIdentities,
  IDENTITIES_BYTES_MAX,
  noIdentities,
  parseDeviceIdentities,
  type DeviceIdentities,
} from './device-identities.ts';

export type IdentityLedger = {
  /** What is known of a device; nothing yet for one that never had an identity. */
  readonly read: (deviceId: string) => Promise<DeviceIdentities>;
  /** Durable when it returns. */
  readonly write: (device: DeviceIdentities) => Promise<void>;
  /** Does `work` while nobody else works with this ledger. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
};

/** The ledger in `folder`. */
export function identityLedgerFolder(folder: string): IdentityLedger {
  const pathOf = (deviceId: string): string => join(folder, 'devices', `${deviceId}.json`);
  return {
    read: async (deviceId) => {
      const path = pathOf(deviceId);
      const bytes = await readFileBounded(path, IDENTITIES_BYTES_MAX);
      if (bytes === undefined) return noIdentities(deviceId);
      const known = parseDeviceIdentities(bytes);
      if (known.ok && known.value.deviceId === deviceId) return known.value;
      throw new OperationError('FILE_UNREADABLE', `${path} is damaged, restore it from a backup`, { retriable: false });
    },
    write: (device) =>
      replaceFile(pathOf(device.deviceId), { bytes: encodeDeviceIdentities(device), mode: MODE_SECRET }),
    exclusively: (work) => whileLocked(join(folder, 'lock'), work),
  };
}
