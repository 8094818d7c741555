/**
 * Issuing identities: one object, signed by the evidence and by the old identity, for one certificate (rules R23 and R25).
 *
 * - No oracle: it takes the bytes of a request and of its proof, and judges them all, from the nonce to what is published.
 * - The nonce is spent before anything is written, and the ledger written before a certificate leaves.
 * - A fork is one only once both signatures of the second request have been checked: nobody ends a stranger's identity.
 */
import type { RepositoryId } from '../../formats/binding.ts';
import { encodeHex, equalBytes, parseHex } from '../../formats/bytes.ts';
import { parseEnvelope } from '../../formats/dsse.ts';
import {
  ENROLMENT_PAYLOAD_TYPE,
  IDENTITY_USE_PAYLOAD_TYPE,
  parseEnrolment,
  parseIdentityProof,
  parseIdentityUse,
  type Enrolment,
  type EnrolmentPurpose,
  type IdentityProof,
} from '../../formats/enrolment.ts';
import type { Instant } from '../../formats/instant.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { verifyEnvelope, type EnvelopeCode } from '../../formats/verify-envelope.ts';
import type { Signer } from '../signer.ts';
import { issueLeaf, verifyCertificateRequest, type CertificateAuthority } from './certificate-authority.ts';
import { certificatesOnly } from './certificates-only.ts';
import {
  followedBy,
  keyOfIdentity,
  reinstate,
  stepForked,
  stepIssued,
  useIdentity,
  type DeviceIdentities,
  type Followed,
  type IdentityCode,
} from './device-identities.ts';
import type { IdentityLedger } from './identity-ledger.ts';
import type { Nonces } from './nonces.ts';
import type { ApprovedReleases } from './verify-approved-releases.ts';
import { verifyBootEvidence, type AppraisalCode, type ProvenBoot } from './verify-boot-evidence.ts';
import type { KnownDevices } from './verify-manifests.ts';

export type Issuing = {
  readonly repository: RepositoryId;
  /** The CA's key; under which name it issues, people say in the targets role. */
  readonly caSigner: Signer;
  readonly ledger: IdentityLedger;
  readonly nonces: Nonces;
  readonly check: SignatureCheck;
  /** How long a certificate lives, in milliseconds. */
  readonly lifetimeMs: number;
  /** `count` random bytes. */
  readonly random: (count: number) => Uint8Array;
};
/** What is believed at the moment of a request. */
export type IssuingView = {
  readonly devices: KnownDevices;
  readonly approved: ApprovedReleases;
  readonly ca: CertificateAuthority;
  readonly now: Instant;
};
export type IssueCode =
  AppraisalCode | EnvelopeCode | IdentityCode | 'ENROLMENT_MALFORMED' | 'EVIDENCE_STALE' | 'CSR_REFUSED';
export type IssuedCertificate = {
  /** In DER. */
  readonly certificate: Uint8Array;
  /** The certificate alone, in PKCS#7. */
  readonly answer: Uint8Array;
  readonly deviceId: string;
  readonly notAfter: Instant;
};

/** A device's clock may be behind the signer's by this much. */
const CLOCK_SLACK_MS = 300_000;
const SECOND_MS = 1_000;

/**
 * Judges `request`, a PKCS#10 request in DER and its proof, and issues a certificate for it.
 * @param request.purpose what it was handed in for, which must be what was signed.
 */
export async function issueIdentity(
  issuing: Issuing,
  view: IssuingView,
  request: { readonly purpose: EnrolmentPurpose; readonly csr: Uint8Array; readonly proof: Uint8Array },
): Promise<Verdict<IssuedCertificate, IssueCode>> {
  const proof = parseIdentityProof(request.proof);
  if (!proof.ok) return proof;
  return issuing.ledger.exclusively(async () => {
    const checked = await checkRequest(issuing, view, { csr: request.csr, proof: proof.value });
    if (!checked.ok) return checked;
    const { device, enrolment, followed, boot } = checked.value;
    if (enrolment.purpose !== request.purpose) {
      return reject('EVIDENCE_MISMATCH', `it was signed to ${enrolment.purpose}, not to ${request.purpose}`);
    }
    const nonce = parseHex(enrolment.nonce) ?? new Uint8Array();
    const spent = issuing.nonces.spend(nonce, device.deviceId, view.now);
    if (!spent.ok) return spent;
    if (followed.isFork) {
      await issuing.ledger.write(stepForked(device));
      return reject('IDENTITY_FORKED', 'two devices follow one and the same identity: both have ended');
    }
    return issueTo(issuing, view, { device, boot, followed, publicKey: checked.value.publicKey });
  });
}

type CheckedRequest = {
  readonly device: DeviceIdentities;
  readonly enrolment: Enrolment;
  readonly followed: Followed;
  readonly boot: ProvenBoot;
  readonly publicKey: Uint8Array;
};

