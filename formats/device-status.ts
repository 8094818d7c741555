/**
 * What a device tells of itself when it is asked: enough to decide for it, elsewhere, as it would decide itself.
 *
 * - Its factory record and its floors as they lie on flash, what it runs, and what has failed its trial there; no secret.
 * - It is under no signature: it explains, and nothing is decided by it that would have an effect.
 * - Unknown members are refused. Specified in `docs/formats/device-status.md`.
 */
import { FAILED_MAX } from './boot-state.ts';
import { encodeBase64 } from './bytes.ts';
import { base64Bytes, decodeJson, hexText, list, literal, object, optional, refine, type Decoder } from './decode.ts';
import { encodeJson } from './encode-json.ts';
import { FACTORY_BYTES_MAX } from './factory-record.ts';
import { FLOORS_BYTES_MAX } from './floors.ts';
import type { JsonValue } from './json.ts';
import { firmwareVersionDecoder, segmentDecoder } from './names.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type DeviceRuns = {
  readonly release: string;
  /** Of its main component. */
  readonly firmwareVersion: string;
  /** Names all its images on this device at once. */
  readonly imagesSha256: string;
};
export type DeviceStatus = {
  /** The payloads of the two records. */
  readonly factory: Uint8Array;
  readonly floors: Uint8Array;
  /** Undefined where no slot passes. */
  readonly runs: DeviceRuns | undefined;
  readonly failed: readonly string[];
};

const STATUS_BYTES_MAX = 1_500_000;

const statusDecoder: Decoder<DeviceStatus> = refine(
  object('refused', {
    version: literal(1),
    factory: base64Bytes(FACTORY_BYTES_MAX),
    floors: base64Bytes(FLOORS_BYTES_MAX),
    runs: optional(
      object('refused', {
        release: segmentDecoder,
        firmwareVersion: firmwareVersionDecoder,
        imagesSha256: hexText(32),
      }),
    ),
    failed: list(hexText(32), FAILED_MAX),
  }),
  ({ version: _, ...status }) => accept(status),
);

/** Parses what a device has told of itself. */
export function parseDeviceStatus(bytes: Uint8Array): Verdict<DeviceStatus, 'DEVICE_STATUS_MALFORMED'> {
  const status = decodeJson(bytes, STATUS_BYTES_MAX, statusDecoder);
  return status.ok ? status : reject('DEVICE_STATUS_MALFORMED', `${status.code}: ${status.detail}`);
}

/** What a device tells of itself, as bytes. */
export function encodeDeviceStatus({ factory, floors, runs, failed }: DeviceStatus): Uint8Array {
  const members: [string, JsonValue][] = [
    ['version', 1],
    ['factory', encodeBase64(factory)],
    ['floors', encodeBase64(floors)],
    ['failed', failed],
  ];
  if (runs !== undefined) members.push(['runs', new Map(Object.entries(runs))]);
  return encodeJson(new Map(members));
}
