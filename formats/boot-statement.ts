/**
 * The boot statement: what the boot stage measured and started, signed by the device's factory key, with the key it made for that.
 *
 * - It certifies `evidenceKey`, which is derived from the device's secret and from all that stands here (Open DICE): what was
 *   started otherwise has another key, and cannot sign evidence of this start.
 * - It is said before the image runs; the system cannot make one, for the secret is closed by then.
 * - `mode` is `trial` until a slot was confirmed and has passed once more (rule R17).
 * - Unknown members are refused. Specified in `docs/formats/identity.md`.
 */
import { decodeJson, hexText, integer, list, literal, object, oneOf, refine, type Decoder } from './decode.ts';
import { DEVICE_KEY_BYTES } from './device-id.ts';
import { encodeJson } from './encode-json.ts';
import type { JsonValue } from './json.ts';
import { firmwareVersionDecoder, nameDecoder, segmentDecoder } from './names.ts';
import { COMPONENTS_MAX } from './release.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type MeasuredComponent = {
  readonly component: string;
  readonly firmwareVersion: string;
  readonly securityCounter: number;
  /** SHA-256 of its image, in hex. */
  readonly image: string;
};

/** What was started, and from where. */
export type MeasuredBoot = {
  readonly product: string;
  /** SHA-256 of the file of root version 1, in hex. */
  readonly root: string;
  readonly deviceId: string;
  readonly release: string;
  /** All components of the release on this device, in the order of installation. */
  readonly components: readonly MeasuredComponent[];
  readonly channel: string;
  readonly channelVersion: number;
  readonly slot: 'a' | 'b';
  readonly mode: 'trial' | 'normal';
};
export type BootStatement = MeasuredBoot & {
  /** Public key of the evidence of this start, Ed25519, in hex. */
  readonly evidenceKey: string;
};

/** The DSSE payload type. */
export const BOOT_STATEMENT_PAYLOAD_TYPE = 'application/vnd.firmament.boot-statement+json';
const BOOT_STATEMENT_BYTES_MAX = 4_096;

const componentDecoder: Decoder<MeasuredComponent> = object('refused', {
  component: nameDecoder,
  firmwareVersion: firmwareVersionDecoder,
  securityCounter: integer(0),
  image: hexText(32),
});

/** All components that were measured, in the order of installation. */
export const measuredComponentsDecoder: Decoder<readonly MeasuredComponent[]> = list(
  componentDecoder,
  COMPONENTS_MAX,
  1,
);

const statementDecoder: Decoder<BootStatement> = refine(
  object('refused', {
    version: literal(1),
    product: nameDecoder,
    root: hexText(32),
    deviceId: hexText(32),
    release: segmentDecoder,
    components: measuredComponentsDecoder,
    channel: nameDecoder,
    channelVersion: integer(1),
    slot: oneOf('a', 'b'),
    mode: oneOf('trial', 'normal'),
    evidenceKey: hexText(DEVICE_KEY_BYTES),
  }),
  ({ version: _, ...statement }) => accept(statement),
);

/** Parses the payload of a boot statement's envelope. */
export function parseBootStatement(payload: Uint8Array): Verdict<BootStatement, 'EVIDENCE_MALFORMED'> {
  const statement = decodeJson(payload, BOOT_STATEMENT_BYTES_MAX, statementDecoder);
  return statement.ok
    ? statement
    : reject('EVIDENCE_MALFORMED', `boot statement: ${statement.code}: ${statement.detail}`);
}

/** The payload that the boot stage signs. */
export function encodeBootStatement(statement: BootStatement): Uint8Array {
  return encodeJson(measuredToJson(statement).set('evidenceKey', statement.evidenceKey));
}

/** What is measured as the configuration of the started layer: everything but the key that comes of it. */
export function encodeMeasuredBoot(boot: MeasuredBoot): Uint8Array {
  return encodeJson(measuredToJson(boot));
}

/** The list of components, as it stands in JSON. */
export function measuredComponentsToJson(components: readonly MeasuredComponent[]): JsonValue {
  return components.map((component) => new Map<string, JsonValue>(Object.entries(component)));
}

function measuredToJson(boot: MeasuredBoot): Map<string, JsonValue> {
  return new Map<string, JsonValue>([
    ['version', 1],
    ['product', boot.product],
    ['root', boot.root],
    ['deviceId', boot.deviceId],
    ['release', boot.release],
    ['components', measuredComponentsToJson(boot.components)],
    ['channel', boot.channel],
    ['channelVersion', boot.channelVersion],
    ['slot', boot.slot],
    ['mode', boot.mode],
  ]);
}
