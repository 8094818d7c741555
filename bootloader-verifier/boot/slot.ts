/**
 * A slot: all images of one release, and the boot bundle that judges them.
 *
 * - Reading a slot verifies it, whole, from flash alone: bundle first, then the bytes of every image, before any is handed out.
 * - The main image has a region of its own; those that are transferred lie in another, one behind the other in their order.
 * - Writing demands images that have been verified; all is read back and verified again by whoever starts them.
 * - The bundle is written last: a cut before it leaves the slot with a bundle that does not fit its images, which is refused.
 */
import type { SlotId } from '../../formats/boot-state.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { readRecord, writeRecord } from './flash-records.ts';
import type { Flash, Region } from './flash.ts';
import {
  verifyBundle,
  type BootPermit,
  type BundleCode,
  type DeviceTrust,
  type PermittedComponent,
} from './verify-bundle.ts';
import { verifyImages, type ImageCode, type ReleaseImages } from './verify-image.ts';

export type SlotCode = 'SLOT_EMPTY' | 'IMAGE_TOO_LARGE' | BundleCode | ImageCode;

const BUNDLES = { a: 'bundle-a', b: 'bundle-b' } as const satisfies Record<SlotId, Region>;
const IMAGES = { a: 'slot-a', b: 'slot-b' } as const satisfies Record<SlotId, Region>;
const PARTS = { a: 'parts-a', b: 'parts-b' } as const satisfies Record<SlotId, Region>;

/** The images of `slot`, if everything about it permits all of them on this device now. */
export async function verifySlot(
  flash: Flash,
  slot: SlotId,
  device: DeviceTrust,
): Promise<Verdict<ReleaseImages, SlotCode>> {
  const bundle = await readBundle(flash, slot);
  if (bundle === undefined) return reject('SLOT_EMPTY', `slot ${slot} has no boot bundle`);
  const permit = verifyBundle(bundle, device);
  if (!permit.ok) return permit;
  const fits = checkFits(flash, slot, permit.value);
  if (!fits.ok) return fits;
  const files: Uint8Array[] = [];
  for (const { region, offset, length } of placesOf(permit.value, slot)) {
    files.push(await flash.read(region, offset, length));
  }
  return verifyImages(permit.value, files);
}

/** Whether the images of `permit` fit `slot`. */
export function checkFits(flash: Flash, slot: SlotId, permit: BootPermit): Verdict<void, 'IMAGE_TOO_LARGE'> {
  const tooLarge = placesOf(permit, slot).find(({ region, offset, length }) => offset + length > flash.sizeOf(region));
  return tooLarge === undefined
    ? accept(undefined)
    : reject(
        'IMAGE_TOO_LARGE',
        `${tooLarge.length} bytes of ${tooLarge.component.component} do not fit ${tooLarge.region}`,
      );
}

type Place = {
  readonly component: PermittedComponent;
  readonly region: Region;
  readonly offset: number;
  readonly length: number;
};

/** Where the images of `permit` lie in `slot`, in the order of installation. */
function placesOf({ components }: BootPermit, slot: SlotId): readonly Place[] {
  let behind = 0;
  return components.map((component) => {
    const { length } = component.image;
    if (component.installer === 'slot') return { component, region: IMAGES[slot], offset: 0, length };
    const offset = behind;
    behind += length;
    return { component, region: PARTS[slot], offset, length };
  });
}

/** The boot bundle of `slot` as it lies on flash, not verified; undefined if there is none. */
export function readBundle(flash: Flash, slot: SlotId): Promise<Uint8Array | undefined> {
  return readRecord(flash, BUNDLES[slot]);
}

/** Writes the verified images of a release and their bundle to `slot`. */
export async function writeSlot(
  flash: Flash,
  slot: SlotId,
  content: { readonly release: ReleaseImages; readonly bundle: Uint8Array },
): Promise<Verdict<void, 'IMAGE_TOO_LARGE'>> {
  const { permit, images } = content.release;
  const fits = checkFits(flash, slot, permit);
  if (!fits.ok) return fits;
  for (const { component, region, offset } of placesOf(permit, slot)) {
    const image = images.find((found) => found.component === component);
    if (image !== undefined) await flash.write(region, offset, image.bytes);
  }
  return writeBundle(flash, slot, content.bundle);
}

/** Replaces the bundle of `slot` in one atomic step: new trust for images that stay (rule R10). */
export async function writeBundle(
  flash: Flash,
  slot: SlotId,
  bundle: Uint8Array,
): Promise<Verdict<void, 'IMAGE_TOO_LARGE'>> {
  return (await writeRecord(flash, BUNDLES[slot], bundle))
    ? accept(undefined)
    : reject('IMAGE_TOO_LARGE', `a boot bundle of ${bundle.length} bytes does not fit its region`);
}
