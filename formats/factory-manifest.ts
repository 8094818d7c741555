/**
 * The factory's manifest: the devices that a station has made, each by its key, signed by the factory (rules R7 and R27).
 *
 * - The payload of a DSSE envelope of its own type; it names its repository, so that no device is carried into another product.
 * - A device's id is the digest of its key, and must be: a station assigns no names.
 * - `class` is what stands behind the device's key: `proven` a hardware root, `claimed` nothing but software.
 * - Unknown members are refused. Specified in `docs/formats/identity.md`.
 */
import { parseHex } from './bytes.ts';
import { decodeJson, hexText, list, literal, object, oneOf, refine, shape, type Decoder } from './decode.ts';
import { DEVICE_KEY_BYTES, deviceIdOf } from './device-id.ts';
import { encodeJson } from './encode-json.ts';
import type { DeviceComponent } from './factory-record.ts';
import type { JsonValue } from './json.ts';
import { nameDecoder } from './names.ts';
import { COMPONENTS_MAX } from './release.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type DeviceClass = 'claimed' | 'proven';
export type ManifestDevice = {
  readonly deviceId: string;
  /** Its factory key, Ed25519, in hex. */
  readonly publicKey: string;
  readonly class: DeviceClass;
  /** What it is made of, and of which hardware. */
  readonly components: readonly Pick<DeviceComponent, 'component' | 'hardwareId'>[];
};
export type FactoryManifest = {
  readonly product: string;
  /** SHA-256 of the file of root version 1, in hex. */
  readonly root: string;
  /** The factory's id, as the targets role lists it. */
  readonly factory: string;
  /** Names this manifest among those of the factory. */
  readonly batch: string;
  readonly devices: readonly ManifestDevice[];
};

/** The DSSE payload type. */
export const MANIFEST_PAYLOAD_TYPE = 'application/vnd.firmament.factory-manifest+json';
const MANIFEST_BYTES_MAX = 256_000;
export const MANIFEST_DEVICES_MAX = 800;

const deviceDecoder: Decoder<ManifestDevice> = refine(
  object('refused', {
    deviceId: hexText(32),
    publicKey: hexText(DEVICE_KEY_BYTES),
    class: oneOf('claimed', 'proven'),
    components: list(object('refused', { component: nameDecoder, hardwareId: nameDecoder }), COMPONENTS_MAX, 1),
  }),
  (device) =>
    deviceIdOf(parseHex(device.publicKey) ?? new Uint8Array()) === device.deviceId
      ? accept(device)
      : shape('.deviceId: it is not the digest of the key'),
);

const manifestDecoder: Decoder<FactoryManifest> = refine(
  object('refused', {
    version: literal(1),
    product: nameDecoder,
    root: hexText(32),
    factory: nameDecoder,
    batch: nameDecoder,
    devices: list(deviceDecoder, MANIFEST_DEVICES_MAX, 1),
  }),
  ({ version: _, ...manifest }) =>
    new Set(manifest.devices.map(({ deviceId }) => deviceId)).size === manifest.devices.length
      ? accept(manifest)
      : shape('.devices: a device stands twice'),
);

/** Parses the payload of a manifest's envelope. */
export function parseFactoryManifest(payload: Uint8Array): Verdict<FactoryManifest, 'MANIFEST_MALFORMED'> {
  const manifest = decodeJson(payload, MANIFEST_BYTES_MAX, manifestDecoder);
  return manifest.ok ? manifest : reject('MANIFEST_MALFORMED', `${manifest.code}: ${manifest.detail}`);
}

/** The payload that a factory signs. */
export function encodeFactoryManifest(manifest: FactoryManifest): Uint8Array {
  const { devices, ...members } = manifest;
  const device = ({ components, ...named }: ManifestDevice): JsonValue =>
    new Map<string, JsonValue>([
      ...Object.entries(named),
      ['components', components.map((component) => new Map<string, JsonValue>(Object.entries(component)))],
    ]);
  return encodeJson(
    new Map<string, JsonValue>([['version', 1], ...Object.entries(members), ['devices', devices.map(device)]]),
  );
}
