/**
 * An append to a log, drafted: the files, a proof for each entry, and the signed checkpoint.
 *
 * - Everything is computed before anything is written; the checkpoint stays in this process until it has been remembered (R6).
 * - An append that another run has claimed is drafted from what it remembered: the same bytes, whoever finishes it.
 */
import { checkpointText } from '../formats/checkpoint.ts';
import { encodeHex } from '../formats/bytes.ts';
import { encodeLogProof } from '../formats/log-proof.ts';
import { inclusionProof } from '../formats/log-tree.ts';
import { leafHash } from '../formats/merkle.ts';
import { extendLog, type ExtendedLog } from './extend-log.ts';
import type { PublishedLog } from './read-log.ts';
import { signNote } from './sign-note.ts';
import type { Signer } from './signer.ts';

/** The proof of an entry, under the hash of its leaf in hex. */
export type EntryProof = { readonly leaf: string; readonly bytes: Uint8Array };
export type LogDraft = {
  readonly log: PublishedLog;
  readonly entries: readonly Uint8Array[];
  readonly extended: ExtendedLog;
  readonly checkpoint: Uint8Array;
  readonly proofs: readonly EntryProof[];
};

/** Drafts the append of `entries` to `log`, signed by `signers`, who hold keys of the log. */
export async function draftLogAppend(
  log: PublishedLog,
  entries: readonly Uint8Array[],
  signers: readonly Signer[],
): Promise<LogDraft> {
  const { origin } = log;
  const extended = extendLog(log, entries);
  const { head } = extended;
  const checkpoint = await signNote(checkpointText({ ...head, origin }), origin, signers);
  const proofs = entries.map((entry, i) => {
    const index = log.head.size + i;
    const hashes = inclusionProof(extended.tiles, index, head.size) ?? [];
    return { leaf: encodeHex(leafHash(entry)), bytes: encodeLogProof({ index, hashes, checkpoint }) };
  });
  return { log, entries, extended, checkpoint, proofs };
}
