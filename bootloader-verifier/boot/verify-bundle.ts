/**
 * The decision to boot, first half: whether what a boot bundle says of a release permits it on this device.
 *
 * The same function judges a bundle before an image is fetched, before it is written, and before every start. In this order:
 * - roots, from the one that the floors pin (P1, R9);
 * - targets and channel, by the quorums that they demand, bound to this repository and role (R1);
 * - the channel by a quorum of people that excludes its author, where people are listed (R2);
 * - roots and channel proven to stand in the log, where roots demand one (P6);
 * - the channel at or above its floor (R9), the release listed in it, with an image for every component of this device;
 * - of every image: the security counter at or above floor and channel minimum, without a jump (R9, R11); the digest not revoked (R11);
 * - of every image: provenance, and the summary of a judgement, as the people of this product demand them (R29).
 * One component that fails refuses the whole release: it is installed and confirmed as one.
 * Expiry plays no part: a device without a clock must start (R12).
 */
import { parseBootBundle, type BootBundle, type ComponentEvidence } from '../../formats/boot-bundle.ts';
import { verifyBinding, type BindingCode, type RepositoryId } from '../../formats/binding.ts';
import { parseChannelPart, type ChannelPart } from '../../formats/channel-part.ts';
import { repositoryOf, type FactoryRecord } from '../../formats/factory-record.ts';
import { planDigest } from '../../formats/plan.ts';
import { COUNTER_JUMP_MAX, type Floors } from '../../formats/floors.ts';
import type { Component, Installer } from '../../formats/release.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { parseTrustPart, type TrustPart } from '../../formats/trust-part.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';
import type { Ways } from '../../formats/next-hop.ts';
import { findWays } from './find-ways.ts';
import { findDeviceComponents, imagesDigest } from './device-components.ts';
import { verifyQuorum, type QuorumCode } from './verify-quorum.ts';
import { verifyPartsLogged, type LogCode, type LoggedParts } from './verify-log.ts';
import { verifyProvenance, type ProvenanceCode } from './verify-provenance.ts';
import { verifyDemandedVsa, type DemandedVsaCode } from './verify-vsa.ts';
import { verifyRootChain, type RootCode, type TrustedRoot } from './verify-root.ts';
import {
  verifyChannelRole,
  verifyTargetsRole,
  type RoleReading,
  type SignedRoleCode,
  type TrustedTargets,
} from './verify-targets.ts';

/** What a device is and what it will never go below: the two things it does not take from anybody's word. */
export type DeviceTrust = RoleReading & { readonly factory: FactoryRecord; readonly floors: Floors };

/** What a permit says of one image. */
export type PermittedComponent = {
  readonly component: string;
  readonly installer: Installer;
  readonly order: number;
  readonly firmwareVersion: string;
  readonly securityCounter: number;
  readonly image: { readonly name: string; readonly length: number; readonly sha256: string };
  readonly builderId: string;
};

/** The permission to bring one release to life on this device, with all that the floors need afterwards. */
export type BootPermit = Verified<{
  readonly repository: RepositoryId;
  readonly root: { readonly version: number; readonly sha256: string };
  readonly channel: { readonly name: string; readonly version: number; readonly inForce: string };
  readonly release: string;
  /** The channel's ways for this device; undefined where what is in force is not for it. */
  readonly ways: Ways | undefined;
  /** Digest of the plan under which it is taken; undefined where the channel has none of it. */
  readonly plan: string | undefined;
  /** This device's components, in the order of installation. */
  readonly components: readonly PermittedComponent[];
  /** The one among them that the boot stage starts. */
  readonly main: PermittedComponent;
  /** Names all images of the release on this device at once. */
  readonly imagesSha256: string;
}>;

/** The files that people signed, as a boot bundle or a capsule carries them; roots oldest first. */
export type SignedFiles = Pick<BootBundle, 'roots' | 'targets' | 'channel'>;
export type SignedParts = Roles & { readonly root: TrustedRoot; readonly roots: readonly TrustedRoot[] };
export type SignedPartsCode =
  RootCode | SignedRoleCode | BindingCode | QuorumCode | 'RELEASE_MALFORMED' | 'CHANNEL_ROLLBACK';
