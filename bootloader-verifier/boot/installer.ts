/**
 * Components with a flash of their own: the port to one, and the step that brings all of them to the release that is to run.
 *
 * - Only an image that the boot checks have accepted can be handed over, together with all others of its release.
 * - The whole flash counts: behind the image it is erased, so that nothing of another release remains.
 * - What holds its image already is left alone; what was written is read back. A cut in between is repaired at the next start.
 * - In the order of installation, and before the main image runs: it never runs beside an image of another release.
 * - Specified in `docs/formats/flash.md`.
 */
import { concatBytes } from '../../formats/bytes.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import type { FirmwareImage, ReleaseImages } from './verify-image.ts';

/** What flash reads where it is erased. */
export const ERASED = 0xff;

/** The way to one component's own flash. */
export type ComponentInstaller = {
  /** Size of its flash, in bytes. */
  readonly size: number;
  /** SHA-256 over its whole flash, in hex; undefined while the component does not answer. */
  readonly digest: () => Promise<string | undefined>;
  /**
   * Erases its flash and writes `image` from the first byte on; durable when it returns. If power fails before, anything may lie
   * there. A component that does not answer takes nothing.
   */
  readonly write: (image: FirmwareImage) => Promise<void>;
};

/** The way to the component of this name, or undefined where there is none. */
export type FindInstaller = (component: string) => ComponentInstaller | undefined;

/**
 * Brings every component that is installed by transfer to its image of `release`.
 * @returns the images that had to be written.
 */
export async function installComponents(
  { images }: ReleaseImages,
  find: FindInstaller,
): Promise<Verdict<readonly FirmwareImage[], 'COMPONENT_INSTALL_FAILED'>> {
  const written: FirmwareImage[] = [];
  for (const image of images) {
    if (image.component.installer !== 'transfer') continue;
    const installed = await installComponent(image, find(image.component.component));
    if (!installed.ok) return installed;
    if (installed.value === 'written') written.push(image);
  }
  return accept(written);
}

async function installComponent(
  image: FirmwareImage,
  installer: ComponentInstaller | undefined,
): Promise<Verdict<'written' | 'present', 'COMPONENT_INSTALL_FAILED'>> {
  const { component: name } = image.component;
  if (installer === undefined) return reject('COMPONENT_INSTALL_FAILED', `there is no way to ${name}`);
  const { length } = image.bytes;
  if (length > installer.size) {
    return reject('COMPONENT_INSTALL_FAILED', `${name} has ${installer.size} bytes of flash, its image ${length}`);
  }
  const expected = sha256Hex(concatBytes(image.bytes, new Uint8Array(installer.size - length).fill(ERASED)));
  const before = await installer.digest();
  if (before === expected) return accept('present');
  if (before === undefined) return reject('COMPONENT_INSTALL_FAILED', `${name} does not answer`);
  await installer.write(image);
  return (await installer.digest()) === expected
    ? accept('written')
    : reject('COMPONENT_INSTALL_FAILED', `${name} does not hold what was written to it`);
}
