/**
 * The claim to the next positions of a log as earlier versions wrote it: an object of its own in the store, `log/claim`.
 *
 * - Nobody writes it any more: the signer's memory is the claim (`log-memory.ts`). It is read where the memory does not know what its
 *   last append was about, and then finished: an earlier version was cut over it, or a signer was restored.
 * - It is a signed note whose first line is no origin: nobody can take it for a checkpoint.
 */
import { parseBase64 } from '../formats/bytes.ts';
import { decimalValue } from '../formats/checkpoint.ts';
import { LEAF_BYTES_MAX } from '../formats/log-leaf.ts';
import { HASH_BYTES, type TreeHead } from '../formats/merkle.ts';
import { parseSignedNote, type SignedNote } from '../formats/signed-note.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { APPEND_ENTRIES_MAX } from './log-memory.ts';

/** What is claimed: the tree after the append, and the entries that lead to it. */
export type LogClaim = TreeHead & { readonly origin: string; readonly entries: readonly Uint8Array[] };

const FIRST_LINE = 'firmament log claim v1';

/** Parses a signed claim; its signature is checked by `verifyNote`. */
export function parseLogClaim(
  bytes: Uint8Array,
): Verdict<{ readonly claim: LogClaim; readonly note: SignedNote }, 'NOTE_MALFORMED'> {
  const note = parseSignedNote(bytes);
  if (!note.ok) return note;
  const [first, origin = '', sizeText = '', base64 = '', ...lines] = note.value.text.split('\n');
  const size = decimalValue(sizeText);
  const rootHash = parseBase64(base64);
  const entries = lines.slice(0, -1).map((line) => parseBase64(line) ?? new Uint8Array());
  const good = entries.every(({ length }) => length > 0 && length <= LEAF_BYTES_MAX);
  if (first !== FIRST_LINE || size === undefined || rootHash?.length !== HASH_BYTES || !good) {
    return reject('NOTE_MALFORMED', 'a claim with origin, size, root hash and entries is expected');
  }
  return entries.length >= 1 && entries.length <= Math.min(APPEND_ENTRIES_MAX, size)
    ? accept({ claim: { origin, size, rootHash, entries }, note: note.value })
    : reject('NOTE_MALFORMED', `a claim has 1 to ${APPEND_ENTRIES_MAX} entries`);
}