export type BundleCode =
  | 'BOOT_BUNDLE_MALFORMED'
  | SignedPartsCode
  | ProvenanceCode
  | DemandedVsaCode
  | LogCode
  | 'HARDWARE_MISMATCH'
  | 'IMAGE_ROLLBACK'
  | 'COUNTER_JUMP'
  | 'IMAGE_REVOKED';

/** Decides whether the bundle in `bytes` permits its release on this device. Never throws. */
export function verifyBundle(bytes: Uint8Array, device: DeviceTrust): Verdict<BootPermit, BundleCode> {
  const bundle = parseBootBundle(bytes);
  return bundle.ok ? verifyOpenBundle(bundle.value, device) : bundle;
}

/** Decides it about a bundle that was read already, or was never written: all that `verifyBundle` asks of one that can be read. */
export function verifyOpenBundle(bundle: BootBundle, device: DeviceTrust): Verdict<BootPermit, BundleCode> {
  const parts = verifySignedParts(bundle, device);
  if (!parts.ok) return parts;
  const { root, channel, channelPart, trustPart } = parts.value;
  const logged = verifyPartsLogged(
    { ...loggedParts(parts.value, bundle, device), proofs: bundle.proofs },
    device.check,
  );
  if (!logged.ok) return logged;
  const found = findDeviceComponents(channel.signed.targets, bundle.release, device.factory);
  if (!found.ok) return found;
  for (const component of found.value) {
    const allowed = verifyFloors(component, channelPart, device);
    if (!allowed.ok) return allowed;
  }
  const built = verifyEvidence(bundle.evidence, found.value, { trustPart, device });
  if (!built.ok) return built;
  const ways = findWays(channel.signed.targets, channelPart, device.factory);
  const main = built.value.find(({ installer }) => installer === 'slot');
  if (main === undefined) return reject('HARDWARE_MISMATCH', 'this device has no component that starts from a slot');
  return accept(
    markVerified({
      root: { version: root.metadata.signed.version, sha256: root.sha256 },
      channel: { name: device.factory.channelName, version: channel.signed.version, inForce: channelPart.release },
      repository: repositoryOf(device.factory),
      release: bundle.release,
      ways: ways.ok ? ways.value : undefined,
      plan: planOf(channelPart, bundle.release, device.factory),
      components: built.value,
      main,
      imagesSha256: imagesDigest(built.value),
    }),
  );
}

/** The digest of the plan of `release`. */
function planOf({ plan }: ChannelPart, release: string, factory: FactoryRecord): string | undefined {
  if (plan?.release !== release) return undefined;
  return planDigest(plan, { ...repositoryOf(factory), channel: factory.channelName });
}

/**
 * Decides about what people signed: roots, targets and channel, from the device's own trust on.
 * @returns the accepted parts; nothing yet about any image.
 */
export function verifySignedParts(files: SignedFiles, device: DeviceTrust): Verdict<SignedParts, SignedPartsCode> {
  const roots = verifyBoundRoots(files.roots, device);
  if (!roots.ok) return roots;
  const { newest, chain } = roots.value;
  const roles = verifyBoundRoles(newest, files, device);
  return roles.ok ? accept({ root: newest, roots: chain, ...roles.value }) : roles;
}

function verifyBoundRoots(
  files: readonly Uint8Array[],
  device: DeviceTrust,
): Verdict<{ readonly newest: TrustedRoot; readonly chain: readonly TrustedRoot[] }, RootCode | BindingCode> {
  const roots = verifyRootChain(files, device.floors.root, device.check);
  if (!roots.ok) return roots;
  const repository = repositoryOf(device.factory);
  for (const root of roots.value.chain) {
    const isRootOne = root.sha256 === repository.rootOneSha256;
    const bound = verifyBinding(root.metadata.signed.firmament, { repository, role: 'root', isRootOne });
    if (!bound.ok) return bound;
  }
  return roots;
}

