/** Provisioning: a device gets a whole anchor, once, and no floor that has risen is ever reset by it. */
import { beforeEach, expect, test } from 'vitest';
import { encodeHex, parseHex } from '../../../formats/bytes.ts';
import { deviceIdOf } from '../../../formats/device-id.ts';
import { parseDeviceSecret } from '../../../formats/device-secret.ts';
import { parseFactoryRecord } from '../../../formats/factory-record.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { checkSignaturePortable } from '../../../formats/signature-check.ts';
import { provisionDevice } from '../../../bootloader-verifier/agent/provision.ts';
import type { Region } from '../../../bootloader-verifier/boot/flash.ts';
import { readRecord } from '../../../bootloader-verifier/boot/flash-records.ts';
import type { NewDevice } from '../../../bootloader-verifier/boot/protected-store.ts';
import { faultFlash, SMALL_FLASH, type FaultFlash } from '../../../simulation/fault-flash.ts';
import { accepted } from '../../accepted.ts';
import { withPart } from '../../edited-metadata.ts';
import { floorsOf, makeTinyDevice } from '../../tiny-device.ts';
import { makeTinyRepository, signedOf, type TinyRepository } from '../../tiny-repository.ts';

let repository: TinyRepository;

beforeEach(async () => {
  repository = await makeTinyRepository();
});

/** Provisions `flash` with the factory record of the repository, or one with another root or product. */
async function provision(flash: FaultFlash, change: Partial<NewDevice> = {}): Promise<string> {
  const factory = { ...repository.factory, ...change };
  const verdict = await provisionDevice(flash.view('factory'), factory, checkSignaturePortable);
  return verdict.ok ? 'accepted' : verdict.code;
}

/** `flash` with one region blank. */
function without(flash: FaultFlash, region: Region): FaultFlash {
  return faultFlash(SMALL_FLASH, new Map([...flash.image(), [region, new Uint8Array(SMALL_FLASH[region])]]));
}

test('a blank device starts at root 1 by its digest, with every floor at zero', async () => {
  const flash = faultFlash(SMALL_FLASH);
  expect(await provision(flash)).toBe('accepted');
  expect(await floorsOf(flash)).toEqual({
    root: { version: 1, sha256: sha256Hex(repository.factory.root) },
    channelVersions: new Map([['stable', 0]]),
    securityCounters: new Map([['gateway', 0]]),
  });
  expect(await provision(flash)).toBe('DEVICE_PROVISIONED');
});

test('a root that is not root 1 of this product, signed by its own quorum, is refused and leaves the device blank', async () => {
  const flash = faultFlash(SMALL_FLASH);
  const one = signedOf(repository.factory.root);
  const [single] = repository.signers.get('root') ?? [];
  const signed = (root: typeof one): Promise<Uint8Array> => repository.sign('root', root);
  const named = withPart(repository.factory.root, { root: '00'.repeat(32) });
  const roles = withPart(repository.factory.root, { role: 'targets' });
  expect(await provision(flash, { root: await repository.sign('root', one, single ? [single] : []) })).toBe(
    'METADATA_THRESHOLD_UNMET',
  );
  expect(await provision(flash, { root: await repository.publishRoot() })).toBe('ROOT_VERSION_NOT_NEXT');
  expect(await provision(flash, { product: 'other' })).toBe('REPOSITORY_MISMATCH');
  expect(await provision(flash, { root: await signed(named) })).toBe('REPOSITORY_MISMATCH');
  expect(await provision(flash, { root: await signed(roles) })).toBe('ROLE_MISMATCH');
  one.delete('firmament');
  expect(await provision(flash, { root: await signed(one) })).toBe('REPOSITORY_UNBOUND');
  expect(flash.writes().size).toBe(0);
  expect(await provision(flash)).toBe('accepted');
});

test('a root that does not fit its region is refused', async () => {
  const flash = faultFlash({ ...SMALL_FLASH, factory: 2_048 });
  expect(await provision(flash)).toBe('METADATA_TOO_LARGE');
  expect(flash.writes().get('factory')).toBeUndefined();
});

test('a device that could not read its own record back is not provisioned: nothing is written', async () => {
  const flash = faultFlash(SMALL_FLASH);
  const hub = { component: 'hub', hardwareId: 'primehub', installer: 'transfer' } as const;
  for (const components of [[], [hub], [...repository.factory.components, ...repository.factory.components]]) {
    expect(await provision(flash, { components })).toBe('PROTECTED_STORE_MISSING');
  }
  expect(flash.writes().size).toBe(0);
});

test('a device whose factory record is lost can be provisioned again only while no floor has risen', async () => {
  const device = await makeTinyDevice(repository);
  expect(await provision(without(device.flash, 'factory'))).toBe('accepted');
  await device.live();
  const lost = without(device.flash, 'factory');
  expect(await provision(lost)).toBe('DEVICE_PROVISIONED');
  expect(await floorsOf(lost)).toEqual(await device.floors());
});

test('one floor that has risen is enough', async () => {
  const device = await makeTinyDevice(repository);
  const { floors } = repository;
  const risen = [
    { ...floors, root: { version: 2, sha256: '00'.repeat(32) } },
    { ...floors, channelVersions: new Map([['beta', 1]]) },
    { ...floors, securityCounters: new Map([['radio', 1]]) },
  ];
  for (const held of risen) {
    await device.putFloors(held);
    expect(await provision(without(device.flash, 'factory'))).toBe('DEVICE_PROVISIONED');
  }
});

test('a device leaves the factory with a secret that only the boot stage reads, and a key that names it', async () => {
  const flash = faultFlash(SMALL_FLASH);
  const secret = new Uint8Array(32).fill(7);
  expect(await provision(flash, { secret })).toBe('accepted');
  const record = await readRecord(flash.view('system'), 'factory');
  const { deviceKey = '' } = accepted(parseFactoryRecord(record ?? new Uint8Array()));
  expect(deviceIdOf(parseHex(deviceKey) ?? new Uint8Array())).toMatch(/^[0-9a-f]{64}$/);
  const kept = await readRecord(flash.view('boot-stage'), 'identity');
  expect(accepted(parseDeviceSecret(kept ?? new Uint8Array()))).toEqual(secret);
  await expect(readRecord(flash.view('system'), 'identity')).rejects.toThrow('system may not read identity');
  expect(encodeHex(record ?? new Uint8Array())).not.toContain(encodeHex(secret));
});
