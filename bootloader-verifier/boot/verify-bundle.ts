/**
 * The decision to boot, first half: whether what a boot bundle says of an image permits it on this device.
 *
 * The same function judges a bundle before an image is fetched, before it is written, and before every start. In this order:
 * - roots, from the one that the floors pin (P1, R9);
 * - targets and channel, by the quorums that they demand, bound to this repository and role (R1);
 * - the channel by a quorum of people that excludes its author, where people are listed (R2);
 * - the channel at or above its floor (R9), the image listed in it, for this hardware;
 * - the security counter at or above floor and channel minimum, without a jump (R9, R11); the digest not revoked (R11);
 * - the provenance, as the people of this product demand it.
 * Expiry plays no part: a device without a clock must start (R12).
 */
import { type BootBundle, parseBootBundle } from '../../formats/boot-bundle.ts';
import { verifyBinding, type BindingCode } from '../../formats/binding.ts';
import { parseChannelPart, type ChannelPart } from '../../formats/channel-part.ts';
import { repositoryOf, type FactoryRecord } from '../../formats/factory-record.ts';
import { COUNTER_JUMP_MAX, type Floors } from '../../formats/floors.ts';
import { parseRelease, type Component } from '../../formats/release.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { parseTrustPart, type TrustPart } from '../../formats/trust-part.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';
import { verifyQuorum, type QuorumCode } from './verify-quorum.ts';
import { verifyProvenance, type ProvenanceCode } from './verify-provenance.ts';
import { verifyRootChain, type RootCode, type TrustedRoot } from './verify-root.ts';
import { verifyDelegatedRole, verifyTargetsRole, type SignedRoleCode, type TrustedTargets } from './verify-targets.ts';

/** What a device is and what it will never go below: the two things it does not take from anybody's word. */
export type DeviceTrust = { readonly factory: FactoryRecord; readonly floors: Floors; readonly check: SignatureCheck };

/** The permission to start one image, with all that the floors need afterwards. */
export type BootPermit = Verified<{
  readonly root: { readonly version: number; readonly sha256: string };
  readonly channel: { readonly name: string; readonly version: number; readonly inForce: string };
  readonly release: string;
  readonly component: string;
  readonly firmwareVersion: string;
  readonly securityCounter: number;
  readonly image: { readonly name: string; readonly length: number; readonly sha256: string };
  readonly builderId: string;
}>;

export type BundleCode =
  | 'BOOT_BUNDLE_MALFORMED'
  | RootCode
  | SignedRoleCode
  | BindingCode
  | QuorumCode
  | ProvenanceCode
  | 'CHANNEL_ROLLBACK'
  | 'RELEASE_MALFORMED'
  | 'HARDWARE_MISMATCH'
  | 'IMAGE_ROLLBACK'
  | 'COUNTER_JUMP'
  | 'IMAGE_REVOKED'
  | 'EVIDENCE_MISMATCH';

/** Decides whether the bundle in `bytes` permits its image on this device. Never throws. */
export function verifyBundle(bytes: Uint8Array, device: DeviceTrust): Verdict<BootPermit, BundleCode> {
  const bundle = parseBootBundle(bytes);
  if (!bundle.ok) return bundle;
  const roots = verifyBoundRoots(bundle.value.roots, device);
  if (!roots.ok) return roots;
  const roles = verifyBoundRoles(roots.value, bundle.value, device);
  if (!roles.ok) return roles;
  const { channel, channelPart, trustPart } = roles.value;
  const component = findComponent(channel, bundle.value, device);
  if (!component.ok) return component;
  const allowed = verifyFloors(component.value, { channel, channelPart }, device);
  if (!allowed.ok) return allowed;
  const built = verifyEvidence(bundle.value.provenance, component.value, { trustPart, check: device.check });
  if (!built.ok) return built;
  const { firmwareVersion, securityCounter, image } = component.value;
  return accept(
    markVerified({
      root: { version: roots.value.metadata.signed.version, sha256: roots.value.sha256 },
      channel: { name: device.factory.channelName, version: channel.signed.version, inForce: channelPart.release },
      release: bundle.value.release,
      component: component.value.component,
      firmwareVersion,
      securityCounter,
      image,
      builderId: built.value,
    }),
  );
}

function verifyBoundRoots(
  files: readonly Uint8Array[],
  device: DeviceTrust,
): Verdict<TrustedRoot, RootCode | BindingCode> {
  const roots = verifyRootChain(files, device.floors.root, device.check);
  if (!roots.ok) return roots;
  const repository = repositoryOf(device.factory);
  for (const root of roots.value.chain) {
    const isRootOne = root.sha256 === repository.rootOneSha256;
    const bound = verifyBinding(root.metadata.signed.firmament, { repository, role: 'root', isRootOne });
    if (!bound.ok) return bound;
  }
  return accept(roots.value.newest);
}

