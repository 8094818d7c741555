/** P4: what the signer remembers of a device's identities outlasts whatever a carrier of its requests does. */
import { expect, test } from 'vitest';
import {
  encodeDeviceIdentities,
  followedBy,
  IDENTITIES_BYTES_MAX,
  noIdentities,
  parseDeviceIdentities,
  stepIssued,
  useIdentity,
  type DeviceIdentities,
  type IssuedIdentity,
} from '../../../signer/identity/device-identities.ts';
import { accepted } from '../../accepted.ts';

const NOW = Date.UTC(2026, 0, 1);
const hex = (n: number): string => n.toString(16).padStart(64, '0');
const identity = (n: number, key = n): IssuedIdentity => ({
  ...{ certificate: hex(n), publicKey: hex(key), notAfter: NOW + 1_000 },
});
const NO_COUNTERS = new Map<string, number>();
/** More than are remembered of either kind. */
const LOST = 40;

/** `device` after `issued` was issued to follow what it has. */
function issue(device: DeviceIdentities, issued: IssuedIdentity): DeviceIdentities {
  return stepIssued(device, issued, { followed: device.current?.certificate, securityCounters: NO_COUNTERS });
}

test('however many answers a carrier loses, a copy that follows an identity of before is seen', () => {
  let device = accepted(useIdentity(issue(noIdentities(hex(0)), identity(1)), hex(1)));
  device = accepted(useIdentity(issue(device, identity(2)), hex(2)));
  // The device asks again and again for one key, and each answer is lost.
  for (let n = 3; n < 3 + LOST; n++) device = issue(device, identity(n, 3));
  const copy = { purpose: 'rotate', predecessor: hex(1), publicKey: hex(99) } as const;
  expect(followedBy(device, copy, NOW)).toMatchObject({ ok: true, value: { isFork: true } });
});

test('however often a device has rotated, the answers that it may still get to one key are known', () => {
  let device = noIdentities(hex(0));
  for (let n = 1; n < LOST; n++) device = accepted(useIdentity(issue(device, identity(n)), hex(n)));
  for (const n of [100, 101, 102]) device = issue(device, identity(n, 100));
  for (const n of [100, 101, 102]) expect(accepted(useIdentity(device, hex(n))).current?.certificate).toBe(hex(n));
});

test('what is remembered is bounded, and is read as it was written', () => {
  let device = noIdentities(hex(0));
  for (let n = 1; n < LOST; n++) {
    device = accepted(useIdentity(issue(issue(device, identity(2 * n, n)), identity(2 * n + 1, n)), hex(2 * n + 1)));
  }
  const bytes = encodeDeviceIdentities(device);
  expect(bytes.length).toBeLessThan(IDENTITIES_BYTES_MAX / 2);
  expect(accepted(parseDeviceIdentities(bytes))).toEqual(device);
});
