/**
 * From a capsule to a slot on trial: the same judgement as from a server, but for what only a server can prove.
 *
 * - Roots, targets and channel are taken from the capsule and verified as a boot bundle's are: from the root that the floors pin, by
 *   the quorums that the signed files demand, at or above the floors.
 * - There is no timestamp and no snapshot: neither freshness nor a halt is claimed (promise P7, rule R14).
 * - What the channel's plan says of installing from a file is kept: not at all, or until when (rule R14).
 * - The way is the channel's: a capsule whose next hop it does not carry is refused, whatever it has for later.
 * - Where roots demand a log, the capsule carries the proofs; that the log shows everybody the same, only a server can show.
 * - The images are then fetched from the capsule by the very code that fetches them from a server.
 */
import { ROOTS_MAX } from '../../formats/boot-bundle.ts';
import { encodeInstant, type Instant } from '../../formats/instant.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { hashedTargetPath, releaseOf } from '../../formats/names.ts';
import { TARGETS_BYTES_MAX, type TargetFile } from '../../formats/tuf-targets.ts';
import { ROOT_BYTES_MAX } from '../../formats/tuf-root.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import type { Flash } from '../boot/flash.ts';
import {
  loggedParts,
  verifySignedParts,
  type DeviceTrust,
  type SignedFiles,
  type SignedParts,
  type SignedPartsCode,
} from '../boot/verify-bundle.ts';
import { standingOf, type HopCode } from '../boot/find-ways.ts';
import { chooseHop } from './decide-release.ts';
import type { OpenCapsule } from './capsule-client.ts';
import { installRelease, type InstallCode, type Installed, type RunningSlot } from './install.ts';
import { fetchProofs } from './refresh-log.ts';
import { getPresent } from './repository-client.ts';

export type CapsuleCode =
  'CAPSULE_INCOMPLETE' | 'REPOSITORY_MISMATCH' | 'OFFLINE_NOT_ALLOWED' | HopCode | SignedPartsCode | InstallCode;
export type CapsuleInput = {
  readonly device: DeviceTrust;
  readonly flash: Flash;
  readonly capsule: OpenCapsule;
  readonly running: RunningSlot | undefined;
  /** The device's own time, for the expiry that a plan may set. */
  readonly now: Instant;
};

/** Installs the release in force that the capsule carries, unless it runs already. Faults of the medium throw `OperationError`. */
export async function installCapsule(input: CapsuleInput): Promise<Verdict<Installed, CapsuleCode>> {
  const { device, flash, capsule, running } = input;
  const files = await readSignedFiles(input);
  if (!files.ok) return files;
  const parts = verifySignedParts(files.value, device);
  if (!parts.ok) return parts;
  const allowed = verifyOffline(parts.value, input);
  if (!allowed.ok) return allowed;
  const proofs = await fetchProofs(capsule.client, loggedParts(parts.value, files.value, device));
  const refreshed = { ...files.value, channelRole: parts.value.channel, proofs };
  const { channelPart, channel } = parts.value;
  const { targets } = channel.signed;
  const way = chooseHop(targets, channelPart, { device, runs: running && standingOf(running.permit) });
  if (!way.ok) return way;
  if (way.value.kind === 'stuck') return reject(way.value.code, way.value.detail);
  const { chosen } = way.value;
  if (chosen.release !== channelPart.release && !carries(capsule, targets, chosen.release)) {
    return reject('WAYPOINT_FIRST', `${chosen.release} comes first on this device, and is not in this capsule`);
  }
  return installRelease({ device, flash, client: capsule.client, refreshed, running, chosen });
}

/** What the plan says of files that travel; and none leads back behind what runs, also before the floors have risen. */
function verifyOffline(
  { channel, channelPart }: SignedParts,
  { running, now }: CapsuleInput,
): Verdict<void, 'OFFLINE_NOT_ALLOWED' | 'CHANNEL_ROLLBACK'> {
  const { version } = channel.signed;
  const runs = running?.permit.channel.version ?? 0;
  if (version < runs) return reject('CHANNEL_ROLLBACK', `channel version ${version}, what runs came with ${runs}`);
  const { plan, release } = channelPart;
  if (plan?.release !== release) return accept(undefined);
  if (!plan.offline) return reject('OFFLINE_NOT_ALLOWED', `the plan of ${release} allows no installation from a file`);
  return plan.offlineUntil !== undefined && now > plan.offlineUntil
    ? reject('OFFLINE_NOT_ALLOWED', `the plan of ${release} allowed it until ${encodeInstant(plan.offlineUntil)}`)
    : accept(undefined);
}

/** Whether anything of `release` is in the capsule. */
function carries({ names }: OpenCapsule, targets: ReadonlyMap<string, TargetFile>, release: string): boolean {
  return [...targets].some(
    ([name, { sha256 = '' }]) => releaseOf(name) === release && names.includes(hashedTargetPath({ name, sha256 })),
  );
}

async function readSignedFiles({
  device,
  capsule,
}: CapsuleInput): Promise<Verdict<SignedFiles, 'CAPSULE_INCOMPLETE' | 'REPOSITORY_MISMATCH'>> {
  const { client } = capsule;
  const pinned = device.floors.root;
  const roots: Uint8Array[] = [];
  for (let version = pinned.version; roots.length < ROOTS_MAX; version++) {
    const root = await client.get(`metadata/${version}.root.json`, ROOT_BYTES_MAX);
    if (root === undefined) break;
    roots.push(root);
  }
  const [first] = roots;
  if (first === undefined) return incomplete(`no root ${pinned.version}, which this device pins`);
  if (sha256Hex(first) !== pinned.sha256) {
    return reject('REPOSITORY_MISMATCH', `its root ${pinned.version} is not the one that this device pins`);
  }
  const targets = nameOf(capsule, 'targets');
  const channel = nameOf(capsule, device.factory.channelName);
  if (targets === undefined) return incomplete('not exactly one file of the targets role');
  if (channel === undefined) return incomplete(`not exactly one file of the channel ${device.factory.channelName}`);
  return accept({
    roots,
    targets: await getPresent(client, targets, TARGETS_BYTES_MAX),
    channel: await getPresent(client, channel, TARGETS_BYTES_MAX),
  });
}

/** The one file of `role` that the capsule carries; its version stands in its name. */
function nameOf({ names }: OpenCapsule, role: string): string | undefined {
  const found = names.filter((name) => {
    const [folder, file = '', ...deeper] = name.split('/');
    return folder === 'metadata' && deeper.length === 0 && file.replace(/^[0-9]+\./, '') === `${role}.json`;
  });
  return found.length === 1 ? found[0] : undefined;
}

function incomplete(detail: string): Verdict<never, 'CAPSULE_INCOMPLETE'> {
  return reject('CAPSULE_INCOMPLETE', detail);
}
