/**
 * The device's half of a request for an identity: evidence of this start, and the one object that binds all parts (rule R23).
 *
 * - Evidence is signed by the key that the boot stage made for this start, under the signer's nonce.
 * - The object is signed by that key too, and by the old identity's where there is one.
 */
import { encode, rfc8949EncodeOptions } from 'cborg';
import { concatBytes, encodeHex, parseHex } from '../../formats/bytes.ts';
import { encodeEnvelope, preAuthEncoding, type EnvelopeSignature } from '../../formats/dsse.ts';
import { signEd25519 } from '../../formats/ed25519-key.ts';
import {
  ENROLMENT_PAYLOAD_TYPE,
  encodeEnrolment,
  encodeIdentityProof,
  encodeIdentityUse,
  IDENTITY_USE_PAYLOAD_TYPE,
  type IdentityUse,
} from '../../formats/enrolment.ts';
import {
  CLAIM,
  COSE_SIGN1_TAG,
  EVIDENCE_PROFILE,
  evidenceMessage,
  MEASUREMENTS_FORMAT,
  PROTECTED_HEADER,
  UEID_RANDOM,
} from '../../formats/evidence.ts';
import type { HeldIdentity } from '../../formats/held-identities.ts';
import { sha256Bytes, sha256Hex } from '../../formats/sha256.ts';
import type { BootIdentity } from '../boot/measure-boot.ts';

export type IdentityRequest = {
  readonly nonce: Uint8Array;
  /** PKCS#10 in DER. */
  readonly csr: Uint8Array;
  /** Whether what runs has passed its self-test. */
  readonly confirmed: boolean;
  /** The identity that is to be followed; undefined for a first one. */
  readonly former: HeldIdentity | undefined;
};

/** The proof that goes with `request`. */
export function proveIdentity(identity: BootIdentity, request: IdentityRequest): Uint8Array {
  const { boot, statement, evidenceSeed } = identity;
  const { nonce, csr, former } = request;
  const evidence = encodeEvidence(identity, request);
  const payload = encodeEnrolment({
    purpose: former === undefined ? 'enrol' : 'rotate',
    product: boot.product,
    root: boot.root,
    deviceId: boot.deviceId,
    nonce: encodeHex(nonce),
    csr: sha256Hex(csr),
    evidence: sha256Hex(evidence),
    predecessor: former && sha256Hex(former.certificate),
  });
  const seeds = former === undefined ? [evidenceSeed] : [evidenceSeed, former.seed];
  return encodeIdentityProof({ statement, evidence, enrolment: signed(ENROLMENT_PAYLOAD_TYPE, payload, seeds) });
}

/** The word that `held` is used from now on. */
export function signIdentityUse(use: IdentityUse, held: HeldIdentity): Uint8Array {
  return signed(IDENTITY_USE_PAYLOAD_TYPE, encodeIdentityUse(use), [held.seed]);
}

/** The evidence of this start: an EAT in COSE_Sign1. */
function encodeEvidence({ boot, statement, evidenceSeed }: BootIdentity, request: IdentityRequest): Uint8Array {
  const measured = new Map(
    boot.components.map(({ component, image, securityCounter }) => [component, [bytesOf(image), securityCounter]]),
  );
  const payload = cbor(
    new Map<number, unknown>([
      [CLAIM.nonce, request.nonce],
      [CLAIM.ueid, concatBytes(Uint8Array.of(UEID_RANDOM), bytesOf(boot.deviceId))],
      [CLAIM.profile, EVIDENCE_PROFILE],
      [CLAIM.measurements, [[MEASUREMENTS_FORMAT, cbor(measured)]]],
      [CLAIM.statement, sha256Bytes(statement)],
      [CLAIM.confirmed, request.confirmed],
    ]),
  );
  const signature = signEd25519(evidenceMessage(payload), evidenceSeed);
  const tag = Uint8Array.of(0xc0 + COSE_SIGN1_TAG);
  return concatBytes(tag, cbor([PROTECTED_HEADER, new Map(), payload, signature]));
}

function cbor(value: unknown): Uint8Array {
  return encode(value, rfc8949EncodeOptions);
}

function bytesOf(hex: string): Uint8Array {
  return parseHex(hex) ?? new Uint8Array();
}

function signed(payloadType: string, payload: Uint8Array, seeds: readonly Uint8Array[]): Uint8Array {
  const message = preAuthEncoding(payloadType, payload);
  const signatures: readonly EnvelopeSignature[] = seeds.map((seed) => ({
    keyid: '',
    sig: signEd25519(message, seed),
  }));
  return encodeEnvelope({ payloadType, payload, signatures });
}
