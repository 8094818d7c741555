/**
 * The device's own trust on flash: what the factory wrote, and the floors.
 *
 * - Reading is for everybody; raising the floors takes a flash whose `protected` region is writable, and only the boot stage has one.
 * - Without a readable record the device is to be recovered; it never starts from zero (rule R19).
 * - Both records are kept twice: a damaged one neither lowers a floor nor ends the device.
 */
import { encodeHex } from '../../formats/bytes.ts';
import { encodeDeviceSecret } from '../../formats/device-secret.ts';
import { deriveKeySeed } from '../../formats/dice.ts';
import { ed25519PublicKey } from '../../formats/ed25519-key.ts';
import {
  parseFactoryRecord,
  repositoryOf,
  encodeFactoryRecord,
  type FactoryRecord,
} from '../../formats/factory-record.ts';
import { encodeFloors, parseFloors, raiseFloors, type Floors } from '../../formats/floors.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { readRecord, writeRecordTwice } from './flash-records.ts';
import type { Flash } from './flash.ts';
import type { BootPermit, DeviceTrust } from './verify-bundle.ts';

/** Reads what this device trusts, or says that it needs recovery. */
export async function readDeviceTrust(
  flash: Flash,
  check: SignatureCheck,
): Promise<Verdict<DeviceTrust, 'PROTECTED_STORE_MISSING'>> {
  const factoryBytes = await readRecord(flash, 'factory');
  if (factoryBytes === undefined) return reject('PROTECTED_STORE_MISSING', 'no factory record: provision the device');
  const factory = parseFactoryRecord(factoryBytes);
  if (!factory.ok) return factory;
  const floorBytes = await readRecord(flash, 'protected');
  if (floorBytes === undefined) return reject('PROTECTED_STORE_MISSING', 'no floors can be read');
  const floors = parseFloors(floorBytes);
  return floors.ok ? accept({ factory: factory.value, floors: floors.value, check }) : floors;
}

/**
 * Raises the floors to what `permit`, the permit of a good slot, has reached. Writes only if something rises, or if only
 * one of the two records holds it.
 * @returns the floors in force afterwards.
 */
export async function raiseDeviceFloors(flash: Flash, floors: Floors, permit: BootPermit): Promise<Floors> {
  const raised = raiseFloors(floors, permit);
  return (await writeRecordTwice(flash, 'protected', encodeFloors(raised))) ? raised : floors;
}

/** What a device is given in the factory: its record, and the secret that all its keys come from. */
export type NewDevice = Omit<FactoryRecord, 'deviceKey'> & { readonly secret?: Uint8Array | undefined };

/**
 * Writes the secret, the first floors, and last the factory record: the last thing before a device leaves the factory.
 * @returns the record, or undefined if it does not fit.
 */
export async function provisionFlash(flash: Flash, device: NewDevice): Promise<FactoryRecord | undefined> {
  const { secret, ...described } = device;
  const deviceKey = secret === undefined ? undefined : encodeHex(ed25519PublicKey(deriveKeySeed(secret)));
  const factory = { ...described, deviceKey };
  if (secret !== undefined && !(await writeRecordTwice(flash, 'identity', encodeDeviceSecret(secret))))
    return undefined;
  const { rootOneSha256 } = repositoryOf(factory);
  const floors: Floors = {
    root: { version: 1, sha256: rootOneSha256 },
    channelVersions: new Map([[factory.channelName, 0]]),
    securityCounters: new Map(factory.components.map(({ component }) => [component, 0])),
  };
  if (!(await writeRecordTwice(flash, 'protected', encodeFloors(floors)))) return undefined;
  return (await writeRecordTwice(flash, 'factory', encodeFactoryRecord(factory))) ? factory : undefined;
}

/** Whether `flash` holds floors that have risen since the factory: provisioning must not reset them. */
export async function hasRisenFloors(flash: Flash): Promise<boolean> {
  const bytes = await readRecord(flash, 'protected');
  const floors = bytes === undefined ? undefined : parseFloors(bytes);
  if (floors?.ok !== true) return false;
  const { root, channelVersions, securityCounters } = floors.value;
  return root.version > 1 || [...channelVersions.values(), ...securityCounters.values()].some((floor) => floor > 0);
}
