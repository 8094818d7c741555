/**
 * From a refreshed repository to a slot on trial.
 *
 * - The candidate's boot bundle is judged by the very function that judges it at every start, before a byte of an image is fetched.
 * - A release is its images, all together: one that failed its trial here is not tried again; one that already runs is not
 *   fetched again, only judged by the newest release that names the same images.
 * - The slot that is written is never the one that runs, nor the one that the next start keeps; the state forgets it first.
 * - The trial is armed last, after what lies on flash has passed the check of the boot stage: a cut leaves the old state, and
 *   flash that does not hold what was written is no reason to restart.
 */
import {
  encodeBootBundle,
  parseBootBundle,
  type BootBundle,
  type ComponentEvidence,
} from '../../formats/boot-bundle.ts';
import { BOOT_STATE_EMPTY, otherSlot, type BootState, type SlotId } from '../../formats/boot-state.ts';
import { ENVELOPE_BYTES_MAX } from '../../formats/dsse.ts';
import { hashedTargetPath } from '../../formats/names.ts';
import { listsRelease, type Component, type ReleaseTarget } from '../../formats/release.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { equalBytes } from '../../formats/bytes.ts';
import { findDeviceComponents } from '../boot/device-components.ts';
import type { Flash } from '../boot/flash.ts';
import { armTrial, forgetSlot, freeSlot } from '../boot/plan-start.ts';
import { checkFits, readBundle, verifySlot, writeBundle, writeSlot, type SlotCode } from '../boot/slot.ts';
import { readBootState, writeBootState, writeChangedState } from '../boot/start-device.ts';
import { verifyBundle, type BootPermit, type BundleCode, type DeviceTrust } from '../boot/verify-bundle.ts';
import { verifyImages, type ImageCode, type ReleaseImages } from '../boot/verify-image.ts';
import type { Refreshed } from './refresh.ts';
import type { ChosenRelease, HeldWave } from './decide-release.ts';
import { getPresent, type RepositoryClient } from './repository-client.ts';

export type InstallCode = SlotCode | 'IMAGE_TRIED_BEFORE' | 'RELEASE_UNLISTED';
/** The slot that runs; `isGood` once the boot stage has started it as the good one, not on trial. */
export type RunningSlot = { readonly slot: SlotId; readonly permit: BootPermit; readonly isGood: boolean };
/** What a release is taken from: signed files, accepted as a whole, and whatever they name. */
export type ReleaseSource = {
  /** The release to install, and what its plan says to this device. */
  readonly chosen: ChosenRelease;
  readonly device: DeviceTrust;
  readonly client: RepositoryClient;
  readonly refreshed: Pick<Refreshed, 'roots' | 'targets' | 'channel' | 'channelRole' | 'proofs'>;
};
export type InstallInput = ReleaseSource & {
  readonly flash: Flash;
  /** What runs now, if anything does. */
  readonly running: RunningSlot | undefined;
};
export type Installed =
  | { readonly kind: 'current'; readonly permit: BootPermit }
  | { readonly kind: 'installed'; readonly slot: SlotId; readonly permit: BootPermit }
  | { readonly kind: 'held'; readonly release: string; readonly wave: HeldWave };

/** Installs the release that was chosen, unless it runs already or its wave is not open. Network faults throw `OperationError`. */
export async function installRelease(input: InstallInput): Promise<Verdict<Installed, InstallCode>> {
  const { device, flash, running } = input;
  const offered = await fetchBundle(input);
  if (!offered.ok) return offered;
  const bundle = encodeBootBundle(offered.value);
  const permit = verifyBundle(bundle, device);
  if (!permit.ok) return permit;
  const { imagesSha256, release } = permit.value;
  if (running?.permit.imagesSha256 === imagesSha256) {
    const renewed = running.isGood ? await renewBundle(flash, running.slot, bundle) : accept(false);
    return renewed.ok ? accept({ kind: 'current', permit: permit.value }) : renewed;
  }
  const { wave } = input.chosen;
  if (wave?.kind === 'held') return accept({ kind: 'held', release: input.chosen.release, wave });
  const state = (await readBootState(flash)) ?? BOOT_STATE_EMPTY;
  if (state.failed.includes(imagesSha256)) {
    return reject('IMAGE_TRIED_BEFORE', `${release} has failed its trial with these images on this device`);
  }
  const slot = running === undefined ? freeSlot(state) : otherSlot(running.slot);
  const fits = checkFits(flash, slot, permit.value);
  if (!fits.ok) return fits;
  const images = await fetchImages(input, permit.value);
  if (!images.ok) return images;
  const content = { release: images.value, bundle };
  const armed = await replaceSlot(input, { slot, state }, content);
  return armed.ok ? accept({ kind: 'installed', slot, permit: permit.value }) : armed;
}

