/**
 * The appraisal: whether a device has proven that it runs what people approved (rules R17, R23 and R24).
 *
 * In this order, the authenticating checks first:
 * - the device is one that a factory made; its boot statement is of its factory key;
 * - the evidence is signed by the key of that statement, names it, and says of the boot what it says;
 * - the class of the device is one whose evidence can be judged here;
 * - the release is confirmed, its counters are no lower than any that this device has proven, nor than the channel demands;
 * - no image is revoked, and the release is one of the device's published channel, digest by digest.
 * The nonce is judged by whoever made it.
 */
import type { RepositoryId } from '../../formats/binding.ts';
import type { BootStatement, MeasuredComponent } from '../../formats/boot-statement.ts';
import type { IdentityProof } from '../../formats/enrolment.ts';
import { parseEvidence, type Evidence } from '../../formats/evidence.ts';
import type { ManifestDevice } from '../../formats/factory-manifest.ts';
import { parseRelease } from '../../formats/release.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';
import { verifyBootStatement, type BootStatementCode } from '../../formats/verify-boot-statement.ts';
import type { ApprovedChannel, ApprovedReleases } from './verify-approved-releases.ts';
import type { KnownDevices } from './verify-manifests.ts';

/** What evidence is held against. */
export type ReferenceValues = {
  readonly repository: RepositoryId;
  readonly devices: KnownDevices;
  readonly approved: ApprovedReleases;
  readonly check: SignatureCheck;
  /** The highest counters that the device has proven before, by component. */
  readonly provenCounters: (deviceId: string) => ReadonlyMap<string, number>;
};
/** A boot that was proven, and by which device. */
export type ProvenBoot = Verified<{
  readonly device: ManifestDevice;
  readonly boot: BootStatement;
  readonly evidence: Evidence;
}>;
export type AppraisalCode =
  | BootStatementCode
  | 'DEVICE_UNKNOWN'
  | 'EVIDENCE_UNSUPPORTED'
  | 'BOOT_UNCONFIRMED'
  | 'BOOT_NOT_APPROVED'
  | 'IMAGE_ROLLBACK'
  | 'IMAGE_REVOKED';

/** Judges the boot statement and the evidence of `proof`. */
export function verifyBootEvidence(
  proof: Pick<IdentityProof, 'statement' | 'evidence'>,
  reference: ReferenceValues,
): Verdict<ProvenBoot, AppraisalCode> {
  const { repository, check } = reference;
  const signed = parseEvidence(proof.evidence);
  if (!signed.ok) return signed;
  const { evidence, message, signature } = signed.value;
  const device = reference.devices.get(evidence.deviceId);
  if (device === undefined) {
    return reject('DEVICE_UNKNOWN', `no manifest names device ${evidence.deviceId.slice(0, 12)}…`);
  }
  const statement = verifyBootStatement(proof.statement, { deviceKey: device.publicKey, repository }, check);
  if (!statement.ok) return statement;
  const boot = statement.value;
  const key = { keytype: 'ed25519', scheme: 'ed25519', public: boot.evidenceKey };
  if (!check(key, message, signature)) {
    return reject('EVIDENCE_SIGNATURE_INVALID', 'the evidence is not signed by the key that the boot stage made');
  }
  if (evidence.statementSha256 !== sha256Hex(proof.statement) || !saysTheSame(evidence, boot)) {
    return reject('EVIDENCE_MISMATCH', 'the evidence says something else of the boot than its statement');
  }
  if (device.class !== 'claimed') {
    return reject('EVIDENCE_UNSUPPORTED', `a device of class ${device.class} proves its boot by hardware, not by this`);
  }
  const judged = judgeBoot(boot, evidence, { device, reference });
  return judged.ok ? accept(markVerified({ device, boot, evidence })) : judged;
}

function saysTheSame({ measurements }: Evidence, { components }: BootStatement): boolean {
  return (
    measurements.size === components.length &&
    components.every(({ component, image, securityCounter }) => {
      const measured = measurements.get(component);
      return measured?.image === image && measured.securityCounter === securityCounter;
    })
  );
}

type Judged = { readonly device: ManifestDevice; readonly reference: ReferenceValues };

function judgeBoot(
  boot: BootStatement,
  evidence: Evidence,
  { device, reference }: Judged,
): Verdict<void, 'BOOT_UNCONFIRMED' | 'BOOT_NOT_APPROVED' | 'IMAGE_ROLLBACK' | 'IMAGE_REVOKED'> {
  if (boot.mode === 'trial' && !evidence.confirmed) {
    return reject('BOOT_UNCONFIRMED', `${boot.release} is on trial and not confirmed`);
  }
  const channel = reference.approved.channels.get(boot.channel);
  if (channel === undefined) return reject('BOOT_NOT_APPROVED', `channel ${boot.channel} approves nothing now`);
  const proven = reference.provenCounters(boot.deviceId);
  for (const { component, securityCounter } of boot.components) {
    const least = Math.max(proven.get(component) ?? 0, channel.part.minSecurityCounter);
    if (securityCounter < least) {
      return reject('IMAGE_ROLLBACK', `${component} has counter ${securityCounter}, ${least} is demanded`);
    }
  }
  const revoked = boot.components.find(({ image }) => channel.part.revokedDigests.includes(image));
  if (revoked !== undefined) return reject('IMAGE_REVOKED', `the image of ${revoked.component} is revoked`);
  return judgeRelease(boot, channel, device);
}

/** Whether the components are those of the release in the channel, all that this device has of it, and for its hardware. */
function judgeRelease(
  boot: BootStatement,
  channel: ApprovedChannel,
  device: ManifestDevice,
): Verdict<void, 'BOOT_NOT_APPROVED'> {
  const release = parseRelease(channel.targets, boot.release);
  if (!release.ok) return reject('BOOT_NOT_APPROVED', `${boot.release} is no release of channel ${boot.channel}`);
  const isApproved = (component: string, measured: MeasuredComponent | undefined, hardwareId: string): boolean => {
    const approved = release.value.components.find((listed) => listed.component === component);
    return (
      approved !== undefined &&
      approved.image.sha256 === measured?.image &&
      approved.securityCounter === measured.securityCounter &&
      approved.hardwareIds.includes(hardwareId)
    );
  };
  const other = device.components.find(({ component, hardwareId }) => {
    const measured = boot.components.find((started) => started.component === component);
    return !isApproved(component, measured, hardwareId);
  });
  const isWhole = boot.components.length === device.components.length;
  return other === undefined && isWhole
    ? accept(undefined)
    : reject(
        'BOOT_NOT_APPROVED',
        `what runs as ${other?.component ?? 'a component'} is not what ${boot.release} names`,
      );
}
