/** The decision to boot, second half: the image is the very bytes that were signed, and stays them. */
import { beforeAll, expect, test } from 'vitest';
import { verifyBundle, type BootPermit } from '../../../bootloader-verifier/boot/verify-bundle.ts';
import { verifyImages } from '../../../bootloader-verifier/boot/verify-image.ts';
import { accepted } from '../../accepted.ts';
import { makeTinyRepository, type PublishedRelease } from '../../tiny-repository.ts';

let release: PublishedRelease;
let permit: BootPermit;

beforeAll(async () => {
  const repository = await makeTinyRepository();
  release = repository.releases.get('1.0.0') ?? expect.unreachable();
  permit = accepted(verifyBundle(release.bundle, repository.device()));
});

test('exactly the bytes that were signed are the image: not one more, one less, or one changed', () => {
  const { image } = release;
  expect(accepted(verifyImages(permit, [image])).main.bytes).toEqual(image);
  expect(verifyImages(permit, [image.subarray(1)])).toMatchObject({ code: 'IMAGE_LENGTH_MISMATCH' });
  expect(verifyImages(permit, [Uint8Array.of(...image, 0)])).toMatchObject({ code: 'IMAGE_LENGTH_MISMATCH' });
  for (const at of image.keys()) {
    const changed = image.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(verifyImages(permit, [changed])).toMatchObject({ code: 'IMAGE_HASH_MISMATCH' });
  }
});

test('what was verified cannot be changed afterwards through the bytes that were handed in', () => {
  const given = release.image.slice();
  const { bytes } = accepted(verifyImages(permit, [given])).main;
  given.fill(0);
  expect(bytes).toEqual(release.image);
});
