/**
 * Whether the release in force of a channel, and each waypoint, boots on all the hardware that it names: the boot check itself, on
 * candidate bundles.
 *
 * - The devices are made up: of this repository and channel, with root 1 from its factory, running what was in force before.
 * - They have the parts that `devicesOf` combines.
 * - Its counter floors are those of the release in force before; for a new channel, of the nearest one at or below in the others.
 *   Those of a waypoint are its own: which counters it is reached from, `verify-graph.ts` walks.
 *   A counter that falls, or rises too far at once, is thus refused here as it would be there (rule R9).
 */
import {
  encodeBootBundle,
  isSmallBundle,
  type BootBundle,
  type ComponentEvidence,
  type LogProofs,
} from '../formats/boot-bundle.ts';
import { parseChannelPart } from '../formats/channel-part.ts';
import type { DeviceComponent, FactoryRecord } from '../formats/factory-record.ts';
import type { Floors } from '../formats/floors.ts';
import { evidenceTargets, parseRelease, type Component, type Release } from '../formats/release.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { verifyBundle, verifyOpenBundle, type BundleCode } from '../bootloader-verifier/boot/verify-bundle.ts';
import { parsedRole } from './parsed-role.ts';
import type { Candidate } from './publication.ts';
import { devicesOf } from './verify-graph.ts';

export type BootableCode = BundleCode | 'NOT_FOUND';
type InForce = { readonly version: number; readonly release: Release; readonly waypoints: readonly Release[] };

/** Decides it for `channel` of `candidate`; names the first device that would not boot. */
export function verifyBootable(
  candidate: Candidate,
  channel: string,
  check: SignatureCheck,
): Verdict<void, BootableCode> {
  const read = readInForce(candidate.roles.get(channel));
  if (!read.ok) return read;
  const { release: inForce, waypoints } = read.value;
  for (const release of [inForce, ...waypoints]) {
    for (const device of devicesOf(release.components)) {
      const isInForce = release === inForce;
      const boots = bootsOn(candidate, { channel, release, device, isInForce, check });
      if (!boots.ok) return boots;
    }
  }
  return accept(undefined);
}

function bootsOn(
  candidate: Candidate,
  of: {
    readonly channel: string;
    readonly release: Release;
    readonly device: readonly DeviceComponent[];
    readonly isInForce: boolean;
    readonly check: SignatureCheck;
  },
): Verdict<void, BootableCode> {
  const { channel, device, isInForce, check } = of;
  const parts = of.release.components.filter(({ component }) => device.some((own) => own.component === component));
  const bundle = bundleOf(candidate, channel, { release: of.release.release, components: parts });
  if (!bundle.ok) return bundle;
  const floors = isInForce ? floorsBefore(candidate, channel, parts) : ownFloors(candidate, parts);
  const factory = factoryOf(candidate, channel, device);
  const trust = { factory, floors, check, parse: parsedRole };
  // One that may be too long for a device is written and read as a device would.
  const permit = isSmallBundle(bundle.value)
    ? verifyOpenBundle(bundle.value, trust)
    : verifyBundle(encodeBootBundle(bundle.value), trust);
  if (permit.ok) return accept(undefined);
  const hardware = device.map(({ hardwareId }) => hardwareId).join(' with ');
  return reject(permit.code, `${channel} on ${hardware}: ${permit.detail}`);
}

/** The floors of a device that has confirmed these very components. */
function ownFloors({ repository }: Candidate, components: readonly Component[]): Floors {
  return {
    root: { version: 1, sha256: repository.rootOneSha256 },
    channelVersions: new Map(),
    securityCounters: new Map(components.map(({ component, securityCounter }) => [component, securityCounter])),
  };
}

/** What a channel file puts in force, by its own words. */
function readInForce(bytes: Uint8Array | undefined): Verdict<InForce, BootableCode> {
  const parsed = bytes === undefined ? reject('NOT_FOUND', 'the channel is missing') : parsedRole(bytes);
  if (!parsed.ok) return parsed;
  const { version, firmament, targets } = parsed.value.signed;
  const part = parseChannelPart(firmament);
  if (!part.ok) return part;
  const release = parseRelease(targets, part.value.release);
  if (!release.ok) return release;
  const waypoints = (part.value.graph?.waypoints ?? []).map((name) => parseRelease(targets, name));
  const whole = waypoints.flatMap((waypoint) => (waypoint.ok ? [waypoint.value] : []));
  return accept({ version, release: release.value, waypoints: whole });
}

function bundleOf(candidate: Candidate, channel: string, of: Release): Verdict<BootBundle, 'NOT_FOUND'> {
  const evidence: ComponentEvidence[] = [];
  for (const component of of.components) {
    const [provenance, vsa] = evidenceTargets(component).map(({ sha256 }) => candidate.evidence.get(sha256));
    const missing = evidenceTargets(component).find(({ sha256 }) => !candidate.evidence.has(sha256));
    if (provenance === undefined || missing !== undefined) {
      return reject('NOT_FOUND', `the file of ${(missing ?? component.provenanceTarget).name} is missing`);
    }
    evidence.push({ component: component.component, provenance, vsa });
  }
  const targets = candidate.roles.get('targets');
  const file = candidate.roles.get(channel);
  if (targets === undefined || file === undefined) return reject('NOT_FOUND', `the file of ${channel} is missing`);
  const { roots } = candidate;
  return accept({
    release: of.release,
    roots,
    targets,
    channel: file,
    evidence,
    proofs: proofsOf(candidate, channel),
  });
}

/** The proofs that a device would fetch. */
function proofsOf({ proofs, roots }: Candidate, channel: string): LogProofs | undefined {
  if (proofs.size === 0) return undefined;
  const proven = roots.flatMap((_, i) => {
    const proof = i === 0 ? undefined : proofs.get(`root ${i + 1}`);
    return proof === undefined ? [] : [[i + 1, proof] as const];
  });
  return { channel: proofs.get(`channel ${channel}`), roots: new Map(proven) };
}

function factoryOf(
  { repository, roots }: Candidate,
  channelName: string,
  components: readonly DeviceComponent[],
): FactoryRecord {
  return { product: repository.product, root: roots[0] ?? new Uint8Array(), channelName, components };
}

/** The floors of a device that runs what `channel` had in force before. */
function floorsBefore(candidate: Candidate, channel: string, components: readonly Component[]): Floors {
  const before = readInForce(candidate.before.roles.get(channel));
  return {
    root: { version: 1, sha256: candidate.repository.rootOneSha256 },
    channelVersions: new Map([[channel, before.ok ? before.value.version : 0]]),
    securityCounters: new Map(
      components.map((component) => {
        const counter = before.ok ? counterOf(before.value, component) : undefined;
        return [component.component, counter ?? nearestCounter(candidate, component)];
      }),
    ),
  };
}

function counterOf({ release }: InForce, { component }: Component): number | undefined {
  return release.components.find((found) => found.component === component)?.securityCounter;
}

/** The highest counter that any channel had in force for this component, at or below the one that is released. */
function nearestCounter({ before }: Candidate, component: Component): number {
  const counters = [...before.roles.values()].map((bytes) => {
    const inForce = readInForce(bytes);
    return (inForce.ok ? counterOf(inForce.value, component) : undefined) ?? 0;
  });
  return Math.max(0, ...counters.filter((counter) => counter <= component.securityCounter));
}
