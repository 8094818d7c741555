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
import { parseTrustPart, type Builder, type TrustPart } from '../formats/trust-part.ts';
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

/** Root files from version 1 to the newest, and the targets file. */
export type TrustFiles = { readonly roots: readonly Uint8Array[]; readonly targets: Uint8Array };
export type PeoplesTrust = {
  readonly repository: RepositoryId;
  readonly targets: TrustedTargets;
  readonly part: TrustPart;
};

/** Reads it from the files. */
export function readJudgingTrust(files: TrustFiles, now: Instant): Verdict<JudgingTrust, JudgingTrustCode> {
  const read = readPeoplesTrust(files, now);
  if (!read.ok) return read;
  const { repository, targets, part } = read.value;
  const { builders, judging } = part;
  if (judging === undefined) return reject('POLICY_MISMATCH', 'the targets role names no policy and no verifier');
  return accept({ repository, targets, builders, judging });
}

/** Whom people trust with what: the targets role, reached from root 1. */
export function readPeoplesTrust(files: TrustFiles, now: Instant): Verdict<PeoplesTrust, JudgingTrustCode> {
  const [rootOne = new Uint8Array()] = files.roots;
  const repository = repositoryIdOf(rootOne);
  if (!repository.ok) return repository;
  const pinned = { version: 1, sha256: repository.value.rootOneSha256 };
  const roots = verifyRootChain(files.roots, pinned, checkSignature);
  if (!roots.ok) return roots;
  const rootFresh = verifyRootFresh(roots.value.newest, now);
  if (!rootFresh.ok) return rootFresh;
  const targets = verifyTargetsRole(roots.value.newest, files.targets, { check: checkSignature });
  if (!targets.ok) return targets;
  const valid = fresh(targets.value, 'targets', now);
  if (!valid.ok) return valid;
  const { firmament } = targets.value.signed;
  const bound = verifyBinding(firmament, { repository: repository.value, role: 'targets' });
  if (!bound.ok) return bound;
  const trust = parseTrustPart(firmament);
  if (!trust.ok) return trust;
  return accept({ repository: repository.value, targets: targets.value, part: trust.value });
}
