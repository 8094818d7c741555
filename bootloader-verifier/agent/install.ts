/**
 * From a refreshed repository to a slot on trial.
 *
 * - The candidate's boot bundle is judged by the very function that judges it at every start, before a byte of the image is fetched.
 * - An image that failed its trial here is not tried again; a release that already runs is not fetched again.
 * - The slot that is written is never the good one; the trial is armed last, so that a cut leaves the old state.
 */
import { encodeBootBundle, parseBootBundle, type BootBundle } from '../../formats/boot-bundle.ts';
import { BOOT_STATE_EMPTY, otherSlot, type SlotId } from '../../formats/boot-state.ts';
import { parseChannelPart } from '../../formats/channel-part.ts';
import { parseRelease, type Component } from '../../formats/release.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { equalBytes } from '../../formats/bytes.ts';
import type { Flash } from '../boot/flash.ts';
import { armTrial, freeSlot } from '../boot/plan-start.ts';
import { readBundle, writeBundle, writeSlot } from '../boot/slot.ts';
import { readBootState, writeBootState } from '../boot/start-device.ts';
import { verifyBundle, type BootPermit, type BundleCode, type DeviceTrust } from '../boot/verify-bundle.ts';
import { verifyImage, type ImageCode } from '../boot/verify-image.ts';
import type { Refreshed } from './refresh.ts';
import { getPresent, type RepositoryClient } from './repository-client.ts';

export type InstallCode = BundleCode | ImageCode | 'IMAGE_TRIED_BEFORE' | 'IMAGE_TOO_LARGE';
export type InstallInput = {
  readonly device: DeviceTrust;
  readonly flash: Flash;
  readonly client: RepositoryClient;
  readonly refreshed: Refreshed;
  /** What runs now, if anything does. */
  readonly running: { readonly slot: SlotId; readonly permit: BootPermit } | undefined;
};
export type Installed =
  | { readonly kind: 'current'; readonly permit: BootPermit }
  | { readonly kind: 'installed'; readonly slot: SlotId; readonly permit: BootPermit };

/** Installs the release in force, unless it runs already. Network faults throw `OperationError`. */
export async function installRelease(input: InstallInput): Promise<Verdict<Installed, InstallCode>> {
  const { device, flash, client, running } = input;
  const component = findComponent(input);
  if (!component.ok) return component;
  const bundle = await fetchBundle(input, component.value);
  const permit = verifyBundle(encodeBootBundle(bundle), device);
  if (!permit.ok) return permit;
  const { image } = permit.value;
  if (running?.permit.image.sha256 === image.sha256) return accept({ kind: 'current', permit: permit.value });
  const state = (await readBootState(flash)) ?? BOOT_STATE_EMPTY;
  if (state.failed.includes(image.sha256)) {
    return reject('IMAGE_TRIED_BEFORE', `${image.name} has failed its trial on this device`);
  }
  const slot = running === undefined ? freeSlot(state) : otherSlot(running.slot);
  const bytes = await getPresent(client, hashedName(image), image.length);
  const verified = verifyImage(permit.value, bytes);
  if (!verified.ok) return verified;
  const written = await writeSlot(flash, slot, { image: verified.value, bundle: encodeBootBundle(bundle) });
  if (!written.ok) return written;
  await writeBootState(flash, armTrial(state, slot));
  return accept({ kind: 'installed', slot, permit: permit.value });
}

/**
 * Gives the running slot the newest trust, in one atomic step, if its image still passes under it (rule R10).
 * Only for a slot that is good: an image on trial is judged by what it was installed with.
 * @returns whether a bundle was written; a refusal says that the image no longer passes, and leaves the old bundle.
 */
export async function commitTrust(
  input: InstallInput & { readonly running: { readonly slot: SlotId; readonly permit: BootPermit } },
): Promise<Verdict<boolean, BundleCode | 'IMAGE_TOO_LARGE' | 'IMAGE_HASH_MISMATCH'>> {
  const { flash, device, refreshed, running } = input;
  const lying = await readBundle(flash, running.slot);
  const before = lying === undefined ? undefined : parseBootBundle(lying);
  if (lying === undefined || before?.ok !== true) return accept(false);
  const { roots, targets, channel } = refreshed;
  const bundle = encodeBootBundle({ ...before.value, roots, targets, channel });
  if (equalBytes(bundle, lying)) return accept(false);
  const permit = verifyBundle(bundle, device);
  if (!permit.ok) return permit;
  if (permit.value.image.sha256 !== running.permit.image.sha256) {
    return reject('IMAGE_HASH_MISMATCH', `${before.value.release} names another image now`);
  }
  const written = await writeBundle(flash, running.slot, bundle);
  return written.ok ? accept(true) : written;
}

/** This device's component of the release in force. */
function findComponent({ device, refreshed }: InstallInput): Verdict<Component, InstallCode> {
  const { signed } = refreshed.channelRole;
  const part = parseChannelPart(signed.firmament);
  if (!part.ok) return part;
  const release = parseRelease(signed.targets, part.value.release);
  if (!release.ok) return release;
  const component = release.value.components.find((found) => found.component === device.factory.component);
  return component === undefined
    ? reject('HARDWARE_MISMATCH', `${part.value.release} has no component ${device.factory.component}`)
    : accept(component);
}

async function fetchBundle(input: InstallInput, component: Component): Promise<BootBundle> {
  const { roots, targets, channel } = input.refreshed;
  const { provenanceTarget: target } = component;
  const provenance = await getPresent(input.client, hashedName(target), target.length);
  const release = target.name.slice(0, target.name.indexOf('/'));
  return { release, roots, targets, channel, provenance };
}

/** Where consistent snapshots keep a target: its digest stands before its file name (TUF specification 1.0.34, section 6.2.2). */
function hashedName(target: { readonly name: string; readonly sha256: string }): string {
  const slash = target.name.lastIndexOf('/') + 1;
  return `targets/${target.name.slice(0, slash)}${target.sha256}.${target.name.slice(slash)}`;
}
