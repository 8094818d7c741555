/** What a device says of itself, for tests: the same index gives the same device. */
import { encodeUtf8 } from '../../formats/bytes.ts';
import type { DeviceState } from '../../formats/device-state.ts';
import { sha256Hex } from '../../formats/sha256.ts';

/** The state of device `index`. */
export function sampleState(index: number): DeviceState {
  return {
    product: 'gateway',
    deviceId: sha256Hex(encodeUtf8(`device ${index}`)),
    name: `gateway ${index}`,
    release: '2.0.0',
    firmwareVersion: '2.0.0',
    slot: 'b',
    identity: sha256Hex(encodeUtf8(`identity ${index}`)),
    identityExpires: Date.UTC(2026, 0, 2),
    code: 'METADATA_EXPIRED',
  };
}
