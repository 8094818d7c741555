/**
 * What a signer remembers of the log by itself: the largest tree that it was ever about to sign (rule R6).
 *
 * - Written, durably, before a checkpoint of this tree leaves the signer; it never shrinks.
 * - So a store that loses entries, or shows another log, gets no second signature over the same positions.
 * - Specified in `docs/formats/log.md`.
 */
import { encodeHex, equalBytes, parseHex } from '../formats/bytes.ts';
import { encodeCanonicalJson } from '../formats/canonical-json.ts';
import { originDecoder } from '../formats/checkpoint.ts';
import {
  decodeJson,
  hexText,
  integer,
  literal,
  object,
  refine,
  type DecodeCode,
  type Decoder,
} from '../formats/decode.ts';
import type { JsonValue } from '../formats/json.ts';
import { HASH_BYTES, type TreeHead } from '../formats/merkle.ts';
import { accept, type Verdict } from '../formats/verdict.ts';

export type LogMemory = TreeHead & { readonly origin: string };

export const LOG_MEMORY_BYTES_MAX = 1024;

const memoryDecoder: Decoder<LogMemory> = refine(
  object('refused', { version: literal(1), origin: originDecoder, size: integer(1), rootHash: hexText(HASH_BYTES) }),
  ({ origin, size, rootHash }) => accept({ origin, size, rootHash: parseHex(rootHash) ?? new Uint8Array() }),
);

/** Parses the bytes of a memory. */
export function parseLogMemory(bytes: Uint8Array): Verdict<LogMemory, DecodeCode> {
  return decodeJson(bytes, LOG_MEMORY_BYTES_MAX, memoryDecoder);
}

/** The bytes of a memory. */
export function encodeLogMemory({ origin, size, rootHash }: LogMemory): Uint8Array {
  return encodeCanonicalJson(
    new Map<string, JsonValue>([
      ['version', 1],
      ['origin', origin],
      ['size', size],
      ['rootHash', encodeHex(rootHash)],
    ]),
  );
}

/** Whether two memories say the same; two absences do. */
export function isSameLogMemory(a: LogMemory | undefined, b: LogMemory | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equalBytes(encodeLogMemory(a), encodeLogMemory(b));
}
