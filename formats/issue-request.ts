/**
 * A device's request for an identity on its way to the signer: what EST brings, in one body.
 *
 * - It says nothing by itself: what counts is signed inside the proof, and names the digest of the certificate request.
 * - Specified in `docs/formats/signer.md`.
 */
import { encodeBase64 } from './bytes.ts';
import { base64Bytes, decodeJson, literal, object, oneOf, refine, type Decoder } from './decode.ts';
import { encodeJson } from './encode-json.ts';
import { IDENTITY_PROOF_BYTES_MAX, type EnrolmentPurpose } from './enrolment.ts';
import type { JsonValue } from './json.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type IssueRequest = {
  /** What it was handed in for, which must be what was signed. */
  readonly purpose: EnrolmentPurpose;
  /** PKCS#10 in DER. */
  readonly csr: Uint8Array;
  /** The bytes of an identity proof. */
  readonly proof: Uint8Array;
};

export const CSR_BYTES_MAX = 2_048;
export const ISSUE_REQUEST_BYTES_MAX = 20_480;

const requestDecoder: Decoder<IssueRequest> = refine(
  object('refused', {
    version: literal(1),
    purpose: oneOf('enrol', 'rotate'),
    csr: base64Bytes(CSR_BYTES_MAX),
    proof: base64Bytes(IDENTITY_PROOF_BYTES_MAX),
  }),
  ({ version: _, ...request }) => accept(request),
);

/** Parses the body of a request. */
export function parseIssueRequest(body: Uint8Array): Verdict<IssueRequest, 'ENROLMENT_MALFORMED'> {
  const request = decodeJson(body, ISSUE_REQUEST_BYTES_MAX, requestDecoder);
  return request.ok ? request : reject('ENROLMENT_MALFORMED', `${request.code}: ${request.detail}`);
}

/** The body of a request. */
export function encodeIssueRequest({ purpose, csr, proof }: IssueRequest): Uint8Array {
  return encodeJson(
    new Map<string, JsonValue>([
      ['version', 1],
      ['purpose', purpose],
      ['csr', encodeBase64(csr)],
      ['proof', encodeBase64(proof)],
    ]),
  );
}
