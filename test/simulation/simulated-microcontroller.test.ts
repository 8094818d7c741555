/** The simulated microcontroller: the contract of every installer, and that its faults are those of a real one. */
import { expect, test } from 'vitest';
import { faultFlash, SMALL_FLASH } from '../../simulation/fault-flash.ts';
import { simulatedMicrocontroller, standsBeside } from '../../simulation/simulated-microcontroller.ts';
import { flashDigest, hubImage, testInstaller } from '../bootloader-verifier/installer-contract.ts';

const IMAGE = new Uint8Array(40).fill(7);

testInstaller(async () => {
  const { installer, turn } = simulatedMicrocontroller(faultFlash(SMALL_FLASH));
  return {
    installer,
    disconnect: async () => {
      turn('silent');
    },
  };
});

test('a cut during a write leaves an erased flash or the beginning of the image, never the whole of it', async () => {
  const image = await hubImage(IMAGE);
  for (let writes = 0; ; writes++) {
    const flash = faultFlash(SMALL_FLASH);
    const { installer } = simulatedMicrocontroller(flash);
    flash.cutAfter(writes, () => 0);
    const cut = await installer.write(image).catch(() => 'cut');
    expect(standsBeside(flash, image)).toBe(cut === undefined);
    if (cut === undefined) break;
    flash.powerOn();
    expect(await installer.digest()).not.toBe(flashDigest(IMAGE, installer.size));
    expect(flash.microcontroller.lying().filter((byte) => byte === 7)).toHaveLength(Math.max(0, writes - 1) * 16);
  }
});

test('a worn one answers, and keeps nothing', async () => {
  const { installer, turn } = simulatedMicrocontroller(faultFlash(SMALL_FLASH));
  turn('worn');
  await installer.write(await hubImage(IMAGE));
  expect(await installer.digest()).toBe(flashDigest(new Uint8Array(), installer.size));
});

test('what stands beside an image is held to its whole flash: one byte behind it is one too many', async () => {
  const flash = faultFlash(SMALL_FLASH);
  const image = await hubImage(IMAGE);
  await simulatedMicrocontroller(flash).installer.write(image);
  expect(standsBeside(flash, image)).toBe(true);
  flash.damage('microcontroller', 63, 1);
  expect(standsBeside(flash, image)).toBe(false);
});
