/**
 * What the factory writes once: what this device is, and the root it trusts.
 *
 * - Immutable after provisioning; a real device keeps it where the system cannot write.
 * - A device has 1 to 8 components, each once; exactly one of them, the main one, is what the boot stage starts from a slot.
 *   All others are brought to life by transfer to their own flash.
 * - `root` is the file of root version 1, whose SHA-256 names the repository (rule R1).
 * - `deviceKey` names the device (`device-id.ts`); the secret behind it lies where only the boot stage reads. A device of the first
 *   generation has neither.
 * - Specified in `docs/formats/flash.md`.
 */
import { encodeBase64 } from './bytes.ts';
import {
  base64Bytes,
  decodeJson,
  hexText,
  list,
  literal,
  object,
  optional,
  refine,
  shape,
  type Decoder,
} from './decode.ts';
import { DEVICE_KEY_BYTES } from './device-id.ts';
import { encodeJson } from './encode-json.ts';
import type { RepositoryId } from './binding.ts';
import type { JsonValue } from './json.ts';
import { nameDecoder } from './names.ts';
import { COMPONENTS_MAX, installerDecoder, type Installer } from './release.ts';
import { sha256Hex } from './sha256.ts';
import { ROOT_BYTES_MAX } from './tuf-root.ts';
import { accept, reject, type Verdict } from './verdict.ts';

/** A part of the device that has an image of its own. */
export type DeviceComponent = {
  readonly component: string;
  readonly hardwareId: string;
  readonly installer: Installer;
};

export type FactoryRecord = {
  readonly product: string;
  readonly components: readonly DeviceComponent[];
  readonly channelName: string;
  /** The file of root version 1. */
  readonly root: Uint8Array;
  /** The device's factory key: an Ed25519 public key in hex. */
  readonly deviceKey?: string | undefined;
};

export const FACTORY_BYTES_MAX = 1_000_000;

const componentDecoder: Decoder<DeviceComponent> = object('refused', {
  component: nameDecoder,
  hardwareId: nameDecoder,
  installer: installerDecoder,
});

const componentsDecoder: Decoder<readonly DeviceComponent[]> = refine(
  list(componentDecoder, COMPONENTS_MAX, 1),
  (components) => {
    const names = new Set(components.map(({ component }) => component));
    if (names.size < components.length) return shape('a component stands twice');
    const mains = components.filter(({ installer }) => installer === 'slot');
    return mains.length === 1 ? accept(components) : shape('exactly one component of installer slot is expected');
  },
);

const factoryDecoder: Decoder<FactoryRecord> = refine(
  object('refused', {
    version: literal(1),
    product: nameDecoder,
    components: componentsDecoder,
    channelName: nameDecoder,
    root: base64Bytes(ROOT_BYTES_MAX),
    deviceKey: optional(hexText(DEVICE_KEY_BYTES)),
  }),
  ({ version: _, ...record }) => accept(record),
);

/** Parses the factory record. A device without one cannot verify anything: it needs recovery. */
export function parseFactoryRecord(bytes: Uint8Array): Verdict<FactoryRecord, 'PROTECTED_STORE_MISSING'> {
  const record = decodeJson(bytes, FACTORY_BYTES_MAX, factoryDecoder);
  return record.ok ? record : reject('PROTECTED_STORE_MISSING', `factory record: ${record.code}: ${record.detail}`);
}

/** The bytes of the factory record. */
export function encodeFactoryRecord(record: FactoryRecord): Uint8Array {
  return encodeJson(
    new Map<string, JsonValue>([
      ['version', 1],
      ['product', record.product],
      ['components', record.components.map(componentToJson)],
      ['channelName', record.channelName],
      ['root', encodeBase64(record.root)],
      ...(record.deviceKey === undefined ? [] : ([['deviceKey', record.deviceKey]] as const)),
    ]),
  );
}

function componentToJson({ component, hardwareId, installer }: DeviceComponent): JsonValue {
  return new Map([
    ['component', component],
    ['hardwareId', hardwareId],
    ['installer', installer],
  ]);
}

/** The repository that the device belongs to. */
export function repositoryOf(record: Pick<FactoryRecord, 'product' | 'root'>): RepositoryId {
  return { product: record.product, rootOneSha256: sha256Hex(record.root) };
}
