/**
 * A confirmation: a device's signed word on how a release did, confirmed or failed.
 *
 * - The payload of a DSSE envelope of its own type, signed by a key of the device; `verify-confirmation.ts` holds it to that.
 * - It carries the boot statement of the start that it is about, whose evidence key signs it: what did not run confirms nothing.
 * - It names repository, plan, release and counters, so that no word about one rollout counts in another.
 * - `sequence` rises with every word of the device, `failures` counts all of its failed trials: none can be left out unseen.
 * - The receipt of a capsule counts the same, from a file (`receipt.ts`).
 * - Unknown members are refused. Specified in `docs/formats/confirmation.md`.
 */
import { encodeBase64 } from './bytes.ts';
import {
  base64Bytes,
  decodeJson,
  hexText,
  integer,
  literal,
  mapOf,
  object,
  oneOf,
  optional,
  refine,
  shape,
  text,
  type Decoder,
} from './decode.ts';
import { encodeJson } from './encode-json.ts';
import { encodeInstant, instantDecoder, type Instant } from './instant.ts';
import type { JsonValue } from './json.ts';
import { nameDecoder, segmentDecoder } from './names.ts';
import { COMPONENTS_MAX } from './release.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type Confirmation = {
  readonly product: string;
  /** SHA-256 of the file of root version 1, in hex. */
  readonly root: string;
  /** Digest of the plan; undefined where the release came without one. */
  readonly plan: string | undefined;
  readonly release: string;
  /** By component. */
  readonly securityCounters: ReadonlyMap<string, number>;
  readonly deviceId: string;
  readonly outcome: 'confirmed' | 'failed';
  /** Why it failed: a code of ours, or of a later version of ours. */
  readonly code: string | undefined;
  readonly sequence: number;
  readonly failures: number;
  /** Digest of further evidence of the boot that it is said from. */
  readonly evidence: string | undefined;
  /** The boot statement that names the key which signs this; undefined where the device's own key does. */
  readonly statement: Uint8Array | undefined;
  readonly at: Instant | undefined;
};

/** The DSSE payload type. */
export const CONFIRMATION_PAYLOAD_TYPE = 'application/vnd.firmament.confirmation+json';
export const CONFIRMATION_BYTES_MAX = 12_288;
const STATEMENT_BYTES_MAX = 8_192;

const confirmationDecoder: Decoder<Confirmation> = refine(
  object('refused', {
    version: literal(1),
    product: nameDecoder,
    root: hexText(32),
    plan: optional(hexText(32)),
    release: segmentDecoder,
    securityCounters: mapOf(nameDecoder, integer(0), COMPONENTS_MAX),
    deviceId: hexText(32),
    outcome: oneOf('confirmed', 'failed'),
    code: optional(text(64, /[A-Z][A-Z0-9_]*/)),
    sequence: integer(1),
    failures: integer(0),
    evidence: optional(hexText(32)),
    statement: optional(base64Bytes(STATEMENT_BYTES_MAX)),
    at: optional(instantDecoder),
  }),
  ({ version: _, ...confirmation }) => {
    const { outcome, code, failures } = confirmation;
    if ((outcome === 'failed') !== (code !== undefined)) return shape('.code: it stands where something failed');
    return outcome === 'failed' && failures === 0 ? shape('.failures: this failure counts') : accept(confirmation);
  },
);

/** Parses the payload of an envelope. */
export function parseConfirmation(payload: Uint8Array): Verdict<Confirmation, 'CONFIRMATION_MALFORMED'> {
  const confirmation = decodeJson(payload, CONFIRMATION_BYTES_MAX, confirmationDecoder);
  return confirmation.ok
    ? confirmation
    : reject('CONFIRMATION_MALFORMED', `${confirmation.code}: ${confirmation.detail}`);
}

/** The payload that a device signs. */
export function encodeConfirmation(confirmation: Confirmation): Uint8Array {
  const { at, securityCounters, statement, ...plain } = confirmation;
  const json = new Map<string, JsonValue>([
    ['version', 1],
    ['securityCounters', securityCounters],
  ]);
  for (const [name, value] of Object.entries(plain)) if (value !== undefined) json.set(name, value);
  if (statement !== undefined) json.set('statement', encodeBase64(statement));
  if (at !== undefined) json.set('at', encodeInstant(at));
  return encodeJson(json);
}
