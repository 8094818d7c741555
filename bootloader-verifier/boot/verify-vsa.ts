/**
 * Whether an image was judged fit for release, as this product's people demand: by a listed verifier, by their policy.
 *
 * - The checks are those of SLSA, "How to verify" a VSA, steps 1 to 6, in that order; levels are the policy's to demand.
 * - The summary must rest on the very provenance that the release names, and have seen version, counter and hardware as the
 *   channel says them: the verifier's key alone adds nothing (rule R29).
 * - Verify, then parse: the statement is read only after its signature has been found valid.
 */
import type { RepositoryId } from '../../formats/binding.ts';
import { parseEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { acceptedPolicies, type Judging } from '../../formats/judging.ts';
import type { Component } from '../../formats/release.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { STATEMENT_PAYLOAD_TYPE } from '../../formats/statement.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';
import { parseVsa, resourceUriOf, type Vsa } from '../../formats/vsa.ts';

export type VsaCode =
  'ENVELOPE_MALFORMED' | 'STATEMENT_MALFORMED' | 'VSA_SIGNATURE_INVALID' | 'VSA_MISMATCH' | 'VSA_FAILED';
export type DemandedVsaCode = VsaCode | 'VSA_MISSING' | 'EVIDENCE_MISMATCH';

/** What the summary must be about. */
export type VsaDemand = {
  readonly repository: RepositoryId;
  readonly component: Pick<
    Component,
    'image' | 'provenanceTarget' | 'firmwareVersion' | 'securityCounter' | 'hardwareIds'
  >;
  /** Who may judge, by which policies; undefined where people list nobody: then no summary counts. */
  readonly judging: Judging | undefined;
};

/**
 * Decides whether a component has the summary that is demanded of it: the very file that the channel names, and what it must say.
 * One that is named where nobody may judge is refused: an older targets file cannot take the demand away (`docs/formats/vsa.md`).
 * @param offered the file in the boot bundle, or undefined.
 */
export function verifyDemandedVsa(
  offered: Uint8Array | undefined,
  demand: VsaDemand & { readonly component: Component },
  check: SignatureCheck,
): Verdict<void, DemandedVsaCode> {
  const { image, vsaTarget } = demand.component;
  if (vsaTarget === undefined && demand.judging === undefined) {
    return offered === undefined
      ? accept(undefined)
      : reject('EVIDENCE_MISMATCH', `${image.name}: the channel names no summary`);
  }
  if (vsaTarget === undefined || offered === undefined) {
    return reject('VSA_MISSING', `${image.name} has no summary of a judgement`);
  }
  if (sha256Hex(offered) !== vsaTarget.sha256) {
    return reject('EVIDENCE_MISMATCH', `${vsaTarget.name} is not the file that the channel names`);
  }
  const vsa = verifyVsa(offered, demand, check);
  return vsa.ok ? accept(undefined) : vsa;
}

/** Decides whether `bytes`, a DSSE envelope, is the summary that `demand` asks for. Never throws. */
export function verifyVsa(
  bytes: Uint8Array,
  demand: VsaDemand,
  check: SignatureCheck,
): Verdict<Verified<Vsa>, VsaCode> {
  const envelope = parseEnvelope(bytes, STATEMENT_PAYLOAD_TYPE);
  if (!envelope.ok) return reject('ENVELOPE_MALFORMED', envelope.detail);
  const { payload, payloadType, signatures } = envelope.value;
  const message = preAuthEncoding(payloadType, payload);
  const { judging } = demand;
  const signers = (judging?.verifiers ?? []).filter(({ key }) =>
    signatures.some(({ sig }) => check(key, message, sig)),
  );
  if (judging === undefined || signers.length === 0) {
    return reject('VSA_SIGNATURE_INVALID', `no listed verifier has judged ${demand.component.image.name}`);
  }
  const parsed = parseVsa(payload);
  if (!parsed.ok) return reject('STATEMENT_MALFORMED', parsed.detail);
  const vsa = parsed.value;
  const differing = findMismatch(vsa, { ...demand, judging, signerIds: signers.map(({ id }) => id) });
  if (differing !== undefined) return reject('VSA_MISMATCH', `${demand.component.image.name}: ${differing}`);
  return vsa.result === 'PASSED'
    ? accept(markVerified(vsa))
    : reject('VSA_FAILED', `${demand.component.image.name} was judged unfit`);
}

/** What the summary says otherwise than is demanded, in words, or undefined. */
function findMismatch(
  vsa: Vsa,
  { repository, component, judging, signerIds }: VsaDemand & { judging: Judging; signerIds: readonly string[] },
): string | undefined {
  const { image, provenanceTarget, firmwareVersion, securityCounter, hardwareIds } = component;
  const { judged } = vsa;
  const demands: readonly (readonly [boolean, string])[] = [
    [signerIds.includes(vsa.verifierId), 'the summary names a verifier that is not its signer'],
    [vsa.subjects.some(({ sha256 }) => sha256 === image.sha256), 'the summary is about another image'],
    [vsa.resourceUri === resourceUriOf(repository, image.name), 'it was judged for another release or repository'],
    [acceptedPolicies(judging).includes(vsa.policy.sha256), 'it was judged by a policy that is not in force'],
    [vsa.inputAttestations.includes(provenanceTarget.sha256), 'it was judged by another provenance'],
    [judged.firmwareVersion === firmwareVersion, 'it was judged as another version'],
    [judged.securityCounter === securityCounter, `it was judged with security counter ${judged.securityCounter}`],
    [sameSet(judged.hardwareIds, hardwareIds), `it was judged for ${judged.hardwareIds.join(', ')}`],
  ];
  return demands.find(([holds]) => !holds)?.[1];
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.every((one) => b.includes(one)) && b.every((one) => a.includes(one));
}
