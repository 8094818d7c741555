/**
 * Whether the ways of a channel lead every device to where they should: judged by walking them, with the device's own function.
 *
 * - For every kind of device that the release in force is for (`devicesOf`), from every release that is known of the channel.
 * - A waypoint is listed, and no two that are for one device have one version: which comes first would be nobody's decision.
 * - From each release the way ends at the one in force, or the release is marked as a dead end: nobody is stranded in silence.
 * - No hop is one that the device would refuse: its counters neither fall nor jump (R9, R11), it is not revoked, not below the least.
 */
import { parseChannelPart, type ChannelPart } from '../formats/channel-part.ts';
import type { DeviceComponent } from '../formats/factory-record.ts';
import { COUNTER_JUMP_MAX } from '../formats/floors.ts';
import { wayFrom } from '../formats/next-hop.ts';
import { parseRelease, type Component } from '../formats/release.ts';
import type { Metadata } from '../formats/tuf-metadata.ts';
import type { TargetFile, Targets } from '../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { chooseComponents } from '../bootloader-verifier/boot/device-components.ts';
import { findWays, versionOf } from '../bootloader-verifier/boot/find-ways.ts';

export type GraphCode = 'RELEASE_MALFORMED' | 'GRAPH_REFUSED';
type TargetMap = ReadonlyMap<string, TargetFile>;

/** Decides about `channel`. @param history the targets of its history; empty where it is not at hand. */
export function verifyGraph(channel: Metadata<Targets>, history: TargetMap): Verdict<void, GraphCode> {
  const part = parseChannelPart(channel.signed.firmament);
  if (!part.ok) return part;
  const { targets } = channel.signed;
  const inForce = parseRelease(targets, part.value.release);
  if (!inForce.ok) return inForce;
  for (const waypoint of part.value.graph?.waypoints ?? []) {
    const listed = parseRelease(targets, waypoint);
    if (!listed.ok) return reject('GRAPH_REFUSED', `the waypoint ${waypoint}: ${listed.detail}`);
  }
  const known = byRelease(history, targets);
  for (const components of devicesOf(inForce.value.components)) {
    const walked = walkAll({ targets, known, part: part.value, components });
    if (!walked.ok) return walked;
  }
  return accept(undefined);
}

/**
 * Devices that a release is for: for each image that starts from a slot there are devices that have it and every image that is
 * transferred, so many that each hardware id occurs in one. Which parts devices really combine, only their factory knows.
 */
export function devicesOf(release: readonly Component[]): readonly (readonly DeviceComponent[])[] {
  return release
    .filter(({ installer }) => installer === 'slot')
    .flatMap((main) => {
      const parts = release.filter((component) => component === main || component.installer === 'transfer');
      const count = Math.max(...parts.map(({ hardwareIds }) => hardwareIds.length));
      return Array.from({ length: count }, (_, index) =>
        parts.map(({ component, installer, hardwareIds }) => ({
          component,
          installer,
          hardwareId: hardwareIds[index % hardwareIds.length] ?? '',
        })),
      );
    });
}

type Walk = {
  readonly targets: TargetMap;
  /** All that is known, with what is history: each release is read once, whatever devices walk from it. */
  readonly known: ReadonlyMap<string, ReturnType<typeof parseRelease>>;
  readonly part: ChannelPart;
  readonly components: readonly DeviceComponent[];
};

function byRelease(...lists: readonly TargetMap[]): Walk['known'] {
  const grouped = new Map<string, Map<string, TargetFile>>();
  for (const [target, file] of lists.flatMap((list) => [...list])) {
    const name = target.slice(0, Math.max(0, target.indexOf('/')));
    const own = grouped.get(name);
    if (own === undefined) grouped.set(name, new Map([[target, file]]));
    else own.set(target, file);
  }
  return new Map([...grouped].map(([name, own]) => [name, parseRelease(own, name)]));
}

/** The ways of one kind of device, from wherever it may be. */
function walkAll({ targets, known, part, components }: Walk): Verdict<void, GraphCode> {
  const ways = findWays(targets, part, { components });
  // A device that was made up from the release in force may still not fit it as a whole: then it is none of its devices.
  if (!ways.ok) return accept(undefined);
  const versions = ways.value.waypoints.map(({ version }) => version);
  if (new Set(versions).size < versions.length) {
    return reject('GRAPH_REFUSED', `two waypoints have one version: ${versions.join(', ')}`);
  }
  const found = new Map(
    [...known].map(([name, release]) => [name, release.ok ? chooseComponents(release.value, { components }) : release]),
  );
  for (const [name, own] of found) {
    const from = own.ok ? versionOf(name, own.value) : own;
    if (!from.ok || name === part.release) continue;
    const {
      hops: [next],
      end,
    } = wayFrom(ways.value, from.value);
    const isMarked = part.graph?.deadEnds.some(({ release }) => release === name) === true;
    if (end.kind === 'stuck' && !isMarked) {
      return reject('GRAPH_REFUSED', `a device that runs ${name} is stranded: ${end.code}: ${end.detail}`);
    }
    // Every hop leads to a release that is known: the first hop of each covers all hops of all ways.
    const refused = next && refusalOf(own, found.get(next.release), part);
    if (refused !== undefined) return reject('GRAPH_REFUSED', `from ${name} to ${next?.release ?? ''}: ${refused}`);
  }
  return accept(undefined);
}

type Found = Verdict<readonly Component[], 'RELEASE_MALFORMED' | 'HARDWARE_MISMATCH'>;

/** Why a device that has confirmed the release `before` would refuse `after`; undefined if it would not. */
function refusalOf(before: Found, after: Found | undefined, part: ChannelPart): string | undefined {
  if (after === undefined) return 'RELEASE_MALFORMED: it is not listed';
  if (!after.ok) return `${after.code}: ${after.detail}`;
  for (const { component, securityCounter, image } of after.value) {
    const floor = before.ok ? before.value.find((found) => found.component === component)?.securityCounter : undefined;
    const counter = `${component}: counter ${securityCounter}`;
    if (floor !== undefined && securityCounter < floor) return `IMAGE_ROLLBACK: ${counter} after ${floor}`;
    if (floor !== undefined && securityCounter > floor + COUNTER_JUMP_MAX) {
      return `COUNTER_JUMP: ${counter} after ${floor}`;
    }
    if (securityCounter < part.minSecurityCounter) {
      return `IMAGE_ROLLBACK: ${counter}, the channel demands ${part.minSecurityCounter}`;
    }
    if (part.revokedDigests.includes(image.sha256)) return `IMAGE_REVOKED: ${image.name}`;
  }
  return undefined;
}
