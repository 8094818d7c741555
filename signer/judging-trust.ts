/**
 * What a judgement rests on: the builders, verifiers and policy that people signed, reached from root 1.
 *
 * - Roots are checked from version 1 on, targets by the quorum that the newest demands; both name this repository, neither has expired.
 * - Without listed verifiers and a policy there is nothing to judge by: that is a refusal, not a yes.
 */
import { fresh } from '../bootloader-verifier/boot/verify-timestamp.ts';
import { verifyRootChain, verifyRootFresh, type RootCode } from '../bootloader-verifier/boot/verify-root.ts';
import {
  verifyTargetsRole,
  type SignedRoleCode,
  type TrustedTargets,
} from '../bootloader-verifier/boot/verify-targets.ts';
import { verifyBinding, type BindingCode, type RepositoryId } from '../formats/binding.ts';
import type { Instant } from '../formats/instant.ts';
import type { Judging } from '../formats/judging.ts';
import { parseTrustPart, type Builder } from '../formats/trust-part.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { repositoryIdOf, type RepositoryIdCode } from './repository-id.ts';
import { checkSignature } from './signature-check-node.ts';

export type JudgingTrust = {
  readonly repository: RepositoryId;
  readonly targets: TrustedTargets;
  readonly builders: readonly Builder[];
  readonly judging: Judging;
};
export type JudgingTrustCode =
  | RepositoryIdCode
  | RootCode
  | SignedRoleCode
  | BindingCode
  | 'METADATA_EXPIRED'
  | 'RELEASE_MALFORMED'
  | 'POLICY_MISMATCH';

/** Reads it from the files. @param files.roots root files from version 1 to the newest. */
export function readJudgingTrust(
  files: { readonly roots: readonly Uint8Array[]; readonly targets: Uint8Array },
  now: Instant,
): Verdict<JudgingTrust, JudgingTrustCode> {
  const [rootOne = new Uint8Array()] = files.roots;
  const repository = repositoryIdOf(rootOne);
  if (!repository.ok) return repository;
  const pinned = { version: 1, sha256: repository.value.rootOneSha256 };
  const roots = verifyRootChain(files.roots, pinned, checkSignature);
  if (!roots.ok) return roots;
  const rootFresh = verifyRootFresh(roots.value.newest, now);
  if (!rootFresh.ok) return rootFresh;
  const targets = verifyTargetsRole(roots.value.newest, files.targets, checkSignature);
  if (!targets.ok) return targets;
  const valid = fresh(targets.value, 'targets', now);
  if (!valid.ok) return valid;
  const { firmament } = targets.value.signed;
  const bound = verifyBinding(firmament, { repository: repository.value, role: 'targets' });
  if (!bound.ok) return bound;
  const trust = parseTrustPart(firmament);
  if (!trust.ok) return trust;
  const { builders, judging } = trust.value;
  if (judging === undefined) return reject('POLICY_MISMATCH', 'the targets role names no policy and no verifier');
  return accept({ repository: repository.value, targets: targets.value, builders, judging });
}
