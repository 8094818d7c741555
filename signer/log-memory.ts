/**
 * What a signer remembers of the log by itself: the largest tree that it was ever about to sign, and the entries that led there (rule R6).
 *
 * - It is the claim to these positions: written in place of what was read, or not at all, so that of publishers that share a memory
 *   one owns them. Whoever finds the store behind it finishes the append: the bytes follow from what is remembered.
 * - Written, durably, before anything of this tree leaves the signer; it never shrinks.
 * - So a store that loses entries, or shows another log, gets no second signature over the same positions.
 * - Without entries, as earlier versions wrote it, and as a signer begins that was restored, it is of version 1, to the byte.
 * - Specified in `docs/formats/log.md`.
 */
import { encodeBase64, encodeHex, equalBytes, parseHex } from '../formats/bytes.ts';
import { encodeCanonicalJson } from '../formats/canonical-json.ts';
import { originDecoder } from '../formats/checkpoint.ts';
import {
  base64Bytes,
  decodeJson,
  hexText,
  integer,
  list,
  literal,
  object,
  refine,
  shape,
  type DecodeCode,
  type Decoder,
} from '../formats/decode.ts';
import { isJsonObject, type JsonValue } from '../formats/json.ts';
import { LEAF_BYTES_MAX } from '../formats/log-leaf.ts';
import { HASH_BYTES, type TreeHead } from '../formats/merkle.ts';
import { accept, type Verdict } from '../formats/verdict.ts';

export type LogMemory = TreeHead & {
  readonly origin: string;
  /** The last entries of the tree: those that the append was about. Undefined where nobody knows. */
  readonly entries?: readonly Uint8Array[] | undefined;
};

/** Entries of one append. */
export const APPEND_ENTRIES_MAX = 90;
/** As many of the longest entries fit. */
export const LOG_MEMORY_BYTES_MAX = 131_072;

const tree = { origin: originDecoder, size: integer(1), rootHash: hexText(HASH_BYTES) };
type Tree = { readonly origin: string; readonly size: number; readonly rootHash: string };
const treeDecoder = object('refused', { version: literal(1), ...tree });
const entriesDecoder = list(base64Bytes(LEAF_BYTES_MAX), APPEND_ENTRIES_MAX, 1);
const claimDecoder: Decoder<Tree & { readonly entries: readonly Uint8Array[] }> = refine(
  object('refused', { version: literal(2), ...tree, entries: entriesDecoder }),
  (claim) =>
    claim.entries.length <= claim.size
      ? accept(claim)
      : shape(`${claim.entries.length} entries in a tree of ${claim.size}`),
);
const memoryDecoder: Decoder<LogMemory> = refine(
  (json): ReturnType<Decoder<Tree & Pick<LogMemory, 'entries'>>> =>
    isJsonObject(json) && json.has('entries') ? claimDecoder(json) : treeDecoder(json),
  ({ origin, size, rootHash, entries }) =>
    accept({
      ...{ origin, size, rootHash: parseHex(rootHash) ?? new Uint8Array() },
      ...(entries === undefined ? {} : { entries }),
    }),
);

/** Parses the bytes of a memory. */
export function parseLogMemory(bytes: Uint8Array): Verdict<LogMemory, DecodeCode> {
  return decodeJson(bytes, LOG_MEMORY_BYTES_MAX, memoryDecoder);
}

/** The bytes of a memory. */
export function encodeLogMemory({ origin, size, rootHash, entries }: LogMemory): Uint8Array {
  return encodeCanonicalJson(
    new Map<string, JsonValue>([
      ['version', entries === undefined ? 1 : 2],
      ['origin', origin],
      ['size', size],
      ['rootHash', encodeHex(rootHash)],
      ...(entries === undefined ? [] : [['entries', entries.map(encodeBase64)] as const]),
    ]),
  );
}

/** Whether two memories say the same; two absences do. */
export function isSameLogMemory(a: LogMemory | undefined, b: LogMemory | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equalBytes(encodeLogMemory(a), encodeLogMemory(b));
}

/** Whether `memory` is of the tree of `checkpoint`, whatever it knows of its entries. */
export function isMemoryOf(
  memory: LogMemory,
  { origin, size, rootHash }: TreeHead & { readonly origin: string },
): boolean {
  return memory.origin === origin && memory.size === size && equalBytes(memory.rootHash, rootHash);
}
