/**
 * Which images of a release are this device's.
 *
 * - The release has an image for every component of the device, for its hardware and its installer: it is installed as one.
 * - A component that the device does not have belongs to other devices and is passed over; but only if it is for other hardware.
 *   One that names hardware of this device was meant for it, and a release that fits a device in part is not installed.
 * - What remains stands in the order of installation that people signed.
 * - Specified in `docs/formats/release.md`.
 */
import { concatBytes, encodeUtf8 } from '../../formats/bytes.ts';
import type { DeviceComponent, FactoryRecord } from '../../formats/factory-record.ts';
import { parseRelease, type Component, type Release } from '../../formats/release.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import type { TargetFile } from '../../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';

/**
 * The components of the release `name` that a device installs.
 * @param targets the targets of the device's channel, accepted.
 * @returns one for each component of the device, in the order of installation.
 */
export function findDeviceComponents(
  targets: ReadonlyMap<string, TargetFile>,
  name: string,
  factory: Pick<FactoryRecord, 'components'>,
): Verdict<readonly Component[], 'RELEASE_MALFORMED' | 'HARDWARE_MISMATCH'> {
  const release = parseRelease(targets, name);
  return release.ok ? chooseComponents(release.value, factory) : release;
}

/** Those of `release` that a device installs, as above. */
export function chooseComponents(
  { release: name, components: offered }: Release,
  { components }: Pick<FactoryRecord, 'components'>,
): Verdict<readonly Component[], 'HARDWARE_MISMATCH'> {
  for (const own of components) {
    const fits = verifyFit(own, offered, name);
    if (!fits.ok) return fits;
  }
  const names = new Set(components.map(({ component }) => component));
  const hardware = new Set(components.map(({ hardwareId }) => hardwareId));
  const unknown = offered.find(
    ({ component, hardwareIds }) => !names.has(component) && hardwareIds.some((id) => hardware.has(id)),
  );
  if (unknown !== undefined) {
    return reject('HARDWARE_MISMATCH', `${name} has a component ${unknown.component} for this hardware, unknown here`);
  }
  return accept(offered.filter(({ component }) => names.has(component)));
}

/** Whether `offered` has the component `own`, for its hardware and installer. */
function verifyFit(
  own: DeviceComponent,
  offered: readonly Component[],
  release: string,
): Verdict<void, 'HARDWARE_MISMATCH'> {
  const found = offered.find(({ component }) => component === own.component);
  if (found === undefined) {
    return reject('HARDWARE_MISMATCH', `${release} has no component ${own.component}, which this device has`);
  }
  if (!found.hardwareIds.includes(own.hardwareId)) {
    return reject(
      'HARDWARE_MISMATCH',
      `${found.image.name} is for ${found.hardwareIds.join(', ')}, not ${own.hardwareId}`,
    );
  }
  return found.installer === own.installer
    ? accept(undefined)
    : reject('HARDWARE_MISMATCH', `${found.image.name} has installer ${found.installer}, this device ${own.installer}`);
}

/** One digest that names the images of all components together, in the order of installation. */
export function imagesDigest(
  components: readonly { readonly component: string; readonly image: { readonly sha256: string } }[],
): string {
  const lines = components.map(({ component, image }) => encodeUtf8(`${component} ${image.sha256}\n`));
  return sha256Hex(concatBytes(...lines));
}
