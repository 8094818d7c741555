/** Tiny summaries for tests: what an honest verifier says of a tiny release, and who may. */
import type { VsaDemand } from '../bootloader-verifier/boot/verify-vsa.ts';
import type { RepositoryId } from '../formats/binding.ts';
import { encodeEnvelope, preAuthEncoding } from '../formats/dsse.ts';
import type { Judging } from '../formats/judging.ts';
import { STATEMENT_PAYLOAD_TYPE } from '../formats/statement.ts';
import { encodeVsa, RELEASE_POLICY_URI, resourceUriOf, type Vsa } from '../formats/vsa.ts';
import type { Signer } from '../signer/signer.ts';
import { seededSigner } from './seeded-signer.ts';

const VERIFIER_ID = 'https://verifier.example/judge';
export const TINY_POLICY_SHA256: string = '90'.repeat(32);

/** The verifier of a tiny repository. */
export function tinyVerifier(): Signer {
  return seededSigner('tiny verifier');
}

/** Its verifier alone, with one policy in force. */
export function tinyJudging(policySha256: string = TINY_POLICY_SHA256): Judging {
  return {
    verifiers: [{ id: VERIFIER_ID, key: tinyVerifier().key }],
    policy: { sha256: policySha256, stillAccepted: [] },
  };
}

/** What an honest verifier says of `component`. */
export function tinyVsa(
  repository: RepositoryId,
  component: VsaDemand['component'],
  policySha256: string = TINY_POLICY_SHA256,
): Vsa {
  const { image, provenanceTarget, firmwareVersion, securityCounter, hardwareIds } = component;
  return {
    subjects: [{ name: image.name, sha256: image.sha256 }],
    verifierId: VERIFIER_ID,
    timeVerified: Date.UTC(2026, 0, 1, 13),
    resourceUri: resourceUriOf(repository, image.name),
    policy: { uri: RELEASE_POLICY_URI, sha256: policySha256 },
    inputAttestations: [provenanceTarget.sha256],
    result: 'PASSED',
    verifiedLevels: ['FIRMAMENT_TWO_RUNS'],
    judged: { firmwareVersion, securityCounter, hardwareIds },
  };
}

/** The DSSE envelope of `vsa`. */
export async function signedVsa(vsa: Vsa, signer: Signer = tinyVerifier()): Promise<Uint8Array> {
  const payload = encodeVsa(vsa);
  const sig = await signer.sign(preAuthEncoding(STATEMENT_PAYLOAD_TYPE, payload));
  return encodeEnvelope({ payloadType: STATEMENT_PAYLOAD_TYPE, payload, signatures: [{ keyid: signer.keyid, sig }] });
}
