/**
 * The decision to boot, second half: whether bytes are the image that a permit names.
 *
 * - Length first, then SHA-256; what is accepted is a copy of the very bytes that were hashed, so nothing can change in between.
 */
import { sha256Hex } from '../../formats/sha256.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';
import type { BootPermit } from './verify-bundle.ts';

export type FirmwareImage = Verified<{ readonly permit: BootPermit; readonly bytes: Uint8Array }>;
export type ImageCode = 'IMAGE_LENGTH_MISMATCH' | 'IMAGE_HASH_MISMATCH';

/** Decides whether `bytes` is the image of `permit`. */
export function verifyImage(permit: BootPermit, bytes: Uint8Array): Verdict<FirmwareImage, ImageCode> {
  const { image } = permit;
  if (bytes.length !== image.length) {
    return reject('IMAGE_LENGTH_MISMATCH', `${bytes.length} bytes, ${image.length} were signed`);
  }
  const copy = bytes.slice();
  const sha256 = sha256Hex(copy);
  return sha256 === image.sha256
    ? accept(markVerified({ permit, bytes: copy }))
    : reject('IMAGE_HASH_MISMATCH', `SHA-256 ${sha256.slice(0, 12)}…, ${image.sha256.slice(0, 12)}… was signed`);
}
