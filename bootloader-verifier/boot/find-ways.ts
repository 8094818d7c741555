/**
 * The ways of a channel as one device sees them: what is in force, and the waypoints that have an image for it.
 *
 * - The versions are those of the component that the boot stage starts, as people signed them.
 * - A waypoint for other hardware does not lie on this device's way.
 * - The boot stage asks once more, from flash alone, whether what is on trial is the next hop of what is good: a system that
 *   installs something else than it should gets it started no more than one that installs what is not approved.
 */
import type { ChannelPart } from '../../formats/channel-part.ts';
import type { FactoryRecord } from '../../formats/factory-record.ts';
import { nextHop, type VersionedRelease, type WayCode, type Ways } from '../../formats/next-hop.ts';
import type { Component } from '../../formats/release.ts';
import type { TargetFile } from '../../formats/tuf-targets.ts';
import { GRAPH_EMPTY } from '../../formats/update-graph.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { findDeviceComponents } from './device-components.ts';
import type { BootPermit } from './verify-bundle.ts';

export type FindWaysCode = 'RELEASE_MALFORMED' | 'HARDWARE_MISMATCH';
export type HopCode = WayCode | 'WAYPOINT_FIRST';

/** The ways of a device. @param targets the targets of its channel, accepted. */
export function findWays(
  targets: ReadonlyMap<string, TargetFile>,
  { release, graph = GRAPH_EMPTY }: Pick<ChannelPart, 'release' | 'graph'>,
  factory: Pick<FactoryRecord, 'components'>,
): Verdict<Ways, FindWaysCode> {
  const inForce = findVersion(targets, release, factory);
  if (!inForce.ok) return inForce;
  const waypoints: VersionedRelease[] = [];
  for (const name of graph.waypoints) {
    const waypoint = findVersion(targets, name, factory);
    if (waypoint.ok) waypoints.push(waypoint.value);
    else if (waypoint.code === 'RELEASE_MALFORMED') return waypoint;
  }
  return accept({ inForce: inForce.value, waypoints, graph });
}

/** The release `name` by the version that it has on a device. */
export function findVersion(
  targets: ReadonlyMap<string, TargetFile>,
  name: string,
  factory: Pick<FactoryRecord, 'components'>,
): Verdict<VersionedRelease, FindWaysCode> {
  const components = findDeviceComponents(targets, name, factory);
  return components.ok ? versionOf(name, components.value) : components;
}

/** The release `name` by the version that the `components` of a device give it. */
export function versionOf(
  name: string,
  components: readonly Component[],
): Verdict<VersionedRelease, 'HARDWARE_MISMATCH'> {
  const main = components.find(({ installer }) => installer === 'slot');
  return main === undefined
    ? reject('HARDWARE_MISMATCH', 'this device has no component that starts from a slot')
    : accept({ release: name, version: main.firmwareVersion });
}

/** What a permit lets run, as a place on the way. */
export function standingOf({ release, main }: BootPermit): VersionedRelease {
  return { release, version: main.firmwareVersion };
}

/** Decides whether `next` is the next hop from `runs`, by the channel that came with it. The same images are no hop. */
export function verifyHop(next: BootPermit, runs: BootPermit): Verdict<void, HopCode> {
  if (next.ways === undefined || next.imagesSha256 === runs.imagesSha256) return accept(undefined);
  const hop = nextHop(next.ways, standingOf(runs));
  switch (hop.kind) {
    case 'stuck':
      return reject(hop.code, hop.detail);
    case 'arrived':
      // Other images of the release in force: an agent takes them, too.
      return next.release === runs.release
        ? accept(undefined)
        : reject('WAY_CLOSED', `${runs.release} is in force, ${next.release} is not`);
    case 'hop':
      return hop.release === next.release
        ? accept(undefined)
        : reject(
            'WAYPOINT_FIRST',
            `${hop.release} comes before ${next.release} for a device that runs ${runs.release}`,
          );
  }
}
