/**
 * A slot: an image and the boot bundle that judges it.
 *
 * - Reading a slot verifies it, whole, from flash alone: bundle first, then the bytes that will run.
 * - Writing demands an image that has been verified; bundle and image are read back and verified again by whoever starts them.
 * - The bundle is written last: a cut before it leaves the slot with a bundle that does not fit its image, which is refused.
 */
import type { SlotId } from '../../formats/boot-state.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { readRecord, writeRecord } from './flash-records.ts';
import type { Flash, Region } from './flash.ts';
import { verifyBundle, type BundleCode, type DeviceTrust } from './verify-bundle.ts';
import { verifyImage, type FirmwareImage, type ImageCode } from './verify-image.ts';

export type SlotCode = 'SLOT_EMPTY' | 'IMAGE_TOO_LARGE' | BundleCode | ImageCode;

const BUNDLES = { a: 'bundle-a', b: 'bundle-b' } as const satisfies Record<SlotId, Region>;
const IMAGES = { a: 'slot-a', b: 'slot-b' } as const satisfies Record<SlotId, Region>;

/** The image of `slot`, if everything about it permits it on this device now. */
export async function verifySlot(
  flash: Flash,
  slot: SlotId,
  device: DeviceTrust,
): Promise<Verdict<FirmwareImage, SlotCode>> {
  const bundle = await readBundle(flash, slot);
  if (bundle === undefined) return reject('SLOT_EMPTY', `slot ${slot} has no boot bundle`);
  const permit = verifyBundle(bundle, device);
  if (!permit.ok) return permit;
  const { length } = permit.value.image;
  const fits = checkFits(flash, slot, length);
  return fits.ok ? verifyImage(permit.value, await flash.read(IMAGES[slot], 0, length)) : fits;
}

/** Whether an image of `length` bytes fits `slot`. */
export function checkFits(flash: Flash, slot: SlotId, length: number): Verdict<void, 'IMAGE_TOO_LARGE'> {
  const size = flash.sizeOf(IMAGES[slot]);
  return length <= size
    ? accept(undefined)
    : reject('IMAGE_TOO_LARGE', `an image of ${length} bytes, slot ${slot} has ${size}`);
}

/** The boot bundle of `slot` as it lies on flash, not verified; undefined if there is none. */
export function readBundle(flash: Flash, slot: SlotId): Promise<Uint8Array | undefined> {
  return readRecord(flash, BUNDLES[slot]);
}

/** Writes a verified image and its bundle to `slot`. */
export async function writeSlot(
  flash: Flash,
  slot: SlotId,
  content: { readonly image: FirmwareImage; readonly bundle: Uint8Array },
): Promise<Verdict<void, 'IMAGE_TOO_LARGE'>> {
  const { bytes } = content.image;
  const fits = checkFits(flash, slot, bytes.length);
  if (!fits.ok) return fits;
  await flash.write(IMAGES[slot], 0, bytes);
  return writeBundle(flash, slot, content.bundle);
}

/** Replaces the bundle of `slot` in one atomic step: new trust for an image that stays (rule R10). */
export async function writeBundle(
  flash: Flash,
  slot: SlotId,
  bundle: Uint8Array,
): Promise<Verdict<void, 'IMAGE_TOO_LARGE'>> {
  return (await writeRecord(flash, BUNDLES[slot], bundle))
    ? accept(undefined)
    : reject('IMAGE_TOO_LARGE', `a boot bundle of ${bundle.length} bytes does not fit its region`);
}
