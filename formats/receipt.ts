/**
 * A device's receipt: its signed answer to a file that was carried to it, which travels back as a file (rule R14).
 *
 * - The payload of a DSSE envelope of its own type. It parses and encodes here; `verify-receipt.ts` holds it to its rules.
 * - It carries the boot statement of the start that it speaks of, whose evidence key signs it: what did not run has no receipt.
 * - `confirmed` and `failed` are what a trial came to, and count as a confirmation of the same device; `refused` is said of a file that
 *   the device did not take, by what runs on, and counts as nothing.
 * - It names repository, plan, channel, release, and every image with its counter: no word about one rollout counts in another.
 * - Unknown members are refused. Specified in `docs/formats/receipt.md`.
 */
import { encodeBase64 } from './bytes.ts';
import { measuredComponentsDecoder, measuredComponentsToJson, type MeasuredComponent } from './boot-statement.ts';
import {
  base64Bytes,
  decodeJson,
  hexText,
  integer,
  literal,
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
import { accept, reject, type Verdict } from './verdict.ts';

export type Receipt = {
  readonly product: string;
  /** SHA-256 of the file of root version 1, in hex. */
  readonly root: string;
  readonly deviceId: string;
  /** The channel that the device follows, in the version that it acted on. */
  readonly channel: string;
  readonly channelVersion: number;
  /** Digest of the plan under which the release was taken; undefined where there was none. */
  readonly plan: string | undefined;
  /** What was tried; where a file was refused, what runs on. */
  readonly release: string;
  /** All images of it on this device, in the order of installation. */
  readonly components: readonly MeasuredComponent[];
  readonly outcome: 'confirmed' | 'failed' | 'refused';
  /** Why it failed or was refused: a code of ours, or of a later version of ours. */
  readonly code: string | undefined;
  /** SHA-256 of the file that was refused, in hex. */
  readonly capsule: string | undefined;
  /** Rises with every word of the device. */
  readonly sequence: number;
  /** Failed trials of this device so far. */
  readonly failures: number;
  /** The boot statement that names the key which signs this. */
  readonly statement: Uint8Array;
  /** By the device's own clock. */
  readonly at: Instant | undefined;
};

/** The DSSE payload type. */
export const RECEIPT_PAYLOAD_TYPE = 'application/vnd.firmament.receipt+json';
/** The longest file: an envelope around the longest payload. */
export const RECEIPT_FILE_BYTES_MAX = 20_000;
export const RECEIPT_BYTES_MAX = 12_288;
const STATEMENT_BYTES_MAX = 8_192;

const receiptDecoder: Decoder<Receipt> = refine(
  object('refused', {
    version: literal(1),
    product: nameDecoder,
    root: hexText(32),
    deviceId: hexText(32),
    channel: nameDecoder,
    channelVersion: integer(1),
    plan: optional(hexText(32)),
    release: segmentDecoder,
    components: measuredComponentsDecoder,
    outcome: oneOf('confirmed', 'failed', 'refused'),
    code: optional(text(64, /[A-Z][A-Z0-9_]*/)),
    capsule: optional(hexText(32)),
    sequence: integer(1),
    failures: integer(0),
    statement: base64Bytes(STATEMENT_BYTES_MAX),
    at: optional(instantDecoder),
  }),
  ({ version: _, ...receipt }) => {
    const { outcome, code, capsule, failures } = receipt;
    if ((outcome === 'confirmed') !== (code === undefined)) return shape('.code: it stands where something went wrong');
    if ((outcome === 'refused') !== (capsule !== undefined))
      return shape('.capsule: it stands where a file was refused');
    return outcome === 'failed' && failures === 0 ? shape('.failures: this failure counts') : accept(receipt);
  },
);

/** Parses the payload of an envelope. */
export function parseReceipt(payload: Uint8Array): Verdict<Receipt, 'RECEIPT_MALFORMED'> {
  const receipt = decodeJson(payload, RECEIPT_BYTES_MAX, receiptDecoder);
  return receipt.ok ? receipt : reject('RECEIPT_MALFORMED', `${receipt.code}: ${receipt.detail}`);
}

/** The payload that a device signs. */
export function encodeReceipt({ components, statement, at, ...plain }: Receipt): Uint8Array {
  const json = new Map<string, JsonValue>([
    ['version', 1],
    ['components', measuredComponentsToJson(components)],
    ['statement', encodeBase64(statement)],
  ]);
  for (const [name, value] of Object.entries(plain)) if (value !== undefined) json.set(name, value);
  if (at !== undefined) json.set('at', encodeInstant(at));
  return encodeJson(json);
}
