/**
 * Checkpoints: what a log says about itself, as a signed note (C2SP tlog-checkpoint 1.0.0).
 *
 * - Three lines: origin, size in decimal, root hash in base64. Our logs write no extension lines, and we read none.
 * - The signatures stay in the note, for `verifyNote`: nothing here is trusted before.
 */
import { encodeBase64, parseBase64 } from './bytes.ts';
import { text, type Decoder } from './decode.ts';
import { HASH_BYTES, type TreeHead } from './merkle.ts';
import { parseSignedNote, type SignedNote } from './signed-note.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type Checkpoint = TreeHead & {
  readonly origin: string;
  readonly note: SignedNote;
};

/** An origin, or a witness's name: a URL without a scheme. It is a key's name too, so it has neither space nor plus. */
export const originDecoder: Decoder<string> = text(255, /^[A-Za-z0-9][A-Za-z0-9._~/-]*$/);

/** Parses a signed checkpoint. */
export function parseCheckpoint(bytes: Uint8Array): Verdict<Checkpoint, 'CHECKPOINT_MALFORMED'> {
  const note = parseSignedNote(bytes);
  if (!note.ok) return reject('CHECKPOINT_MALFORMED', note.detail);
  const [origin, sizeText = '', base64 = '', ...end] = note.value.text.split('\n');
  const named = originDecoder(origin ?? '');
  const size = decimalValue(sizeText);
  const rootHash = parseBase64(base64);
  if (!named.ok || size === undefined || rootHash?.length !== HASH_BYTES || end.length !== 1 || end[0] !== '') {
    return reject('CHECKPOINT_MALFORMED', 'the three lines of origin, size and root hash are expected');
  }
  return accept({ origin: named.value, size, rootHash, note: note.value });
}

/** The text of a checkpoint, which its log signs. */
export function checkpointText({ origin, size, rootHash }: TreeHead & { readonly origin: string }): string {
  return `${origin}\n${size}\n${encodeBase64(rootHash)}\n`;
}

/** A decimal below 2^53 without leading zeroes, or undefined. */
export function decimalValue(digits: string): number | undefined {
  const value = /^(0|[1-9][0-9]{0,15})$/.test(digits) ? Number(digits) : undefined;
  return Number.isSafeInteger(value) ? value : undefined;
}
