/**
 * Whether something stands in the log that root demands, from a proof alone: no connection, no clock (P6, R21).
 *
 * - A checkpoint counts by a signature of a key that root lists for the log and that reaches its size, and by cosignatures of as
 *   many administrations as root demands.
 * - The entry is computed from what is about to be acted on, never taken from the proof.
 * - Two checkpoints are of one log only if the smaller tree is a beginning of the larger one; else the log shows two faces.
 * - Source: C2SP tlog-checkpoint, tlog-cosignature and tlog-proof; RFC 6962.
 */
import type { RepositoryId } from '../../formats/binding.ts';
import type { LogProofs } from '../../formats/boot-bundle.ts';
import { parseCheckpoint, type Checkpoint } from '../../formats/checkpoint.ts';
import { encodeLogLeaf, releaseLeaf, rootLeaf, type LogLeaf } from '../../formats/log-leaf.ts';
import { parseLogProof } from '../../formats/log-proof.ts';
import { consistencyProof, type Tiles } from '../../formats/log-tree.ts';
import { leafHash, provesConsistency, provesInclusion, type TreeHead } from '../../formats/merkle.ts';
import { reach, type LogPolicy } from '../../formats/root-part.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { verifyNote, type NoteKey } from '../../formats/signed-note.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';

import type { TrustedRoot } from './verify-root.ts';

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

/** What a device acts on, and the proofs that came with it. */
export type LoggedParts = {
  readonly repository: RepositoryId;
  /** From the pinned root to the newest. */
  readonly roots: readonly TrustedRoot[];
  readonly channel: { readonly name: string; readonly bytes: Uint8Array; readonly version: number };
  /** The release that the channel puts in force. */
  readonly release: string;
  readonly proofs: LogProofs | undefined;
};

/**
 * Decides whether roots and channel are logged, as far as roots demand it: the channel under the newest root, each root under the
 * one before it, so that a log policy cannot be changed in secret (R21).
 * @returns the checkpoints that the proofs lead to; none where no log is demanded.
 */
export function verifyPartsLogged(
  { repository, roots, channel, release, proofs }: LoggedParts,
  check: SignatureCheck,
): Verdict<readonly TrustedCheckpoint[], LogCode> {
  const checkpoints: TrustedCheckpoint[] = [];
  for (const [i, root] of roots.slice(1).entries()) {
    const policy = roots[i]?.part.log;
    if (policy === undefined) continue;
    const { version } = root.metadata.signed;
    const leaf = rootLeaf(repository, { version, bytes: root.bytes });
    const logged = verifyLogged(policy, { leaf, proof: proofs?.roots.get(version) }, check);
    if (!logged.ok) return logged;
    checkpoints.push(logged.value);
  }
  const policy = roots.at(-1)?.part.log;
  if (policy === undefined) return accept(checkpoints);
  const { name, bytes, version } = channel;
  const leaf = releaseLeaf(repository, { channel: name, version, bytes, release });
  const logged = verifyLogged(policy, { leaf, proof: proofs?.channel }, check);
  return logged.ok ? accept([...checkpoints, logged.value]) : logged;
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
