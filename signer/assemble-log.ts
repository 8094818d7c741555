/**
 * What a publication must have logged, and the proofs that devices will ask for.
 *
 * - Wanted are all roots, and every channel whose release must be judged anew; nothing for a refresh of the online roles.
 * - A proof that stands in the store and that devices would accept is taken; whatever has none is appended, once more if need be:
 *   so a lost proof, or a key of the log that no longer counts, costs an entry and nothing else.
 */
import type { RepositoryId } from '../formats/binding.ts';
import { encodeHex } from '../formats/bytes.ts';
import { parseChannelPart } from '../formats/channel-part.ts';
import { encodeLogLeaf, releaseLeaf, rootLeaf, type LogLeaf } from '../formats/log-leaf.ts';
import { LOG_PROOF_BYTES_MAX } from '../formats/log-proof.ts';
import { leafHash } from '../formats/merkle.ts';
import { parseRootPart, type LogPolicy } from '../formats/root-part.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';
import { parseRoot } from '../formats/tuf-root.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { verifyLogged } from '../bootloader-verifier/boot/verify-log.ts';
import { parsedRole } from './parsed-role.ts';
import { draftLogAppend, type LogDraft } from './draft-log-append.ts';
import { APPEND_ENTRIES_MAX } from './log-memory.ts';
import type { ObjectStore } from './object-store.ts';
import type { CandidateProofs } from './publication.ts';
import type { PublishedLog } from './read-log.ts';
import { logProofObject } from './repository-layout.ts';
import { logSigners } from './sign-note.ts';
import { checkSignature } from './signature-check-node.ts';
import type { Signer } from './signer.ts';

export type LogInput = {
  readonly store: ObjectStore;
  readonly repository: RepositoryId;
  readonly log: PublishedLog;
  readonly signers: readonly Signer[];
  /** All roots, oldest first. */
  readonly roots: readonly Uint8Array[];
  /** The channel files that must be judged anew, by name; empty for a refresh. */
  readonly channels: ReadonlyMap<string, Uint8Array>;
  readonly check?: SignatureCheck | undefined;
};
export type AssembledLog = { readonly proofs: CandidateProofs; readonly draft: LogDraft | undefined };

/** An entry that is wanted, the policy under which devices check its proof, and where the proof belongs. */
type Wanted = { readonly leaf: LogLeaf; readonly policy: LogPolicy; readonly of: string };

/** What roots say of the log, oldest first; a root that says nothing, or nothing that is understood, is left out. */
export function logPolicies(roots: readonly Uint8Array[]): readonly LogPolicy[] {
  return roots.map(logPolicyOf).filter((policy): policy is LogPolicy => policy !== undefined);
}

function logPolicyOf(root: Uint8Array): LogPolicy | undefined {
  const parsed = parseRoot(root);
  const part = parsed.ok ? parseRootPart(parsed.value.signed.firmament) : parsed;
  return part.ok ? part.value.log : undefined;
}

/** Finds the proofs that stand already, and drafts the append of all that has none. */
export async function assembleLog(input: LogInput): Promise<Verdict<AssembledLog, 'PUBLICATION_REFUSED'>> {
  const found = new Map<string, Uint8Array>();
  const missing: Wanted[] = [];
  for (const wanted of wantedOf(input)) {
    const proof = await standingProof(input, wanted);
    if (proof === undefined) missing.push(wanted);
    else found.set(wanted.of, proof);
  }
  if (missing.length === 0) return accept({ proofs: found, draft: undefined });
  if (missing.length > APPEND_ENTRIES_MAX) {
    return reject(
      'PUBLICATION_REFUSED',
      `NOTE_MALFORMED: ${missing.length} entries, at most ${APPEND_ENTRIES_MAX} at once`,
    );
  }
  const size = input.log.head.size + missing.length;
  const signers = logSigners(
    input.signers,
    [...missing.map(({ policy }) => policy), ...logPolicies(input.roots).slice(-1)],
    size,
  );
  if (signers.length === 0) {
    return reject('PUBLICATION_REFUSED', 'LOG_SIGNATURE_INVALID: none of the keys is one that root lists for the log');
  }
  const entries = missing.map(({ leaf }) => encodeLogLeaf(leaf));
  const draft = await draftLogAppend(input.log, entries, signers);
  for (const [i, { of }] of missing.entries()) {
    const proof = draft.proofs[i];
    if (proof !== undefined) found.set(of, proof.bytes);
  }
  return accept({ proofs: found, draft });
}

function wantedOf({ repository, roots, channels }: LogInput): readonly Wanted[] {
  const newest = logPolicies(roots).at(-1);
  if (newest === undefined || channels.size === 0) return [];
  const wanted: Wanted[] = roots.map((bytes, i) => ({
    leaf: rootLeaf(repository, { version: i + 1, bytes }),
    // A root is logged under the policy of the one before it (R21).
    policy: policyBefore(roots, i) ?? logPolicyOf(bytes) ?? newest,
    of: `root ${i + 1}`,
  }));
  for (const [channel, bytes] of channels) {
    const parsed = parsedRole(bytes);
    const part = parsed.ok ? parseChannelPart(parsed.value.signed.firmament) : parsed;
    if (!parsed.ok || !part.ok) continue;
    const { version } = parsed.value.signed;
    const leaf = releaseLeaf(repository, { channel, version, bytes, release: part.value.release });
    wanted.push({ leaf, policy: newest, of: `channel ${channel}` });
  }
  return wanted;
}

function policyBefore(roots: readonly Uint8Array[], index: number): LogPolicy | undefined {
  const former = roots[index - 1];
  return former && logPolicyOf(former);
}

async function standingProof(
  { store, repository, check = checkSignature }: LogInput,
  { leaf, policy }: Wanted,
): Promise<Uint8Array | undefined> {
  const name = logProofObject(repository.product, encodeHex(leafHash(encodeLogLeaf(leaf))));
  const proof = await store.get(name, LOG_PROOF_BYTES_MAX);
  const proven = proof && verifyLogged(policy, { leaf, proof: proof.bytes }, check);
  return proven?.ok === true ? proof?.bytes : undefined;
}