async function checkRequest(
  issuing: Issuing,
  view: IssuingView,
  { csr, proof }: { readonly csr: Uint8Array; readonly proof: IdentityProof },
): Promise<Verdict<CheckedRequest, IssueCode>> {
  const { ledger, repository, check, nonces } = issuing;
  const envelope = parseEnvelope(proof.enrolment, ENROLMENT_PAYLOAD_TYPE);
  if (!envelope.ok) return envelope;
  const claimed = parseEnrolment(envelope.value.payload);
  if (!claimed.ok) return claimed;
  if (!view.devices.has(claimed.value.deviceId)) return reject('DEVICE_UNKNOWN', 'no manifest names this device');
  const enrolment = claimed.value;
  const device = reinstate(await ledger.read(enrolment.deviceId), enrolment.predecessor);
  const boot = verifyBootEvidence(proof, {
    repository,
    devices: view.devices,
    approved: view.approved,
    check,
    provenCounters: (deviceId) => (deviceId === device.deviceId ? device.securityCounters : new Map()),
  });
  if (!boot.ok) return boot;
  const key = { keytype: 'ed25519', scheme: 'ed25519', public: boot.value.boot.evidenceKey };
  const signed = verifyEnvelope(proof.enrolment, { payloadType: ENROLMENT_PAYLOAD_TYPE, key }, check);
  if (!signed.ok) return signed;
  const bound = checkBound(enrolment, { csr, proof, boot: boot.value, repository });
  if (!bound.ok) return bound;
  const fresh = nonces.check(boot.value.evidence.nonce, view.now);
  if (!fresh.ok) return fresh;
  const publicKey = verifyCertificateRequest(csr);
  if (!publicKey.ok) return publicKey;
  const followed = followedBy(device, { ...enrolment, publicKey: encodeHex(publicKey.value) }, view.now);
  if (!followed.ok) return followed;
  const { identity } = followed.value;
  if (identity !== undefined) {
    const old = { keytype: 'ed25519', scheme: 'ed25519', public: identity.publicKey };
    const bySame = verifyEnvelope(proof.enrolment, { payloadType: ENROLMENT_PAYLOAD_TYPE, key: old }, check);
    if (!bySame.ok) return bySame;
  }
  return accept({ device, enrolment, followed: followed.value, boot: boot.value, publicKey: publicKey.value });
}

/** Whether the object names this very request, evidence, device, nonce and repository. */
function checkBound(
  enrolment: Enrolment,
  to: {
    readonly csr: Uint8Array;
    readonly proof: IdentityProof;
    readonly boot: ProvenBoot;
    readonly repository: RepositoryId;
  },
): Verdict<void, 'EVIDENCE_MISMATCH' | 'REPOSITORY_MISMATCH'> {
  const { csr, proof, boot, repository } = to;
  if (enrolment.product !== repository.product || enrolment.root !== repository.rootOneSha256) {
    return reject('REPOSITORY_MISMATCH', 'the request is of another product, or of another root 1');
  }
  if (enrolment.csr !== sha256Hex(csr)) return reject('EVIDENCE_MISMATCH', 'another certificate request was signed');
  if (enrolment.evidence !== sha256Hex(proof.evidence)) return reject('EVIDENCE_MISMATCH', 'other evidence was signed');
  const nonce = parseHex(enrolment.nonce) ?? new Uint8Array();
  return enrolment.deviceId === boot.device.deviceId && equalBytes(nonce, boot.evidence.nonce)
    ? accept(undefined)
    : reject('EVIDENCE_MISMATCH', 'the request and its evidence are of another device or nonce');
}

async function issueTo(
  { repository, ledger, lifetimeMs, random }: Issuing,
  { ca, now }: IssuingView,
  to: {
    readonly device: DeviceIdentities;
    readonly boot: ProvenBoot;
    readonly followed: Followed;
    readonly publicKey: Uint8Array;
  },
): Promise<Verdict<IssuedCertificate, never>> {
  const { device, boot, followed, publicKey } = to;
  const { deviceId } = device;
  const notAfter = Math.floor((now + lifetimeMs) / SECOND_MS) * SECOND_MS;
  const predecessor = followed.identity?.certificate;
  const certificate = await issueLeaf(ca, {
    deviceId,
    publicKey,
    serial: random(16),
    notBefore: Math.floor((now - CLOCK_SLACK_MS) / SECOND_MS) * SECOND_MS,
    notAfter,
    extension: {
      product: repository.product,
      root: repository.rootOneSha256,
      class: boot.device.class,
      release: boot.boot.release,
      components: boot.evidence.measurements,
      predecessor,
    },
  });
  const issued = { certificate: sha256Hex(certificate), publicKey: encodeHex(publicKey), notAfter };
  const securityCounters = new Map(
    boot.boot.components.map(({ component, securityCounter }) => [component, securityCounter]),
  );
  await ledger.write(stepIssued(device, issued, { followed: predecessor, securityCounters }));
  return accept({ certificate, answer: certificatesOnly(certificate), deviceId, notAfter });
}

/** Judges a device's word that it uses an identity from now on, and ends the one before. */
export async function confirmUse(
  { ledger, repository, check }: Pick<Issuing, 'ledger' | 'repository' | 'check'>,
  bytes: Uint8Array,
): Promise<Verdict<void, IdentityCode | EnvelopeCode | 'ENROLMENT_MALFORMED' | 'REPOSITORY_MISMATCH'>> {
  const envelope = parseEnvelope(bytes, IDENTITY_USE_PAYLOAD_TYPE);
  if (!envelope.ok) return envelope;
  const use = parseIdentityUse(envelope.value.payload);
  if (!use.ok) return use;
  const { deviceId, certificate, product, root } = use.value;
  if (product !== repository.product || root !== repository.rootOneSha256) {
    return reject('REPOSITORY_MISMATCH', 'the identity is of another product, or of another root 1');
  }
  return ledger.exclusively(async () => {
    const device = await ledger.read(deviceId);
    const publicKey = keyOfIdentity(device, certificate);
    if (publicKey === undefined) return reject('IDENTITY_UNKNOWN', 'this signer has issued no such identity');
    const key = { keytype: 'ed25519', scheme: 'ed25519', public: publicKey };
    const signed = verifyEnvelope(bytes, { payloadType: IDENTITY_USE_PAYLOAD_TYPE, key }, check);
    if (!signed.ok) return signed;
    const after = useIdentity(device, certificate);
    if (!after.ok) return after;
    if (after.value !== device) await ledger.write(after.value);
    return after.value.isForked
      ? reject('IDENTITY_FORKED', 'two devices follow one and the same identity: both have ended')
      : accept(undefined);
  });
}