/** Forget, write, read back, arm: in this order a power cut at any write leaves what ran before, or the new trial. */
async function replaceSlot(
  { flash, device, chosen }: InstallInput,
  { slot, state }: { readonly slot: SlotId; readonly state: BootState },
  content: { readonly release: ReleaseImages; readonly bundle: Uint8Array },
): Promise<Verdict<void, InstallCode>> {
  await writeChangedState(flash, state, forgetSlot(state, slot));
  const written = await writeSlot(flash, slot, content);
  if (!written.ok) return written;
  const lying = await verifySlot(flash, slot, device);
  if (!lying.ok) return lying;
  const { wave } = chosen;
  await writeBootState(flash, armTrial(state, slot, wave?.kind === 'open' ? wave.leaseEnds : undefined));
  return accept(undefined);
}

/**
 * Gives the running slot the newest trust, in one atomic step, if its images still pass under it (rule R10).
 * Only for a slot that is good: a release on trial is judged by what it was installed with.
 * @returns whether a bundle was written; a refusal says that the images no longer pass, and leaves the old bundle.
 */
export async function commitTrust(
  input: Omit<InstallInput, 'chosen'> & { readonly running: RunningSlot },
): Promise<Verdict<boolean, BundleCode | 'IMAGE_TOO_LARGE' | 'IMAGE_HASH_MISMATCH' | 'RELEASE_UNLISTED'>> {
  const { flash, device, refreshed, running } = input;
  const lying = await readBundle(flash, running.slot);
  const before = lying === undefined ? undefined : parseBootBundle(lying);
  if (before?.ok !== true) return accept(false);
  if (!listsRelease(refreshed.channelRole.signed.targets, before.value.release)) {
    return reject('RELEASE_UNLISTED', `${before.value.release} is not in the channel any more: its old bundle stays`);
  }
  const { roots, targets, channel, proofs } = refreshed;
  const bundle = encodeBootBundle({ ...before.value, roots, targets, channel, proofs });
  const permit = verifyBundle(bundle, device);
  if (!permit.ok) return permit;
  if (permit.value.imagesSha256 !== running.permit.imagesSha256) {
    return reject('IMAGE_HASH_MISMATCH', `${before.value.release} names other images now`);
  }
  return renewBundle(flash, running.slot, bundle);
}

/** Replaces the bundle of `slot`, whose images stay. @returns whether there was anything to write. */
async function renewBundle(
  flash: Flash,
  slot: SlotId,
  bundle: Uint8Array,
): Promise<Verdict<boolean, 'IMAGE_TOO_LARGE'>> {
  const lying = await readBundle(flash, slot);
  if (lying !== undefined && equalBytes(lying, bundle)) return accept(false);
  const written = await writeBundle(flash, slot, bundle);
  return written.ok ? accept(true) : written;
}

/** The boot bundle of the release that was chosen: what was refreshed, and the evidence of this device's components. */
export async function fetchBundle(input: ReleaseSource): Promise<Verdict<BootBundle, InstallCode>> {
  const { device, refreshed } = input;
  const { release } = input.chosen;
  const { signed } = refreshed.channelRole;
  const components = findDeviceComponents(signed.targets, release, device.factory);
  if (!components.ok) return components;
  const evidence: ComponentEvidence[] = [];
  for (const component of components.value) evidence.push(await fetchEvidence(input.client, component));
  const { roots, targets, channel, proofs } = refreshed;
  return accept({ release, roots, targets, channel, evidence, proofs });
}

async function fetchEvidence(client: RepositoryClient, component: Component): Promise<ComponentEvidence> {
  const fetchEnvelope = (target: ReleaseTarget): Promise<Uint8Array> =>
    getPresent(client, hashedTargetPath(target), Math.min(target.length, ENVELOPE_BYTES_MAX));
  const { provenanceTarget, vsaTarget } = component;
  const provenance = await fetchEnvelope(provenanceTarget);
  const vsa = vsaTarget === undefined ? undefined : await fetchEnvelope(vsaTarget);
  return { component: component.component, provenance, vsa };
}

/** The images that `permit` names, each verified. */
export async function fetchImages(
  { client }: Pick<ReleaseSource, 'client'>,
  permit: BootPermit,
): Promise<Verdict<ReleaseImages, ImageCode>> {
  const files: Uint8Array[] = [];
  for (const { image } of permit.components) {
    files.push(await getPresent(client, hashedTargetPath(image), image.length));
  }
  return verifyImages(permit, files);
}
