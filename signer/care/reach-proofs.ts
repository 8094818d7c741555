/**
 * The proofs that devices ask for when they refresh: of every root, and of every channel, each judged as a device judges it (P6, R21).
 *
 * - A root is logged under the policy of the one before it, a channel under that of the newest root.
 * - Nothing where roots demand no log.
 */
import type { RepositoryId } from '../../formats/binding.ts';
import { encodeHex } from '../../formats/bytes.ts';
import { parseChannelPart } from '../../formats/channel-part.ts';
import { encodeLogLeaf, releaseLeaf, rootLeaf, type LogLeaf } from '../../formats/log-leaf.ts';
import { LOG_PROOF_BYTES_MAX } from '../../formats/log-proof.ts';
import { leafHash } from '../../formats/merkle.ts';
import { logProofPath } from '../../formats/names.ts';
import type { LogPolicy } from '../../formats/root-part.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { verifyLogged } from '../../bootloader-verifier/boot/verify-log.ts';
import type { TrustedRoot } from '../../bootloader-verifier/boot/verify-root.ts';
import type { KnownTree } from './reach-log.ts';
import type { ReachedRole } from './reach-roles.ts';
import type { Reach } from './reach.ts';

type Proven = {
  readonly repository: RepositoryId;
  readonly check: SignatureCheck;
  /** From root 1 on. */
  readonly roots: readonly TrustedRoot[];
  readonly roles: readonly ReachedRole[];
};

/** Brings and judges all of them. @returns the trees that they lead to. */
export async function reachProofs(reach: Reach, proven: Proven): Promise<readonly KnownTree[]> {
  const trees: KnownTree[] = [];
  for (const { leaf, policy } of wantedOf(proven)) {
    const name = logProofPath(encodeHex(leafHash(encodeLogLeaf(leaf))));
    const order = { name, bytesMax: LOG_PROOF_BYTES_MAX, isFixed: true };
    const tree = await reach.file(order, (proof) => verifyLogged(policy, { leaf, proof }, proven.check));
    if (tree.ok) trees.push({ ...tree.value, by: name });
  }
  return trees;
}

type Wanted = { readonly leaf: LogLeaf; readonly policy: LogPolicy };

function wantedOf({ repository, roots, roles }: Proven): readonly Wanted[] {
  const wanted: Wanted[] = [];
  for (const [i, { bytes, metadata }] of roots.entries()) {
    const policy = roots[i - 1]?.part.log;
    if (policy === undefined) continue;
    wanted.push({ leaf: rootLeaf(repository, { version: metadata.signed.version, bytes }), policy });
  }
  const policy = roots.at(-1)?.part.log;
  if (policy === undefined) return wanted;
  for (const { name: channel, version, bytes, role, isChannel } of roles) {
    const part = isChannel ? parseChannelPart(role?.signed.firmament) : undefined;
    if (part?.ok !== true) continue;
    wanted.push({ leaf: releaseLeaf(repository, { channel, version, bytes, release: part.value.release }), policy });
  }
  return wanted;
}
