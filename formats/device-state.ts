/**
 * What a device says of itself, for its operator: which release runs, in which slot, under which identity, what it refused last.
 *
 * - Hearsay: nothing signs it and nothing is decided by it. It fills an inventory, and whoever reads that must not believe it.
 * - Every member has a limit, and is printable ASCII: what a stranger sends stands in a table and on a terminal later.
 * - Specified in `docs/formats/device-state.md`.
 */
import { decodeJson, hexText, literal, object, oneOf, optional, refine, text, type Decoder } from './decode.ts';
import { encodeJson } from './encode-json.ts';
import { encodeInstant, instantDecoder, type Instant } from './instant.ts';
import type { JsonValue } from './json.ts';
import { nameDecoder, segmentDecoder } from './names.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type DeviceState = {
  readonly product: string;
  readonly deviceId: string;
  /** As its operator calls it. */
  readonly name: string;
  readonly release: string;
  readonly firmwareVersion: string;
  readonly slot: 'a' | 'b';
  /** SHA-256 of the certificate that it uses, in hex, and its end; undefined where it has none. */
  readonly identity: string | undefined;
  readonly identityExpires: Instant | undefined;
  /** The code of its last poll, if that was a refusal. */
  readonly code: string | undefined;
};

export const DEVICE_STATE_TYPE = 'application/vnd.firmament.device-state+json';
export const DEVICE_STATE_BYTES_MAX = 2_048;
const NAME_LENGTH_MAX = 64;
const PRINTABLE = /[\x20-\x7e]+/;
const CODE = /[A-Z][A-Z0-9_]{0,63}/;

const stateDecoder: Decoder<DeviceState> = refine(
  object('refused', {
    version: literal(1),
    product: nameDecoder,
    deviceId: hexText(32),
    name: text(NAME_LENGTH_MAX, PRINTABLE),
    release: segmentDecoder,
    firmwareVersion: text(NAME_LENGTH_MAX, PRINTABLE),
    slot: oneOf('a', 'b'),
    identity: optional(hexText(32)),
    identityExpires: optional(instantDecoder),
    code: optional(text(NAME_LENGTH_MAX, CODE)),
  }),
  ({ version: _, ...state }) => accept(state),
);

/** Parses what a device says of itself. */
export function parseDeviceState(bytes: Uint8Array): Verdict<DeviceState, 'DEVICE_STATE_MALFORMED'> {
  const state = decodeJson(bytes, DEVICE_STATE_BYTES_MAX, stateDecoder);
  return state.ok ? state : reject('DEVICE_STATE_MALFORMED', `${state.code}: ${state.detail}`);
}

/** The bytes of `state`. */
export function encodeDeviceState(state: DeviceState): Uint8Array {
  const { identity, identityExpires, code } = state;
  const members = new Map<string, JsonValue>([
    ['version', 1],
    ['product', state.product],
    ['deviceId', state.deviceId],
    ['name', state.name],
    ['release', state.release],
    ['firmwareVersion', state.firmwareVersion],
    ['slot', state.slot],
  ]);
  if (identity !== undefined) members.set('identity', identity);
  if (identityExpires !== undefined) members.set('identityExpires', encodeInstant(identityExpires));
  if (code !== undefined) members.set('code', code);
  return encodeJson(members);
}
