/**
 * A record on flash: framed so that a write torn by a power cut is never mistaken for a whole one.
 *
 * - `"FMR1"`, sequence (8 bytes, big endian), length (4 bytes, big endian), SHA-256 of sequence, length and payload, payload.
 * - A region holds two records, at offset 0 and at half its size; the writer always overwrites the older one, so a whole
 *   record remains whatever happens to the write. The reader takes the whole record of the higher sequence.
 * - The digest finds damage, not forgery: what a record says is verified by whoever reads it.
 * - Specified in `docs/formats/flash.md`.
 */
import { concatBytes, encodeUtf8, equalBytes } from './bytes.ts';
import { sha256Bytes } from './sha256.ts';

export const RECORD_HEADER_BYTES = 48;
const MAGIC = encodeUtf8('FMR1');

export type FlashRecord = { readonly sequence: number; readonly payload: Uint8Array };

/** The bytes of a record. */
export function encodeRecord(record: FlashRecord): Uint8Array {
  const head = recordHead(record.sequence, record.payload.length);
  return concatBytes(MAGIC, head, sha256Bytes(concatBytes(head, record.payload)), record.payload);
}

/** Length of the payload that the header in `bytes` announces, or undefined if there is no header or it exceeds `payloadMax`. */
export function recordPayloadLength(bytes: Uint8Array, payloadMax: number): number | undefined {
  if (bytes.length < RECORD_HEADER_BYTES || !equalBytes(bytes.subarray(0, 4), MAGIC)) return undefined;
  const length = readInteger(bytes.subarray(12, 16));
  return length <= payloadMax ? length : undefined;
}

/** The whole record at the start of `bytes`, or undefined if there is none. */
export function parseRecord(bytes: Uint8Array): FlashRecord | undefined {
  const length = recordPayloadLength(bytes, bytes.length - RECORD_HEADER_BYTES);
  if (length === undefined) return undefined;
  const payload = bytes.slice(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + length);
  const sequence = readInteger(bytes.subarray(4, 12));
  if (!Number.isSafeInteger(sequence)) return undefined;
  const digest = sha256Bytes(concatBytes(bytes.subarray(4, 16), payload));
  return equalBytes(digest, bytes.subarray(16, RECORD_HEADER_BYTES)) ? { sequence, payload } : undefined;
}

function recordHead(sequence: number, length: number): Uint8Array {
  const head = new Uint8Array(12);
  writeInteger(head.subarray(0, 8), sequence);
  writeInteger(head.subarray(8, 12), length);
  return head;
}

function writeInteger(bytes: Uint8Array, value: number): void {
  let rest = value;
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

function readInteger(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
