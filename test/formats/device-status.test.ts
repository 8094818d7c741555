/** What a device tells of itself: as the document says, or refused. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { equalBytes, encodeUtf8 } from '../../formats/bytes.ts';
import { FAILED_MAX } from '../../formats/boot-state.ts';
import { encodeDeviceStatus, parseDeviceStatus, type DeviceStatus } from '../../formats/device-status.ts';

const VECTOR = new URL('../vectors/device-status/status.json', import.meta.url);
const REFUSED = new URL('../vectors/device-status/refused.json', import.meta.url);

/** The status of the vector. */
const SAMPLE_STATUS: DeviceStatus = {
  factory: encodeUtf8('{"factory":1}'),
  floors: encodeUtf8('{"floors":1}'),
  runs: { release: '1.0.0', firmwareVersion: '1.0.0', imagesSha256: 'ab'.repeat(32) },
  failed: ['cd'.repeat(32)],
};

test('the status of the document is written by the encoder, byte for byte, and read as it was written', () => {
  const bytes = readFileSync(VECTOR);
  expect(equalBytes(encodeDeviceStatus(SAMPLE_STATUS), bytes)).toBe(true);
  expect(parseDeviceStatus(bytes)).toEqual({ ok: true, value: SAMPLE_STATUS });
  const bare = { ...SAMPLE_STATUS, runs: undefined, failed: [] };
  expect(parseDeviceStatus(encodeDeviceStatus(bare))).toEqual({ ok: true, value: bare });
});

test('no other file is taken for a status', () => {
  const refused = JSON.parse(readFileSync(REFUSED, 'utf8')) as readonly {
    readonly says: string;
    readonly text: string;
  }[];
  expect(refused.length).toBeGreaterThan(3);
  for (const { says, text } of refused) {
    expect(parseDeviceStatus(encodeUtf8(text)), says).toMatchObject({ ok: false, code: 'DEVICE_STATUS_MALFORMED' });
  }
  const failed = (count: number): DeviceStatus => ({
    ...SAMPLE_STATUS,
    failed: Array.from({ length: count }, () => 'cd'.repeat(32)),
  });
  expect(parseDeviceStatus(encodeDeviceStatus(failed(FAILED_MAX))).ok).toBe(true);
  expect(parseDeviceStatus(encodeDeviceStatus(failed(FAILED_MAX + 1))).ok).toBe(false);
});
