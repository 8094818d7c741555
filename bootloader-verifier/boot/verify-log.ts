/**
 * Whether something stands in the log that root demands, from a proof alone: no connection, no clock (P6, R21).
 *
 * - A checkpoint counts by a signature of a key that root lists for the log and that reaches its size, and by cosignatures of as
 *   many administrations as root demands.
 * - The entry is computed from what is about to be acted on, never taken from the proof.
 * - Two checkpoints are of one log only if the smaller tree is a beginning of the larger one; else the log shows two faces.
 * - Source: C2SP tlog-checkpoint, tlog-cosignature and tlog-proof; RFC 6962.
 */
import { parseCheckpoint, type Checkpoint } from '../../formats/checkpoint.ts';
import { encodeLogLeaf, type LogLeaf } from '../../formats/log-leaf.ts';
import { parseLogProof } from '../../formats/log-proof.ts';
import { consistencyProof, type Tiles } from '../../formats/log-tree.ts';
import { leafHash, provesConsistency, provesInclusion, type TreeHead } from '../../formats/merkle.ts';
import { reach, type LogPolicy } from '../../formats/root-part.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { verifyNote, type NoteKey } from '../../formats/signed-note.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';

export type TrustedCheckpoint = Verified<Checkpoint>;
export type CheckpointCode =
  'CHECKPOINT_MALFORMED' | 'LOG_ORIGIN_MISMATCH' | 'LOG_SIGNATURE_INVALID' | 'WITNESS_QUORUM_UNMET';
export type LogCode = CheckpointCode | 'LOG_PROOF_MISSING' | 'LOG_PROOF_MALFORMED' | 'LOG_PROOF_INVALID';

/** Decides whether `bytes` is a checkpoint that `policy` accepts. */
export function verifyCheckpoint(
  policy: LogPolicy,
  bytes: Uint8Array,
  check: SignatureCheck,
): Verdict<TrustedCheckpoint, CheckpointCode> {
  const checkpoint = parseCheckpoint(bytes);
  if (!checkpoint.ok) return checkpoint;
  const { origin, size, note } = checkpoint.value;
  if (origin !== policy.origin) {
    return reject('LOG_ORIGIN_MISMATCH', `a checkpoint of ${origin}, root names ${policy.origin}`);
  }
  const keys = policy.keys
    .filter(({ state }) => size <= reach(state))
    .map(({ key }): NoteKey => ({ name: origin, type: 'signature', key }));
  const witnesses = policy.witnesses.map(({ name, key, administration }) => ({
    administration,
    noteKey: { name, type: 'cosignature', key } satisfies NoteKey,
  }));
  const signed = verifyNote(note, [...keys, ...witnesses.map(({ noteKey }) => noteKey)], check);
  if (!signed.ok) return signed;
  const by = new Set(signed.value.map((signature) => signature.by));
  if (!keys.some((key) => by.has(key))) {
    return reject('LOG_SIGNATURE_INVALID', `no key that root lists for ${origin} has signed size ${size}`);
  }
  const cosigned = new Set(
    witnesses.filter(({ noteKey }) => by.has(noteKey)).map(({ administration }) => administration),
  );
  return cosigned.size >= policy.quorum
    ? accept(markVerified(checkpoint.value))
    : reject('WITNESS_QUORUM_UNMET', `${cosigned.size} of ${policy.quorum} administrations have cosigned`);
}

/**
 * Decides whether `leaf` is logged, as `policy` demands.
 * @param proof the file of the proof, or undefined where none is at hand.
 * @returns the checkpoint that the proof leads to.
 */
export function verifyLogged(
  policy: LogPolicy,
  { leaf, proof }: { readonly leaf: LogLeaf; readonly proof: Uint8Array | undefined },
  check: SignatureCheck,
): Verdict<TrustedCheckpoint, LogCode> {
  const what = `${leaf.type === 'root' ? 'root' : leaf.channel} version ${leaf.version}`;
  if (proof === undefined) return reject('LOG_PROOF_MISSING', `${what} comes without proof that it is logged`);
  const parsed = parseLogProof(proof);
  if (!parsed.ok) return parsed;
  const checkpoint = verifyCheckpoint(policy, parsed.value.checkpoint, check);
  if (!checkpoint.ok) return checkpoint;
  const hash = leafHash(encodeLogLeaf(leaf));
  return provesInclusion({ hash, index: parsed.value.index }, checkpoint.value, parsed.value.hashes)
    ? checkpoint
    : reject('LOG_PROOF_INVALID', `${what} is not entry ${parsed.value.index} of ${policy.origin}`);
}

/**
 * Decides whether two trees are of one log.
 * @param tiles those of `consistencyTiles` for the two sizes; outside data, believed only as far as they lead to both roots.
 */
export function verifyOneLog(a: TreeHead, b: TreeHead, tiles: Tiles): Verdict<void, 'LOG_FORKED'> {
  const [before, after] = a.size <= b.size ? [a, b] : [b, a];
  const proof = consistencyProof(tiles, before.size, after.size);
  return proof !== undefined && provesConsistency(before, after, proof)
    ? accept(undefined)
    : reject('LOG_FORKED', `the log of ${before.size} entries is no beginning of the one of ${after.size}`);
}
