/**
 * The one object that a request for an identity is (rule R23): signed by the evidence key, and by the old identity where there is one.
 *
 * - It binds the signer's nonce, the request for a certificate, the purpose, the product and the evidence: no part can be exchanged.
 * - `enrol` is the first identity, or one after the former has expired: the factory key stands behind it through the boot statement.
 * - `rotate` names the certificate that it follows, whose key signs too.
 * - Unknown members are refused. Specified in `docs/formats/identity.md`.
 */
import {
  base64Bytes,
  decodeJson,
  hexText,
  literal,
  object,
  oneOf,
  optional,
  refine,
  shape,
  type Decoder,
} from './decode.ts';
import { encodeBase64 } from './bytes.ts';
import { encodeJson } from './encode-json.ts';
import { EVIDENCE_BYTES_MAX } from './evidence.ts';
import type { JsonValue } from './json.ts';
import { nameDecoder } from './names.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type EnrolmentPurpose = 'enrol' | 'rotate';
export type Enrolment = {
  readonly purpose: EnrolmentPurpose;
  readonly product: string;
  /** SHA-256 of the file of root version 1, in hex. */
  readonly root: string;
  readonly deviceId: string;
  /** The signer's nonce, in hex. */
  readonly nonce: string;
  /** SHA-256 of the PKCS#10 request in DER, in hex. */
  readonly csr: string;
  /** SHA-256 of the evidence, in hex. */
  readonly evidence: string;
  /** SHA-256 of the certificate that this one follows, in DER, in hex; for `rotate` alone. */
  readonly predecessor: string | undefined;
};
/** What travels beside the request: the boot statement, the evidence, and the object in its envelope. */
export type IdentityProof = {
  readonly statement: Uint8Array;
  readonly evidence: Uint8Array;
  readonly enrolment: Uint8Array;
};
/** A device's word that it uses an identity from now on: the one before ends with it. */
export type IdentityUse = {
  readonly product: string;
  readonly root: string;
  readonly deviceId: string;
  /** SHA-256 of the certificate in DER, in hex. */
  readonly certificate: string;
};

/** The DSSE payload types. */
export const ENROLMENT_PAYLOAD_TYPE = 'application/vnd.firmament.enrolment+json';
export const IDENTITY_USE_PAYLOAD_TYPE = 'application/vnd.firmament.identity-use+json';
/** The nonce of the signer: when it was made, what is random, and the signer's own mark. */
const NONCE_BYTES = 48;
export const IDENTITY_PROOF_BYTES_MAX = 12_288;
const PAYLOAD_BYTES_MAX = 2_048;
const PART_BYTES_MAX = 4_096;

const enrolmentDecoder: Decoder<Enrolment> = refine(
  object('refused', {
    version: literal(1),
    purpose: oneOf('enrol', 'rotate'),
    product: nameDecoder,
    root: hexText(32),
    deviceId: hexText(32),
    nonce: hexText(NONCE_BYTES),
    csr: hexText(32),
    evidence: hexText(32),
    predecessor: optional(hexText(32)),
  }),
  ({ version: _, ...enrolment }) =>
    (enrolment.purpose === 'rotate') === (enrolment.predecessor !== undefined)
      ? accept(enrolment)
      : shape('.predecessor: it stands where an identity is followed'),
);

const proofDecoder: Decoder<IdentityProof> = refine(
  object('refused', {
    version: literal(1),
    statement: base64Bytes(PART_BYTES_MAX),
    evidence: base64Bytes(EVIDENCE_BYTES_MAX),
    enrolment: base64Bytes(PART_BYTES_MAX),
  }),
  ({ version: _, ...proof }) => accept(proof),
);

const useDecoder: Decoder<IdentityUse> = refine(
  object('refused', {
    version: literal(1),
    product: nameDecoder,
    root: hexText(32),
    deviceId: hexText(32),
    certificate: hexText(32),
  }),
  ({ version: _, ...use }) => accept(use),
);

/** Parses the payload of the object's envelope. */
export function parseEnrolment(payload: Uint8Array): Verdict<Enrolment, 'ENROLMENT_MALFORMED'> {
  return decoded(payload, PAYLOAD_BYTES_MAX, enrolmentDecoder);
}

/** The payload that evidence key and old identity sign. */
export function encodeEnrolment(enrolment: Enrolment): Uint8Array {
  return encodeMembers(enrolment);
}

/** Parses what travels beside a request. */
export function parseIdentityProof(bytes: Uint8Array): Verdict<IdentityProof, 'ENROLMENT_MALFORMED'> {
  return decoded(bytes, IDENTITY_PROOF_BYTES_MAX, proofDecoder);
}

/** The bytes of what travels beside a request. */
export function encodeIdentityProof(proof: IdentityProof): Uint8Array {
  const { statement, evidence, enrolment } = proof;
  return encodeMembers({
    statement: encodeBase64(statement),
    evidence: encodeBase64(evidence),
    enrolment: encodeBase64(enrolment),
  });
}

/** Parses the payload of a use's envelope. */
export function parseIdentityUse(payload: Uint8Array): Verdict<IdentityUse, 'ENROLMENT_MALFORMED'> {
  return decoded(payload, PAYLOAD_BYTES_MAX, useDecoder);
}

/** The payload that an identity's key signs when it is used first. */
export function encodeIdentityUse(use: IdentityUse): Uint8Array {
  return encodeMembers(use);
}

function decoded<T>(bytes: Uint8Array, bytesMax: number, decoder: Decoder<T>): Verdict<T, 'ENROLMENT_MALFORMED'> {
  const value = decodeJson(bytes, bytesMax, decoder);
  return value.ok ? value : reject('ENROLMENT_MALFORMED', `${value.code}: ${value.detail}`);
}

function encodeMembers(members: Readonly<Record<string, string | undefined>>): Uint8Array {
  const json = new Map<string, JsonValue>([['version', 1]]);
  for (const [name, value] of Object.entries(members)) if (value !== undefined) json.set(name, value);
  return encodeJson(json);
}
