/**
 * The judge: decides from the bytes whether an image may be released.
 *
 * - Everything is verified here, anew: the provenance by the builders that people listed, the policy by the digest that they signed.
 * - A denial is a judgement with its reasons; a refusal means that there is none.
 * - Key holders judge again before they sign (rule R4): `judgeAdded` decides over what the channel that is to be signed adds, from the
 *   same bytes, and needs no word of whoever judged before.
 */
import { verifyChannelRole, type SignedRoleCode } from '../bootloader-verifier/boot/verify-targets.ts';
import { verifySignedProvenance, type SignedProvenanceCode } from '../bootloader-verifier/boot/verify-provenance.ts';
import { verifyBinding, type BindingCode } from '../formats/binding.ts';
import { parseChannelPart } from '../formats/channel-part.ts';
import { acceptedPolicies } from '../formats/judging.ts';
import type { SignedProvenance } from '../formats/provenance.ts';
import { parseRelease, type Component, type Release } from '../formats/release.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { MetadataParseCode } from '../formats/tuf-metadata.ts';
import { parseTargets, type Targets } from '../formats/tuf-targets.ts';
import { accept, reject, type Verdict, type Verified } from '../formats/verdict.ts';
import type { JudgedRelease } from '../formats/vsa.ts';
import { judgeRelease, type Judgement, type JudgementCode } from '../policies/judge-release.ts';
import type { PolicyEngine } from '../policies/policy-engine.ts';
import type { JudgingTrust } from './judging-trust.ts';
import { checkSignature } from './signature-check-node.ts';

/** What is to be released: its place, what the channel is going to say of it, and the image's length and digest. */
export type ReleaseToJudge = JudgedRelease & {
  readonly component: string;
  readonly image: { readonly length: number; readonly sha256: string };
  /** The newest channel file, whose release in force counts as the former one; undefined where there is none. */
  readonly former: Uint8Array | undefined;
};
/** The files that it is judged by, as they are. */
export type JudgedFiles = {
  readonly policy: Uint8Array;
  readonly provenance: Uint8Array;
  readonly rebuilds: readonly Uint8Array[];
};
export type JudgeCode = JudgementCode | SignedProvenanceCode | FormerCode;
type FormerCode = MetadataParseCode | SignedRoleCode | BindingCode | 'RELEASE_MALFORMED';

/** Judges one image by the policy in force. */
export function judgeImage(
  trust: JudgingTrust,
  release: ReleaseToJudge,
  by: { readonly files: JudgedFiles; readonly engine: PolicyEngine },
): Verdict<Judgement, JudgeCode> {
  const provenance = verifySignedProvenance(by.files.provenance, trust.builders, checkSignature);
  if (!provenance.ok) return provenance;
  const rebuilds: Verified<SignedProvenance>[] = [];
  for (const bytes of by.files.rebuilds) {
    const rebuild = verifySignedProvenance(bytes, trust.builders, checkSignature);
    if (!rebuild.ok) return rebuild;
    rebuilds.push(rebuild.value);
  }
  const former = readFormer(trust, release.former);
  if (!former.ok) return former;
  const { component, firmwareVersion, hardwareIds, securityCounter } = release;
  const image = {
    ...{
      product: trust.repository.product,
      component,
      firmwareVersion,
      hardwareIds,
      securityCounter,
      ...release.image,
    },
    formerSecurityCounter: former.value?.components.find((found) => found.component === component)?.securityCounter,
  };
  const policy = { bytes: by.files.policy, sha256: trust.judging.policy.sha256 };
  return judgeRelease({ image, provenance: provenance.value, rebuilds }, policy, by.engine);
}

/** The judgement of one component of a channel. */
export type JudgedComponent = { readonly component: Component; readonly judgement: Judgement };
export type ReleasesToJudge = {
  /** The components of the releases that a channel adds, as it describes them. */
  readonly components: readonly Component[];
  /** The newest published file of the same channel, or undefined. */
  readonly former: Uint8Array | undefined;
  /** All statements at hand, in any order: each provenance is found by the digest that the channel names. */
  readonly statements: readonly Uint8Array[];
  /** The text of any policy whose judgements count. */
  readonly policy: Uint8Array;
};

/**
 * Judges what a channel adds, as a key holder does before signing.
 * @returns a judgement a component; `EVIDENCE_MISMATCH` where a provenance is not at hand.
 */
export function judgeAdded(
  trust: JudgingTrust,
  { components, former, statements, policy }: ReleasesToJudge,
  engine: PolicyEngine,
): Verdict<readonly JudgedComponent[], JudgeCode | 'EVIDENCE_MISMATCH'> {
  const sha256 = sha256Hex(policy);
  const named = acceptedPolicies(trust.judging).find((accepted) => accepted === sha256);
  const judging = { ...trust.judging, policy: { sha256: named ?? trust.judging.policy.sha256, stillAccepted: [] } };
  const judged: JudgedComponent[] = [];
  for (const component of components) {
    const { name, sha256 } = component.provenanceTarget;
    const provenance = statements.find((bytes) => sha256Hex(bytes) === sha256);
    if (provenance === undefined) return reject('EVIDENCE_MISMATCH', `${name} is not at hand`);
    const rebuilds = statements.filter((bytes) => bytes !== provenance && isAbout(trust, bytes, component));
    const files = { policy, provenance, rebuilds };
    const judgement = judgeImage({ ...trust, judging }, { ...component, former }, { files, engine });
    if (!judgement.ok) return judgement;
    judged.push({ component, judgement: judgement.value });
  }
  return accept(judged);
}

/** Whether `bytes` is a statement of a listed builder about this image. */
function isAbout({ builders }: JudgingTrust, bytes: Uint8Array, { image }: Component): boolean {
  const signed = verifySignedProvenance(bytes, builders, checkSignature);
  return signed.ok && signed.value.provenance.subjects.some(({ sha256 }) => sha256 === image.sha256);
}

/** The release in force in the former channel file, whose quorum is checked: its counter is a fact for the policy. */
function readFormer(trust: JudgingTrust, former: Uint8Array | undefined): Verdict<Release | undefined, FormerCode> {
  if (former === undefined) return accept(undefined);
  const parsed = parseTargets(former);
  if (!parsed.ok) return parsed;
  const name = roleOf(parsed.value.signed);
  const signed = verifyChannelRole(trust.targets, { name, bytes: former }, { check: checkSignature });
  return signed.ok ? readInForce(trust, former) : signed;
}

/** What a channel file puts in force, by its own words. */
function readInForce(trust: JudgingTrust, channel: Uint8Array): Verdict<Release, FormerCode> {
  const parsed = parseTargets(channel);
  if (!parsed.ok) return parsed;
  const { firmament, targets } = parsed.value.signed;
  const bound = verifyBinding(firmament, { repository: trust.repository, role: roleOf(parsed.value.signed) });
  if (!bound.ok) return bound;
  const part = parseChannelPart(firmament);
  return part.ok ? parseRelease(targets, part.value.release) : part;
}

/** The role that a channel file names for itself. */
function roleOf({ firmament }: Targets & { readonly firmament: ReadonlyMap<string, unknown> | undefined }): string {
  const role = firmament?.get('role');
  return typeof role === 'string' ? role : '';
}
