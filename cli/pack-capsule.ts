/**
 * What goes into a capsule: exactly what the device's own code asks for, once it has accepted all of it.
 *
 * - A whole refresh first, with the clock of whoever packs: a capsule is never made from an expired or incomplete repository.
 * - Then the boot bundle and the images of a device that begins at root 1, with the counters that the release has: what a device
 *   with higher floors refuses, it refuses by itself.
 * - Waypoints go in where they are asked for: a device below one refuses a capsule that does not carry it.
 * - Timestamp and snapshot stay out: they prove freshness, which no file can carry.
 */
import { fetchBundle, fetchImages, type InstallCode } from '../bootloader-verifier/agent/install.ts';
import { refresh, type RefreshCode, type Refreshed } from '../bootloader-verifier/agent/refresh.ts';
import type { RepositoryClient } from '../bootloader-verifier/agent/repository-client.ts';
import { verifyBundle, type BootPermit, type DeviceTrust } from '../bootloader-verifier/boot/verify-bundle.ts';
import type { RepositoryId } from '../formats/binding.ts';
import { encodeBootBundle } from '../formats/boot-bundle.ts';
import { concatBytes } from '../formats/bytes.ts';
import { encodeCapsuleHead } from '../formats/capsule.ts';
import { parseChannelPart } from '../formats/channel-part.ts';
import type { Instant } from '../formats/instant.ts';
import { parseRelease, type Component } from '../formats/release.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';

export type PackInput = {
  readonly client: RepositoryClient;
  readonly repository: RepositoryId;
  /** The file of root version 1. */
  readonly rootOne: Uint8Array;
  readonly channel: string;
  /** Names of the components to pack; none for all of the release. */
  readonly components: readonly string[];
  /** Whether the waypoints before it are packed, too. */
  readonly waypoints?: boolean;
  readonly check: SignatureCheck;
  readonly now: Instant;
};
export type PackedCapsule = {
  readonly bytes: Uint8Array;
  readonly release: string;
  readonly channelVersion: number;
  readonly names: readonly string[];
};

/** Packs the release in force. Network faults throw `OperationError`. */
export async function packCapsule(input: PackInput): Promise<Verdict<PackedCapsule, RefreshCode | InstallCode>> {
  const files = new Map([['metadata/1.root.json', input.rootOne]]);
  const client = recordingClient(input.client, files);
  const refreshed = await refresh({
    device: deviceOf(input, []),
    client,
    rootsAtHand: [],
    seen: undefined,
    now: input.now,
  });
  if (!refreshed.ok) return refreshed;
  const part = parseChannelPart(refreshed.value.channelRole.signed.firmament);
  if (!part.ok) return part;
  const { release: inForce, graph } = part.value;
  for (const waypoint of input.waypoints === true ? (graph?.waypoints ?? []) : []) {
    const packed = await packRelease({ ...input, client }, refreshed.value, waypoint);
    // A waypoint for other hardware lies on no way of these devices.
    if (!packed.ok && packed.code !== 'HARDWARE_MISMATCH') return packed;
  }
  const permit = await packRelease({ ...input, client }, refreshed.value, inForce);
  if (!permit.ok) return permit;
  const { release, channel } = permit.value;
  return accept({ ...assemble(files), release, channelVersion: channel.version });
}

/** Fetches all that an installation of the release `name` asks for, once it is permitted. */
async function packRelease(
  input: PackInput,
  refreshed: Refreshed,
  name: string,
): Promise<Verdict<BootPermit, InstallCode>> {
  const components = chooseComponents(refreshed, name, input.components);
  if (!components.ok) return components;
  const device = deviceOf(input, components.value);
  const source = { device, client: input.client, refreshed, chosen: { release: name, wave: undefined } };
  const bundle = await fetchBundle(source);
  if (!bundle.ok) return bundle;
  const permit = verifyBundle(encodeBootBundle(bundle.value), device);
  if (!permit.ok) return permit;
  const images = await fetchImages(source, permit.value);
  return images.ok ? permit : images;
}

/** Notes everything that is handed out, but for what proves freshness alone. */
function recordingClient(client: RepositoryClient, files: Map<string, Uint8Array>): RepositoryClient {
  return {
    get: async (name, bytesMax) => {
      const bytes = await client.get(name, bytesMax);
      const isFreshness = name === 'metadata/timestamp.json' || name.endsWith('.snapshot.json');
      if (bytes !== undefined && !isFreshness) files.set(name, bytes);
      return bytes;
    },
  };
}

function chooseComponents(
  { channelRole }: Refreshed,
  name: string,
  names: readonly string[],
): Verdict<readonly Component[], 'RELEASE_MALFORMED' | 'HARDWARE_MISMATCH'> {
  const release = parseRelease(channelRole.signed.targets, name);
  if (!release.ok) return release;
  const { components } = release.value;
  const chosen = names.length === 0 ? components : components.filter(({ component }) => names.includes(component));
  const missing = names.find((wanted) => !chosen.some(({ component }) => component === wanted));
  if (missing !== undefined) return reject('HARDWARE_MISMATCH', `${name} has no component ${missing}`);
  return chosen.filter(({ installer }) => installer === 'slot').length === 1
    ? accept(chosen)
    : reject('HARDWARE_MISMATCH', 'a device has exactly one component that starts from a slot: name its components');
}

/** A device with `components`, blank but for the counters that the release has. */
function deviceOf({ repository, rootOne, channel, check }: PackInput, components: readonly Component[]): DeviceTrust {
  return {
    factory: {
      product: repository.product,
      components: components.map(({ component, hardwareIds: [hardwareId = ''], installer }) => ({
        component,
        hardwareId,
        installer,
      })),
      channelName: channel,
      root: rootOne,
      deviceKey: undefined,
    },
    floors: {
      root: { version: 1, sha256: repository.rootOneSha256 },
      channelVersions: new Map(),
      securityCounters: new Map(components.map(({ component, securityCounter }) => [component, securityCounter])),
    },
    check,
  };
}

function assemble(files: ReadonlyMap<string, Uint8Array>): Pick<PackedCapsule, 'bytes' | 'names'> {
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const head = encodeCapsuleHead(sorted.map(([name, { length }]) => ({ name, length })));
  return { bytes: concatBytes(head, ...sorted.map(([, bytes]) => bytes)), names: sorted.map(([name]) => name) };
}
