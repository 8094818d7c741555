/**
 * What a device keeps of its own words: the last one said, whether it still has to be sent, and the counts that every word carries.
 *
 * - One record; a newer word replaces one that was not sent, for it carries all failures so far.
 * - A record that is lost costs no vote: the next sequence begins at the seconds of the device's clock, above all that came before.
 */
import { encodeBase64 } from './bytes.ts';
import {
  base64Bytes,
  decodeJson,
  hexText,
  integer,
  literal,
  object,
  optional,
  refine,
  text,
  type Decoder,
} from './decode.ts';
import { encodeJson } from './encode-json.ts';
import type { JsonValue } from './json.ts';
import { accept } from './verdict.ts';

export type ReportRecord = {
  readonly sequence: number;
  readonly failures: number;
  /** What was said last: the plan's digest, or that of the images, and the outcome. */
  readonly said: string;
  /** What was last said to be confirmed: the plan's digest, or that of the images; a failure after it does not take it away. */
  readonly confirmed?: string | undefined;
  /** The envelope that is still to be sent. */
  readonly pending: Uint8Array | undefined;
};

const REPORT_RECORD_BYTES_MAX = 32_768;
const PENDING_BYTES_MAX = 20_000;

const recordDecoder: Decoder<ReportRecord> = refine(
  object('refused', {
    version: literal(1),
    sequence: integer(1),
    failures: integer(0),
    said: text(80, /[0-9a-f]{64} (confirmed|failed)/),
    confirmed: optional(hexText(32)),
    pending: optional(base64Bytes(PENDING_BYTES_MAX)),
  }),
  ({ version: _, ...record }) => accept(record),
);

/** What was kept, or undefined if the record says nothing readable. */
export function parseReportRecord(bytes: Uint8Array): ReportRecord | undefined {
  const record = decodeJson(bytes, REPORT_RECORD_BYTES_MAX, recordDecoder);
  return record.ok ? record.value : undefined;
}

/** The bytes of the record. */
export function encodeReportRecord({ sequence, failures, said, confirmed, pending }: ReportRecord): Uint8Array {
  const members = new Map<string, JsonValue>([
    ['version', 1],
    ['sequence', sequence],
    ['failures', failures],
    ['said', said],
  ]);
  if (confirmed !== undefined) members.set('confirmed', confirmed);
  if (pending !== undefined) members.set('pending', encodeBase64(pending));
  return encodeJson(members);
}
