/**
 * The decision to boot, second half: whether bytes are the images that a permit names.
 *
 * - Length first, then SHA-256; what is accepted is a copy of the very bytes that were hashed, so nothing can change in between.
 * - The images of a release are handed out together or not at all, each as the component that the permit names it for.
 */
import { sha256Hex } from '../../formats/sha256.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';
import type { BootPermit, PermittedComponent } from './verify-bundle.ts';

export type FirmwareImage = Verified<{
  readonly permit: BootPermit;
  readonly component: PermittedComponent;
  readonly bytes: Uint8Array;
}>;

/** All images of a release on this device. */
export type ReleaseImages = Verified<{
  readonly permit: BootPermit;
  /** The image that the boot stage starts. */
  readonly main: FirmwareImage;
  /** The images of all components, the main one among them, in the order of installation. */
  readonly images: readonly FirmwareImage[];
}>;
export type ImageCode = 'IMAGE_LENGTH_MISMATCH' | 'IMAGE_HASH_MISMATCH';

/**
 * Decides whether `files` are the images of `permit`.
 * @param files one for each component of the permit, in its order.
 */
export function verifyImages(permit: BootPermit, files: readonly Uint8Array[]): Verdict<ReleaseImages, ImageCode> {
  const images: FirmwareImage[] = [];
  for (const [index, component] of permit.components.entries()) {
    const image = verifyImage(permit, component, files[index] ?? new Uint8Array());
    if (!image.ok) return image;
    images.push(image.value);
  }
  const main = images.find(({ component }) => component === permit.main);
  return main === undefined
    ? reject('IMAGE_LENGTH_MISMATCH', 'the main image is missing')
    : accept(markVerified({ permit, main, images }));
}

function verifyImage(
  permit: BootPermit,
  component: PermittedComponent,
  bytes: Uint8Array,
): Verdict<FirmwareImage, ImageCode> {
  const { image } = component;
  if (bytes.length !== image.length) {
    return reject('IMAGE_LENGTH_MISMATCH', `${image.name}: ${bytes.length} bytes, ${image.length} were signed`);
  }
  const copy = bytes.slice();
  const sha256 = sha256Hex(copy);
  return sha256 === image.sha256
    ? accept(markVerified({ permit, component, bytes: copy }))
    : reject(
        'IMAGE_HASH_MISMATCH',
        `${image.name}: SHA-256 ${sha256.slice(0, 12)}…, ${image.sha256.slice(0, 12)}… was signed`,
      );
}
