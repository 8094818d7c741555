/**
 * Whether an append to a log may be written: decided by the device's own code, before anything of it leaves the signer.
 *
 * - Every entry is one of this repository, of a type that is known (R1, R21).
 * - The checkpoint counts by a key of the log and is of the very tree that the entries make; witnesses come later, to the checkpoint.
 * - Every entry is proven by its own proof, as a device checks it.
 */
import type { RepositoryId } from '../formats/binding.ts';
import { equalBytes } from '../formats/bytes.ts';
import { parseLogLeaf } from '../formats/log-leaf.ts';
import type { LogPolicy } from '../formats/root-part.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../formats/verdict.ts';
import { verifyCheckpoint, verifyLogged, type LogCode } from '../bootloader-verifier/boot/verify-log.ts';
import { checkSignatureOnce } from './checked-once.ts';
import type { LogDraft } from './draft-log-append.ts';
import type { LogAppend } from './publication.ts';
import { logObject, logProofObject } from './repository-layout.ts';

export type LogAppendCode = LogCode | 'LOG_LEAF_MALFORMED' | 'REPOSITORY_MISMATCH' | 'LOG_FORKED';

/**
 * Decides about `draft`.
 * @param by.policies what roots say of this log, newest first.
 */
export function verifyLogAppend(
  draft: LogDraft,
  by: {
    readonly repository: RepositoryId;
    readonly policies: readonly LogPolicy[];
    readonly check?: SignatureCheck | undefined;
  },
): Verdict<Verified<LogAppend>, LogAppendCode> {
  const { repository, policies } = by;
  // All proofs of an append end in the same checkpoint, which is looked at once.
  const check = by.check ?? checkSignatureOnce;
  const policy = countingPolicy(draft, policies, check);
  if (!policy.ok) return policy;
  for (const [i, entry] of draft.entries.entries()) {
    const leaf = parseLogLeaf(entry);
    if (!leaf.ok) return leaf;
    const { product, root } = leaf.value;
    if (product !== repository.product || root !== repository.rootOneSha256) {
      return reject('REPOSITORY_MISMATCH', `an entry of ${product}, this log is of ${repository.product}`);
    }
    const proven = verifyLogged(policy.value, { leaf: leaf.value, proof: draft.proofs[i]?.bytes }, check);
    if (!proven.ok) return proven;
  }
  return accept(markVerified(appendOf(draft, repository.product)));
}

/** The policy under which the checkpoint counts, which must be of the tree that the entries make. */
function countingPolicy(
  draft: LogDraft,
  policies: readonly LogPolicy[],
  check: SignatureCheck,
): Verdict<LogPolicy, LogAppendCode> {
  let verdict: Verdict<LogPolicy, LogAppendCode> = reject('LOG_SIGNATURE_INVALID', 'no root names a log');
  for (const { quorum: _, ...own } of policies) {
    const policy = { ...own, quorum: 0 };
    const checkpoint = verifyCheckpoint(policy, draft.checkpoint, check);
    if (checkpoint.ok) {
      const { head } = draft.extended;
      const same = checkpoint.value.size === head.size && equalBytes(checkpoint.value.rootHash, head.rootHash);
      return same ? accept(policy) : reject('LOG_FORKED', 'the checkpoint is not of the tree that the entries make');
    }
    verdict = checkpoint;
  }
  return verdict;
}

function appendOf({ log, entries, extended, checkpoint, proofs }: LogDraft, product: string): LogAppend {
  const condition = log.checkpoint === undefined ? 'create-only' : { replaces: log.checkpoint.etag };
  return {
    remembered: { origin: log.origin, ...extended.head, entries },
    former: log.remembered,
    files: extended.files.map(({ name, bytes }) => ({ name: logObject(product, name), bytes })),
    proofs: proofs.map(({ leaf, bytes }) => ({ name: logProofObject(product, leaf), bytes })),
    checkpoint: { name: logObject(product, 'checkpoint'), bytes: checkpoint, condition },
  };
}