/** What must be logged of what was accepted, where roots demand it. */
export function loggedParts(
  { roots, channel, channelPart }: SignedParts,
  files: SignedFiles,
  { factory }: DeviceTrust,
): Omit<LoggedParts, 'proofs'> {
  const { channelName: name } = factory;
  return {
    repository: repositoryOf(factory),
    roots,
    channel: { name, bytes: files.channel, version: channel.signed.version },
    release: channelPart.release,
  };
}

type Roles = { readonly channel: TrustedTargets; readonly channelPart: ChannelPart; readonly trustPart: TrustPart };

function verifyBoundRoles(root: TrustedRoot, files: SignedFiles, device: DeviceTrust): Verdict<Roles, SignedPartsCode> {
  const repository = repositoryOf(device.factory);
  const { channelName } = device.factory;
  const targets = verifyTargetsRole(root, files.targets, device);
  if (!targets.ok) return targets;
  const targetsBound = verifyBinding(targets.value.signed.firmament, { repository, role: 'targets' });
  if (!targetsBound.ok) return targetsBound;
  const channel = verifyChannelRole(targets.value, { name: channelName, bytes: files.channel }, device);
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

function verifyFloors(
  component: Component,
  channelPart: ChannelPart,
  device: DeviceTrust,
): Verdict<void, 'IMAGE_ROLLBACK' | 'COUNTER_JUMP' | 'IMAGE_REVOKED'> {
  const { component: name, securityCounter, image } = component;
  const floor = device.floors.securityCounters.get(name) ?? 0;
  const counter = `${name}: counter ${securityCounter}`;
  if (securityCounter < floor) return reject('IMAGE_ROLLBACK', `${counter}, the floor is ${floor}`);
  if (securityCounter < channelPart.minSecurityCounter) {
    return reject('IMAGE_ROLLBACK', `${counter}, the channel demands ${channelPart.minSecurityCounter}`);
  }
  if (securityCounter > floor + COUNTER_JUMP_MAX) {
    return reject('COUNTER_JUMP', `${counter} over the floor ${floor}, at most ${COUNTER_JUMP_MAX} at once`);
  }
  return channelPart.revokedDigests.includes(image.sha256)
    ? reject('IMAGE_REVOKED', `${image.name} is revoked by the channel`)
    : accept(undefined);
}

/** Judges the evidence of each image: one item a component, in the order of installation, and nothing else. */
function verifyEvidence(
  evidence: readonly ComponentEvidence[],
  components: readonly Component[],
  { trustPart, device }: { readonly trustPart: TrustPart; readonly device: DeviceTrust },
): Verdict<readonly PermittedComponent[], ProvenanceCode | DemandedVsaCode> {
  const repository = repositoryOf(device.factory);
  if (evidence.length !== components.length) {
    return reject(
      'EVIDENCE_MISMATCH',
      `evidence of ${evidence.length} images, this device installs ${components.length}`,
    );
  }
  const permitted: PermittedComponent[] = [];
  for (const [index, named] of components.entries()) {
    const { component, installer, order, firmwareVersion, securityCounter } = named;
    const offered = evidence[index];
    if (offered?.component !== component || sha256Hex(offered.provenance) !== named.provenanceTarget.sha256) {
      return reject('EVIDENCE_MISMATCH', `${named.provenanceTarget.name} is not what stands for ${component}`);
    }
    const demanded = { imageSha256: named.image.sha256, builders: trustPart.builders };
    const verified = verifyProvenance(offered.provenance, demanded, device.check);
    if (!verified.ok) return verified;
    const demand = { repository, component: named, judging: trustPart.judging };
    const judged = verifyDemandedVsa(offered.vsa, demand, device.check);
    if (!judged.ok) return judged;
    const { builderId } = verified.value;
    permitted.push({ component, installer, order, firmwareVersion, securityCounter, image: named.image, builderId });
  }
  return accept(permitted);
}
