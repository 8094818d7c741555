/**
 * The floors: the lowest values a device will ever accept again (rule R9), kept in its protected store.
 *
 * - Only the boot stage raises them, at a start, from verified metadata of a confirmed slot; nothing lowers them.
 * - The root is pinned by version *and* digest, so that keys retired below the floor cannot grow another chain to it.
 * - Channel versions are kept by channel, security counters by component; one that is not listed has the floor 0,
 *   which only provisioning can leave so, because floors are never removed.
 * - A store that cannot be read means recovery, never zero (rule R19).
 */
import { decodeJson, hexText, integer, literal, mapOf, object, refine, type Decoder } from './decode.ts';
import { encodeJson } from './encode-json.ts';
import type { JsonValue } from './json.ts';
import { nameDecoder } from './names.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type Floors = {
  readonly root: { readonly version: number; readonly sha256: string };
  readonly channelVersions: ReadonlyMap<string, number>;
  readonly securityCounters: ReadonlyMap<string, number>;
};

/** Room for `FLOORS_MAX` floors of either kind under the longest names: what is written can always be read back. */
export const FLOORS_BYTES_MAX = 4000;
/** A counter may rise by at most this much at once: one wrong release must not close the way for all that follow. */
export const COUNTER_JUMP_MAX = 16;
const FLOORS_MAX = 16;

const floorsDecoder: Decoder<Floors> = refine(
  object('refused', {
    version: literal(1),
    root: object('refused', { version: integer(1), sha256: hexText(32) }),
    channelVersions: mapOf(nameDecoder, integer(0), FLOORS_MAX),
    securityCounters: mapOf(nameDecoder, integer(0), FLOORS_MAX),
  }),
  ({ version: _, ...floors }) => accept(floors),
);

/** Parses the payload of the protected store's record. */
export function parseFloors(bytes: Uint8Array): Verdict<Floors, 'PROTECTED_STORE_MISSING'> {
  const floors = decodeJson(bytes, FLOORS_BYTES_MAX, floorsDecoder);
  return floors.ok ? floors : reject('PROTECTED_STORE_MISSING', `${floors.code}: ${floors.detail}`);
}

/** The payload of the protected store's record. */
export function encodeFloors(floors: Floors): Uint8Array {
  return encodeJson(
    new Map<string, JsonValue>([
      ['version', 1],
      [
        'root',
        new Map<string, JsonValue>([
          ['version', floors.root.version],
          ['sha256', floors.root.sha256],
        ]),
      ],
      ['channelVersions', floors.channelVersions],
      ['securityCounters', floors.securityCounters],
    ]),
  );
}

/** The floors raised to at least the values of a permitted release; equal floors mean that nothing has to be written. */
export function raiseFloors(
  floors: Floors,
  reached: {
    readonly root: { readonly version: number; readonly sha256: string };
    readonly channel: { readonly name: string; readonly version: number };
    readonly components: readonly { readonly component: string; readonly securityCounter: number }[];
  },
): Floors {
  return {
    root: reached.root.version > floors.root.version ? reached.root : floors.root,
    channelVersions: raised(floors.channelVersions, reached.channel.name, reached.channel.version),
    securityCounters: reached.components.reduce(
      (counters, { component, securityCounter }) => raised(counters, component, securityCounter),
      floors.securityCounters,
    ),
  };
}

function raised(floors: ReadonlyMap<string, number>, name: string, value: number): ReadonlyMap<string, number> {
  return new Map([...floors, [name, Math.max(floors.get(name) ?? 0, value)]]);
}
