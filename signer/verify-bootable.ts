/**
 * Whether the release in force of a channel boots on all the hardware that it names: the boot check itself, on candidate bundles.
 *
 * - The devices are made up: of this repository and channel, with root 1 from its factory, running what was in force before.
 * - For each image that starts from a slot there are devices that have it and every image that is transferred, so many that each
 *   hardware id occurs in one. Which parts devices really combine, only their factory knows.
 * - Its counter floors are those of the release in force before; for a new channel, of the nearest one at or below in the others.
 *   A counter that falls, or rises too far at once, is thus refused here as it would be there (rule R9).
 */
import { encodeBootBundle, type ComponentEvidence, type LogProofs } from '../formats/boot-bundle.ts';
import { parseChannelPart } from '../formats/channel-part.ts';
import type { DeviceComponent, FactoryRecord } from '../formats/factory-record.ts';
import type { Floors } from '../formats/floors.ts';
import { evidenceTargets, parseRelease, type Component, type Release } from '../formats/release.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { verifyBundle, type BundleCode } from '../bootloader-verifier/boot/verify-bundle.ts';
import { parsedRole } from './parsed-role.ts';
import type { Candidate } from './publication.ts';

export type BootableCode = BundleCode | 'NOT_FOUND';
type InForce = { readonly version: number; readonly release: Release };

/** Decides it for `channel` of `candidate`; names the first device that would not boot. */
export function verifyBootable(
  candidate: Candidate,
  channel: string,
  check: SignatureCheck,
): Verdict<void, BootableCode> {
  const inForce = readInForce(candidate.roles.get(channel));
  if (!inForce.ok) return inForce;
  const { release, components } = inForce.value.release;
  for (const main of components.filter(({ installer }) => installer === 'slot')) {
    const parts = components.filter((component) => component === main || component.installer === 'transfer');
    const bundle = bundleOf(candidate, channel, { release, components: parts });
    if (!bundle.ok) return bundle;
    const floors = floorsBefore(candidate, channel, parts);
    for (const device of devicesOf(parts)) {
      const factory = factoryOf(candidate, channel, device);
      const permit = verifyBundle(bundle.value, { factory, floors, check });
      if (!permit.ok) {
        const hardware = device.map(({ hardwareId }) => hardwareId).join(' with ');
        return reject(permit.code, `${channel} on ${hardware}: ${permit.detail}`);
      }
    }
  }
  return accept(undefined);
}

/** Devices of these components, so many that each hardware id occurs in one. */
function devicesOf(components: readonly Component[]): readonly (readonly DeviceComponent[])[] {
  const count = Math.max(...components.map(({ hardwareIds }) => hardwareIds.length));
  return Array.from({ length: count }, (_, index) =>
    components.map(({ component, installer, hardwareIds }) => ({
      component,
      installer,
      hardwareId: hardwareIds[index % hardwareIds.length] ?? '',
    })),
  );
}

/** What a channel file puts in force, by its own words. */
function readInForce(bytes: Uint8Array | undefined): Verdict<InForce, BootableCode> {
  const parsed = bytes === undefined ? reject('NOT_FOUND', 'the channel is missing') : parsedRole(bytes);
  if (!parsed.ok) return parsed;
  const { version, firmament, targets } = parsed.value.signed;
  const part = parseChannelPart(firmament);
  if (!part.ok) return part;
  const release = parseRelease(targets, part.value.release);
  return release.ok ? accept({ version, release: release.value }) : release;
}

function bundleOf(candidate: Candidate, channel: string, of: Release): Verdict<Uint8Array, 'NOT_FOUND'> {
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
  return accept(
    encodeBootBundle({
      release: of.release,
      roots,
      targets,
      channel: file,
      evidence,
      proofs: proofsOf(candidate, channel),
    }),
  );
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
