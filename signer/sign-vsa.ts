/**
 * The summary of a judgement, signed: what the judge found, for devices to check.
 *
 * - Only an allowed release gets one: a denial is told and leaves nothing behind.
 * - Only with the key of a listed verifier, under its listed identity.
 * - It is read back first by the very code that devices use; what they would refuse is never handed out.
 */
import assert from 'node:assert';
import { verifyVsa } from '../bootloader-verifier/boot/verify-vsa.ts';
import { encodeEnvelope, preAuthEncoding } from '../formats/dsse.ts';
import type { Instant } from '../formats/instant.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { STATEMENT_PAYLOAD_TYPE } from '../formats/statement.ts';
import { keyFingerprint } from '../formats/tuf-key.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { encodeVsa, RELEASE_POLICY_URI, resourceUriOf, type Vsa } from '../formats/vsa.ts';
import type { Judgement } from '../policies/judge-release.ts';
import type { JudgedFiles, ReleaseToJudge } from './judge.ts';
import type { JudgingTrust } from './judging-trust.ts';
import { checkSignature } from './signature-check-node.ts';
import type { Signer } from './signer.ts';

/** A judgement with all that it was about. */
export type JudgedImageFiles = {
  readonly release: ReleaseToJudge;
  /** The target under which the image is released. */
  readonly targetName: string;
  readonly files: JudgedFiles;
  readonly judgement: Judgement;
};

/**
 * Signs the summary of a judgement.
 * @returns the envelope; `JUDGEMENT_DENIED` with every reason; `KEY_NOT_OF_ROLE` for the key of nobody who may judge.
 */
export async function signVsa(
  trust: JudgingTrust,
  judged: JudgedImageFiles,
  by: { readonly signer: Signer; readonly now: Instant },
): Promise<Verdict<Uint8Array, 'JUDGEMENT_DENIED' | 'KEY_NOT_OF_ROLE'>> {
  const { judgement, targetName, release, files } = judged;
  const allowed = demandAllowed(judgement, targetName);
  if (!allowed.ok) return allowed;
  const fingerprint = keyFingerprint(by.signer.key);
  const verifier = trust.judging.verifiers.find(({ key }) => keyFingerprint(key) === fingerprint);
  if (verifier === undefined) return reject('KEY_NOT_OF_ROLE', 'the targets role lists no verifier with this key');
  const vsa: Vsa = {
    subjects: [{ name: targetName, sha256: release.image.sha256 }],
    verifierId: verifier.id,
    timeVerified: by.now,
    resourceUri: resourceUriOf(trust.repository, targetName),
    policy: { uri: RELEASE_POLICY_URI, sha256: judgement.policySha256 },
    inputAttestations: [files.provenance, ...files.rebuilds].map(sha256Hex),
    result: 'PASSED',
    verifiedLevels: judgement.levels,
    judged: release,
  };
  const payload = encodeVsa(vsa);
  const sig = await by.signer.sign(preAuthEncoding(STATEMENT_PAYLOAD_TYPE, payload));
  const signatures = [{ keyid: by.signer.keyid, sig }];
  const envelope = encodeEnvelope({ payloadType: STATEMENT_PAYLOAD_TYPE, payload, signatures });
  const component = {
    ...release,
    image: { name: targetName, ...release.image },
    provenanceTarget: { name: '', length: files.provenance.length, sha256: sha256Hex(files.provenance) },
  };
  const readBack = verifyVsa(envelope, { ...trust, component }, checkSignature);
  assert(readBack.ok, `a summary that devices would refuse: ${readBack.ok ? '' : readBack.detail}`);
  return accept(envelope);
}

/** Whether the policies allow `targetName`; a denial names every policy that decided, and what it demands. */
export function demandAllowed({ allowed, reasons }: Judgement, targetName: string): Verdict<void, 'JUDGEMENT_DENIED'> {
  return allowed ? accept(undefined) : reject('JUDGEMENT_DENIED', `${targetName}: ${reasons.join('; ')}`);
}
