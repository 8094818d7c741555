/**
 * Whether an image was built as this product's people demand: by a listed builder, from the listed source, reproducibly.
 *
 * - The envelope is checked against the keys of the targets role's builders; only the builder whose key signed may be named.
 * - Verify, then parse: the statement is read only after its signature has been found valid.
 * - The subject must be the very image; source and builder must be the listed ones; two runs must agree with it.
 * - Source: SLSA v1 "Verifying artifacts", steps 1 and 2; DSSE v1.0.2; in-toto Statement v1.
 */
import { parseEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { parseProvenance, reproduced, type Provenance, type SignedProvenance } from '../../formats/provenance.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { STATEMENT_PAYLOAD_TYPE } from '../../formats/statement.ts';
import type { Builder } from '../../formats/trust-part.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';

export type SignedProvenanceCode = 'ENVELOPE_MALFORMED' | 'STATEMENT_MALFORMED' | 'EVIDENCE_SIGNATURE_INVALID';
export type ProvenanceCode =
  | SignedProvenanceCode
  | 'PROVENANCE_SUBJECT_MISMATCH'
  | 'PROVENANCE_BUILDER_MISMATCH'
  | 'PROVENANCE_SOURCE_MISMATCH'
  | 'PROVENANCE_NOT_REPRODUCED';

/**
 * Decides whether `bytes`, a DSSE envelope, is provenance that `builders` allow for the image `imageSha256`.
 * @param builders the builders that the targets role of this repository lists.
 */
export function verifyProvenance(
  bytes: Uint8Array,
  demanded: { readonly imageSha256: string; readonly builders: readonly Builder[] },
  check: SignatureCheck,
): Verdict<Verified<Provenance>, ProvenanceCode> {
  const signed = verifySignedProvenance(bytes, demanded.builders, check);
  return signed.ok ? judgeProvenance(signed.value, demanded.imageSha256) : signed;
}

/**
 * Decides whether `bytes`, a DSSE envelope, is provenance that one of `builders` signed, and no more: what it claims is for a
 * policy to judge.
 */
export function verifySignedProvenance(
  bytes: Uint8Array,
  builders: readonly Builder[],
  check: SignatureCheck,
): Verdict<Verified<SignedProvenance>, SignedProvenanceCode> {
  const envelope = parseEnvelope(bytes, STATEMENT_PAYLOAD_TYPE);
  if (!envelope.ok) return reject('ENVELOPE_MALFORMED', envelope.detail);
  const { payload, payloadType, signatures } = envelope.value;
  const message = preAuthEncoding(payloadType, payload);
  const signers = builders.filter(({ key }) => signatures.some(({ sig }) => check(key, message, sig)));
  if (signers.length === 0) return reject('EVIDENCE_SIGNATURE_INVALID', 'no listed builder has signed the provenance');
  const parsed = parseProvenance(payload);
  if (!parsed.ok) return reject('STATEMENT_MALFORMED', parsed.detail);
  return accept(markVerified({ provenance: parsed.value, signers }));
}

/** The checks on the content, once it is known who signed it. */
function judgeProvenance(
  { provenance, signers }: Verified<SignedProvenance>,
  imageSha256: string,
): Verdict<Verified<Provenance>, ProvenanceCode> {
  if (!provenance.subjects.some(({ sha256 }) => sha256 === imageSha256)) {
    return reject('PROVENANCE_SUBJECT_MISMATCH', 'the provenance is about another image');
  }
  const named = signers.filter(({ id }) => id === provenance.builderId);
  if (named.length === 0) {
    return reject('PROVENANCE_BUILDER_MISMATCH', 'the provenance names a builder that is not its signer');
  }
  if (!named.some(({ source }) => source === provenance.source.uri)) {
    return reject('PROVENANCE_SOURCE_MISMATCH', 'the provenance names a source that is not the listed one');
  }
  if (!reproduced(provenance)) {
    return reject('PROVENANCE_NOT_REPRODUCED', 'two runs with the same digest are demanded');
  }
  return accept(markVerified(provenance));
}