type Roles = { readonly channel: TrustedTargets; readonly channelPart: ChannelPart; readonly trustPart: TrustPart };

function verifyBoundRoles(
  root: TrustedRoot,
  bundle: BootBundle,
  device: DeviceTrust,
): Verdict<Roles, SignedRoleCode | BindingCode | QuorumCode | 'RELEASE_MALFORMED' | 'CHANNEL_ROLLBACK'> {
  const repository = repositoryOf(device.factory);
  const { channelName } = device.factory;
  const targets = verifyTargetsRole(root, bundle.targets, device.check);
  if (!targets.ok) return targets;
  const targetsBound = verifyBinding(targets.value.signed.firmament, { repository, role: 'targets' });
  if (!targetsBound.ok) return targetsBound;
  const channel = verifyDelegatedRole(targets.value, { name: channelName, bytes: bundle.channel }, device.check);
  if (!channel.ok) return channel;
  const channelBound = verifyBinding(channel.value.signed.firmament, { repository, role: channelName });
  if (!channelBound.ok) return channelBound;
  const floor = device.floors.channelVersions.get(channelName) ?? 0;
  if (channel.value.signed.version < floor) {
    return reject('CHANNEL_ROLLBACK', `${channelName} version ${channel.value.signed.version}, the floor is ${floor}`);
  }
  const trustPart = parseTrustPart(targets.value.signed.firmament);
  if (!trustPart.ok) return trustPart;
  const channelPart = parseChannelPart(channel.value.signed.firmament);
  if (!channelPart.ok) return channelPart;
  const { event } = channelPart.value;
  const { people } = trustPart.value;
  const { delegations } = targets.value.signed;
  const approved = { name: channelName, metadata: channel.value, event };
  const quorum = verifyQuorum(approved, { delegations, people }, device.check);
  if (!quorum.ok) return quorum;
  return accept({ channel: channel.value, channelPart: channelPart.value, trustPart: trustPart.value });
}

function findComponent(
  channel: TrustedTargets,
  bundle: BootBundle,
  device: DeviceTrust,
): Verdict<Component, 'RELEASE_MALFORMED' | 'HARDWARE_MISMATCH'> {
  const release = parseRelease(channel.signed.targets, bundle.release);
  if (!release.ok) return release;
  const { component: name, hardwareId } = device.factory;
  const component = release.value.components.find((found) => found.component === name);
  if (component === undefined) {
    return reject('HARDWARE_MISMATCH', `${bundle.release} has no component ${name}, which this device is`);
  }
  return component.hardwareIds.includes(hardwareId)
    ? accept(component)
    : reject(
        'HARDWARE_MISMATCH',
        `${component.image.name} is for ${component.hardwareIds.join(', ')}, this is ${hardwareId}`,
      );
}

function verifyFloors(
  component: Component,
  said: { readonly channel: TrustedTargets; readonly channelPart: ChannelPart },
  device: DeviceTrust,
): Verdict<void, 'IMAGE_ROLLBACK' | 'COUNTER_JUMP' | 'IMAGE_REVOKED'> {
  const { securityCounter, image } = component;
  const floor = device.floors.securityCounters.get(component.component) ?? 0;
  if (securityCounter < floor) return reject('IMAGE_ROLLBACK', `counter ${securityCounter}, the floor is ${floor}`);
  if (securityCounter < said.channelPart.minSecurityCounter) {
    return reject(
      'IMAGE_ROLLBACK',
      `counter ${securityCounter}, the channel demands ${said.channelPart.minSecurityCounter}`,
    );
  }
  if (securityCounter > floor + COUNTER_JUMP_MAX) {
    return reject(
      'COUNTER_JUMP',
      `counter ${securityCounter} over the floor ${floor}, at most ${COUNTER_JUMP_MAX} at once`,
    );
  }
  return said.channelPart.revokedDigests.includes(image.sha256)
    ? reject('IMAGE_REVOKED', `${image.name} is revoked by the channel`)
    : accept(undefined);
}

function verifyEvidence(
  provenance: Uint8Array,
  component: Component,
  by: { readonly trustPart: TrustPart; readonly check: SignatureCheck },
): Verdict<string, ProvenanceCode | 'EVIDENCE_MISMATCH'> {
  if (sha256Hex(provenance) !== component.provenanceTarget.sha256) {
    return reject('EVIDENCE_MISMATCH', `${component.provenanceTarget.name} is not the file that the channel names`);
  }
  const demanded = { imageSha256: component.image.sha256, builders: by.trustPart.builders };
  const verified = verifyProvenance(provenance, demanded, by.check);
  return verified.ok ? accept(verified.value.builderId) : verified;
}
