/**
 * SLSA verification summaries: a verifier has judged one image by one policy, from these statements, with this outcome.
 *
 * - It names the image by digest, and by the URI under which this repository releases it (rule R1).
 * - It names the policy and every statement that it rests on by digest (rule R29).
 * - What the policy saw of the release itself, and no statement says, stands in an extension under a URI, as SLSA has it.
 * - Other unknown members are ignored (SLSA's parsing rules), which never allows more.
 * - The parser says what the verifier claims. Who it is, and whether that is enough, `boot/verify-vsa.ts` decides.
 * - Source: https://slsa.dev/verification_summary/v1 (1.2); ours is specified in `docs/formats/vsa.md`.
 */
import type { RepositoryId } from './binding.ts';
import { encodeUtf8 } from './bytes.ts';
import { hexText, integer, list, object, oneOf, refine, text, type Decoder } from './decode.ts';
import { encodeInstant, instantDecoder, type Instant } from './instant.ts';
import { firmwareVersionDecoder, nameDecoder } from './names.ts';
import { uriDecoder } from './provenance.ts';
import { HARDWARE_IDS_MAX } from './release.ts';
import { parseStatement, statementToPlain, type Subject } from './statement.ts';
import { accept, type Verdict } from './verdict.ts';

const VSA_PREDICATE_TYPE = 'https://slsa.dev/verification_summary/v1';
/** The extension that says what of the release was judged. */
export const JUDGED_MEMBER = 'https://firmament.dev/vsa/judged/v1';
/** The policy of releases, whatever its text; the digest says which text. */
export const RELEASE_POLICY_URI = 'firmament:policy/release';
/** The first statement, and as many rebuilds as a policy counts. */
export const INPUTS_MAX = 17;
const LEVELS_MAX = 16;
const SLSA_VERSION = '1.2';

/** What of a release the policy saw: a channel that says otherwise has not been judged. */
export type JudgedRelease = {
  readonly firmwareVersion: string;
  readonly securityCounter: number;
  readonly hardwareIds: readonly string[];
};

export type Vsa = {
  readonly subjects: readonly Subject[];
  readonly verifierId: string;
  readonly timeVerified: Instant;
  /** Where the image is released (`resourceUriOf`). */
  readonly resourceUri: string;
  readonly policy: { readonly uri: string; readonly sha256: string };
  /** SHA-256 of the files of all statements that it rests on, the provenance first. */
  readonly inputAttestations: readonly string[];
  readonly result: 'PASSED' | 'FAILED';
  readonly verifiedLevels: readonly string[];
  readonly judged: JudgedRelease;
};

const digest = object('ignored', { sha256: hexText(32) });
const attestation: Decoder<string> = refine(object('ignored', { digest }), (input) => accept(input.digest.sha256));

const predicateDecoder = refine(
  object('ignored', {
    verifier: object('ignored', { id: uriDecoder }),
    timeVerified: instantDecoder,
    resourceUri: uriDecoder,
    policy: object('ignored', { uri: uriDecoder, digest }),
    inputAttestations: list(attestation, INPUTS_MAX, 1),
    verificationResult: oneOf('PASSED', 'FAILED'),
    verifiedLevels: list(text(64, /[A-Z0-9_]+/), LEVELS_MAX),
    [JUDGED_MEMBER]: object('refused', {
      firmwareVersion: firmwareVersionDecoder,
      securityCounter: integer(0),
      hardwareIds: list(nameDecoder, HARDWARE_IDS_MAX, 1),
    }),
  }),
  ({ verifier, policy, verificationResult, [JUDGED_MEMBER]: judged, ...rest }) =>
    accept({
      ...rest,
      verifierId: verifier.id,
      policy: { uri: policy.uri, sha256: policy.digest.sha256 },
      result: verificationResult,
      judged,
    }),
);

/**
 * Parses the payload of an envelope whose signature has been verified.
 * @returns what the verifier claims, or `STATEMENT_MALFORMED` with the place of the fault. Never throws.
 */
export function parseVsa(payload: Uint8Array): Verdict<Vsa, 'STATEMENT_MALFORMED'> {
  const type = { predicateType: VSA_PREDICATE_TYPE, predicate: predicateDecoder };
  const statement = parseStatement(payload, type);
  return statement.ok ? accept({ subjects: statement.value.subjects, ...statement.value.predicate }) : statement;
}

/** The payload of a summary: the same bytes for the same content. */
export function encodeVsa(vsa: Vsa): Uint8Array {
  const { firmwareVersion, securityCounter, hardwareIds } = vsa.judged;
  const predicate = {
    verifier: { id: vsa.verifierId },
    timeVerified: encodeInstant(vsa.timeVerified),
    resourceUri: vsa.resourceUri,
    policy: { uri: vsa.policy.uri, digest: { sha256: vsa.policy.sha256 } },
    inputAttestations: vsa.inputAttestations.map((sha256) => ({ digest: { sha256 } })),
    verificationResult: vsa.result,
    verifiedLevels: vsa.verifiedLevels,
    slsaVersion: SLSA_VERSION,
    [JUDGED_MEMBER]: { firmwareVersion, securityCounter, hardwareIds },
  };
  return encodeUtf8(JSON.stringify(statementToPlain(vsa.subjects, { predicateType: VSA_PREDICATE_TYPE, predicate })));
}

/** The URI of a target of `repository`: root 1, product, and the target's name. */
export function resourceUriOf(repository: RepositoryId, targetName: string): string {
  return `firmament:${repository.rootOneSha256}/${repository.product}/${targetName}`;
}
