/** What every way to a component's own flash must do; each adapter's test runs it against one of its own. */
import { expect, test } from 'vitest';
import { concatBytes } from '../../formats/bytes.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { ERASED, type ComponentInstaller } from '../../bootloader-verifier/boot/installer.ts';
import { verifyBundle } from '../../bootloader-verifier/boot/verify-bundle.ts';
import { verifyImages, type FirmwareImage } from '../../bootloader-verifier/boot/verify-image.ts';
import { accepted } from '../accepted.ts';
import { rememberingCheck } from '../tiny-device.ts';
import { makeTinyRepository } from '../tiny-repository.ts';

const HUB = { component: 'hub', hardwareId: 'primehub', installer: 'transfer' } as const;
const check = rememberingCheck();

/** The verified image of a hub whose bytes are these. */
export async function hubImage(image: Uint8Array): Promise<FirmwareImage> {
  const components = [{}, { component: 'hub', hardwareIds: ['primehub'], installer: HUB.installer, image }];
  const repository = await makeTinyRepository({ parts: [HUB], first: { components } });
  const { bundle, components: made } = repository.releases.get('1.0.0') ?? expect.unreachable();
  const permit = accepted(verifyBundle(bundle, repository.device({ check })));
  const [, hub] = accepted(
    verifyImages(
      permit,
      made.map((component) => component.image),
    ),
  ).images;
  return hub ?? expect.unreachable();
}

/** SHA-256 of a flash that holds `image` and is erased behind it. */
export function flashDigest(image: Uint8Array, size: number): string {
  return sha256Hex(concatBytes(image, new Uint8Array(size - image.length).fill(ERASED)));
}

/** Runs the contract. @param make a blank component each time, and how it is cut off from its host. */
export function testInstaller(
  make: () => Promise<{ readonly installer: ComponentInstaller; readonly disconnect: () => Promise<void> }>,
): void {
  test('a blank component answers with the digest of an erased flash', async () => {
    const { installer } = await make();
    expect(await installer.digest()).toBe(flashDigest(new Uint8Array(), installer.size));
  });

  test('what was written is what lies there, from the first byte, and all behind it is erased', async () => {
    const { installer } = await make();
    const long = Uint8Array.from({ length: installer.size }, (_, index) => index % 251);
    const short = Uint8Array.of(1, 2, 3);
    for (const image of [long, short, long]) {
      await installer.write(await hubImage(image));
      expect(await installer.digest()).toBe(flashDigest(image, installer.size));
    }
  });

  test('a component that does not answer says so, and takes nothing', async () => {
    const { installer, disconnect } = await make();
    await disconnect();
    expect(await installer.digest()).toBeUndefined();
    await installer.write(await hubImage(Uint8Array.of(1)));
    expect(await installer.digest()).toBeUndefined();
  });
}
