/**
 * What a device keeps on flash about its slots: which is good, which is on trial, what the system has confirmed.
 *
 * - Written by both the boot stage and the system; it is *not* trusted: it can only choose among slots that pass the boot check.
 * - A trial is started at most `TRIAL_STARTS_MAX` times without confirmation, then reverted.
 * - `failed` remembers the releases that lost their trial, by their images, so that a device does not try them for ever.
 * - Specified in `docs/formats/flash.md`.
 */
import {
  decodeJson,
  hexText,
  integer,
  list,
  literal,
  object,
  oneOf,
  optional,
  refine,
  type Decoder,
} from './decode.ts';
import { encodeJson } from './encode-json.ts';
import { encodeInstant, instantDecoder, type Instant } from './instant.ts';
import type { JsonValue } from './json.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type SlotId = 'a' | 'b';

export type BootState = {
  /** The slot that is started when nothing is on trial; undefined until a first image was confirmed. */
  readonly good: SlotId | undefined;
  readonly trial:
    | {
        readonly slot: SlotId;
        readonly starts: number;
        /** When its wave closes again: only the first start must come before. */
        readonly leaseEnds?: Instant | undefined;
      }
    | undefined;
  /** The system's word that the slot on trial works; the boot stage acts on it at the next start. */
  readonly confirmed: SlotId | undefined;
  /** The digests that name the images of releases that failed their trial here, newest last. */
  readonly failed: readonly string[];
};

export const TRIAL_STARTS_MAX = 3;
export const FAILED_MAX = 8;
export const BOOT_STATE_BYTES_MAX = 2048;

/** The state of a device that was never installed. */
export const BOOT_STATE_EMPTY: BootState = { good: undefined, trial: undefined, confirmed: undefined, failed: [] };

const slotDecoder: Decoder<SlotId> = oneOf('a', 'b');

const bootStateDecoder: Decoder<BootState> = refine(
  object('refused', {
    version: literal(1),
    good: optional(slotDecoder),
    trial: optional(
      object('refused', {
        slot: slotDecoder,
        starts: integer(0, TRIAL_STARTS_MAX),
        leaseEnds: optional(instantDecoder),
      }),
    ),
    confirmed: optional(slotDecoder),
    failed: list(hexText(32), FAILED_MAX),
  }),
  ({ version: _, ...state }) => accept(state),
);

/** Parses the payload of a boot state record. */
export function parseBootState(bytes: Uint8Array): Verdict<BootState, 'BOOT_STATE_MALFORMED'> {
  const state = decodeJson(bytes, BOOT_STATE_BYTES_MAX, bootStateDecoder);
  return state.ok ? state : reject('BOOT_STATE_MALFORMED', `${state.code}: ${state.detail}`);
}

/** The payload of a boot state record. */
export function encodeBootState(state: BootState): Uint8Array {
  const members = new Map<string, JsonValue>([
    ['version', 1],
    ['failed', state.failed],
  ]);
  if (state.good !== undefined) members.set('good', state.good);
  if (state.confirmed !== undefined) members.set('confirmed', state.confirmed);
  if (state.trial !== undefined) {
    const { slot, starts, leaseEnds } = state.trial;
    const trial = new Map<string, JsonValue>([
      ['slot', slot],
      ['starts', starts],
    ]);
    if (leaseEnds !== undefined) trial.set('leaseEnds', encodeInstant(leaseEnds));
    members.set('trial', trial);
  }
  return encodeJson(members);
}

/** The other slot. */
export function otherSlot(slot: SlotId): SlotId {
  return slot === 'a' ? 'b' : 'a';
}
