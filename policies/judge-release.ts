/**
 * The judgement of one image: facts from what was verified, put before the policies that people signed.
 *
 * - Facts about the build come from statements whose signatures were verified, and from the list of builders that people signed;
 *   the digest of the image is that of the bytes at hand. Nothing is taken from anybody's summary.
 * - The policies are the very bytes that people named by digest; any other text is refused before an engine sees it.
 * - A judgement names the policies that decided, with their reasons; a refusal says what is missing.
 * - It narrows and never widens: whatever a policy allows, devices still check what they always check.
 * - Independent is a builder of another key, issuer and administration than the first and each other that counts (rule R28); one
 *   without a signed issuer and administration never is.
 */
import { parseUtf8 } from '../formats/bytes.ts';
import type { SignedProvenance } from '../formats/provenance.ts';
import { reproduced } from '../formats/provenance.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { keyFingerprint } from '../formats/tuf-key.ts';
import type { Builder } from '../formats/trust-part.ts';
import { accept, reject, type Verdict, type Verified } from '../formats/verdict.ts';
import type { PolicyCode, PolicyDecision, PolicyEngine, PolicyRequest } from './policy-engine.ts';

/** What is to be released, as the channel says or is going to say. */
export type JudgedImage = {
  readonly product: string;
  readonly component: string;
  readonly firmwareVersion: string;
  readonly hardwareIds: readonly string[];
  readonly securityCounter: number;
  /** The counter of the release in force; undefined for a first one. */
  readonly formerSecurityCounter: number | undefined;
  /** Length and SHA-256 of the bytes at hand. */
  readonly length: number;
  readonly sha256: string;
};

/** What is known of one image: itself, its provenance, and statements of others who rebuilt it. */
export type ReleaseFacts = {
  readonly image: JudgedImage;
  readonly provenance: Verified<SignedProvenance>;
  readonly rebuilds: readonly Verified<SignedProvenance>[];
};

/** The policies, and the digest by which people named them. */
export type SignedPolicy = { readonly bytes: Uint8Array; readonly sha256: string };

export type Judgement = {
  readonly allowed: boolean;
  readonly policySha256: string;
  /** Ids of the policies that decided. */
  readonly policies: readonly string[];
  /** One sentence for each, and for what is missing where no policy applied. */
  readonly reasons: readonly string[];
  /** The levels that the image reaches, as a VSA names them; none unless allowed. */
  readonly levels: readonly string[];
};
export type JudgementCode = PolicyCode | 'POLICY_MISMATCH';

/** Judges one image. A denial is a judgement, too; a refusal means that there is none. */
export function judgeRelease(
  facts: ReleaseFacts,
  policy: SignedPolicy,
  engine: PolicyEngine,
): Verdict<Judgement, JudgementCode> {
  const sha256 = sha256Hex(policy.bytes);
  if (sha256 !== policy.sha256) {
    return reject('POLICY_MISMATCH', `SHA-256 ${sha256.slice(0, 12)}…, people signed ${policy.sha256.slice(0, 12)}…`);
  }
  const text = parseUtf8(policy.bytes);
  if (text === undefined) return reject('POLICY_MALFORMED', 'the text is not UTF-8');
  const decision = engine(text, requestOf(facts));
  return decision.ok ? accept(judgementOf(decision.value, sha256)) : decision;
}

function judgementOf({ allowed, decided, permits }: PolicyDecision, policySha256: string): Judgement {
  const missing = permits.map(({ id, reason }) => `no policy permits it; ${id} would if: ${reason}`);
  const levels = decided.flatMap(({ level }) => (allowed && level !== undefined ? [level] : []));
  return {
    allowed,
    policySha256,
    policies: decided.map(({ id }) => id),
    reasons: decided.length > 0 ? decided.map(({ id, reason }) => `${id}: ${reason}`) : missing,
    levels: [...new Set(levels)].sort(),
  };
}

/** The facts as policies see them; `policies/release.cedarschema` says what each means. */
function requestOf({ image, provenance: signed, rebuilds }: ReleaseFacts): PolicyRequest {
  const { provenance, signers } = signed;
  const named = signers.filter(({ id }) => id === provenance.builderId);
  const { uri, commit, algorithm } = provenance.source;
  return {
    principal: {
      id: provenance.builderId,
      attributes: {
        id: provenance.builderId,
        ...given('issuer', named[0]?.issuer),
        ...given('administration', named[0]?.administration),
        sources: named.map(({ source }) => source),
      },
    },
    resource: {
      id: image.sha256,
      attributes: {
        product: image.product,
        component: image.component,
        firmwareVersion: image.firmwareVersion,
        hardwareIds: [...image.hardwareIds],
        length: image.length,
        sha256: image.sha256,
      },
    },
    context: {
      signers: signers.map(({ id }) => id),
      subjects: provenance.subjects.map(({ sha256 }) => sha256),
      source: { uri, pin: commit, algorithm },
      runs: provenance.runs.length,
      reproduced: reproduced(provenance),
      independentRebuilds: countIndependent(image.sha256, named, rebuilds),
      counter: { offered: image.securityCounter, ...given('former', image.formerSecurityCounter) },
    },
  };
}

/** The member `name`, unless it has no value. */
function given<T extends string | number>(name: string, value: T | undefined): Record<string, T> {
  return value === undefined ? {} : { [name]: value };
}

/** How many of `rebuilds` made the image `sha256` independently of the builder `first`, and of each other. */
function countIndependent(
  sha256: string,
  first: readonly Builder[],
  rebuilds: readonly Verified<SignedProvenance>[],
): number {
  const counted = [...first];
  for (const { provenance, signers } of rebuilds) {
    const builder = signers.find(({ id }) => id === provenance.builderId);
    const isSame = provenance.subjects.some((subject) => subject.sha256 === sha256);
    if (builder !== undefined && isSame && counted.every((other) => areIndependent(builder, other))) {
      counted.push(builder);
    }
  }
  return first.length === 0 ? 0 : counted.length - first.length;
}

function areIndependent(a: Builder, b: Builder): boolean {
  const known = [a, b].every(({ issuer, administration }) => issuer !== undefined && administration !== undefined);
  return (
    known &&
    a.id !== b.id &&
    keyFingerprint(a.key) !== keyFingerprint(b.key) &&
    a.issuer !== b.issuer &&
    a.administration !== b.administration
  );
}
