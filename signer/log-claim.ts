/**
 * The claim to the next positions of a log: one object that publishers replace on condition, so that each position has one owner.
 *
 * - It names the entries to come and the tree that they lead to, signed by a key of the log; whoever finds one unfinished finishes it.
 * - It is a signed note whose first line is no origin: nobody can take it for a checkpoint, and losing the race for it signs nothing.
 * - It is no file for devices; the server does not know its name.
 */
import { encodeBase64, parseBase64 } from '../formats/bytes.ts';
import { decimalValue } from '../formats/checkpoint.ts';
import { LEAF_BYTES_MAX } from '../formats/log-leaf.ts';
import { HASH_BYTES, type TreeHead } from '../formats/merkle.ts';
import { parseSignedNote, type SignedNote } from '../formats/signed-note.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';

/** What is claimed: the tree after the append, and the entries that lead to it. */
export type LogClaim = TreeHead & { readonly origin: string; readonly entries: readonly Uint8Array[] };

/** Entries of one append; as many of the longest fit a note. */
export const CLAIM_ENTRIES_MAX = 90;

const FIRST_LINE = 'firmament log claim v1';

/** The text of a claim, which a key of the log signs. */
export function claimText({ origin, size, rootHash, entries }: LogClaim): string {
  return [FIRST_LINE, origin, String(size), encodeBase64(rootHash), ...entries.map(encodeBase64), ''].join('\n');
}

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
  return entries.length >= 1 && entries.length <= Math.min(CLAIM_ENTRIES_MAX, size)
    ? accept({ claim: { origin, size, rootHash, entries }, note: note.value })
    : reject('NOTE_MALFORMED', `a claim has 1 to ${CLAIM_ENTRIES_MAX} entries`);
}
