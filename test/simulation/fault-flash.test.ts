/** The simulated flash is held to the port it stands for: durable writes, torn ones that leave a prefix, rights by writer. */
import { expect, test } from 'vitest';
import { FLASH_LAYOUT, MAY_WRITE, REGIONS } from '../../bootloader-verifier/boot/flash.ts';
import { faultFlash, SMALL_FLASH } from '../../simulation/fault-flash.ts';
import { seededRandom } from '../../simulation/seed.ts';
import { testFlash } from '../bootloader-verifier/flash-contract.ts';
import { SEED } from './seed.ts';

testFlash(() => faultFlash(SMALL_FLASH).view);

const OLD = new Uint8Array(64).fill(0xaa);
const NEW = new Uint8Array(64).fill(0x55);

test('a write that the power cut hits leaves a prefix of the new bytes and behind it the old ones', async () => {
  const random = seededRandom(SEED);
  const landed = new Set<number>();
  for (let i = 0; i < 300; i++) {
    const flash = faultFlash(SMALL_FLASH);
    const system = flash.view('system');
    await system.write('state', 100, OLD);
    flash.cutAfter(0, random);
    await expect(system.write('state', 100, NEW)).rejects.toMatchObject({ code: 'POWER_CUT' });
    flash.powerOn();
    const lying = await system.read('state', 100, 64);
    const cut = flash.lastCut()?.landed ?? -1;
    expect(lying, `seed ${SEED}`).toEqual(Uint8Array.from([...NEW.subarray(0, cut), ...OLD.subarray(cut)]));
    landed.add(cut);
  }
  expect(landed.has(0) && landed.has(64), `seed ${SEED}`).toBe(true);
});

test('the cut falls on the chosen write and no earlier; without power nothing works, with power again everything does', async () => {
  const flash = faultFlash(SMALL_FLASH);
  const system = flash.view('system');
  flash.cutAfter(2, () => 0);
  const lost = flash.powerLost();
  await system.write('cache', 0, NEW);
  await system.write('slot-a', 0, NEW);
  await expect(system.write('bundle-b', 0, NEW)).rejects.toMatchObject({ code: 'POWER_CUT' });
  await lost;
  expect(flash.lastCut()).toEqual({ region: 'bundle-b', landed: 0, length: 64 });
  expect(flash.isOn()).toBe(false);
  await expect(system.read('cache', 0, 1)).rejects.toMatchObject({ code: 'POWER_CUT' });
  await expect(system.write('cache', 0, OLD)).rejects.toMatchObject({ code: 'POWER_CUT' });
  flash.powerOn();
  expect(await system.read('cache', 0, 64)).toEqual(NEW);
  await system.write('bundle-b', 0, NEW);
  expect(Object.fromEntries(flash.writes())).toEqual({ cache: 1, 'slot-a': 1, 'bundle-b': 2 });
});

test('each writer can write its own regions and no others, and nobody outside of a region', async () => {
  const flash = faultFlash(SMALL_FLASH);
  for (const rights of ['factory', 'boot-stage', 'system'] as const) {
    for (const region of REGIONS) {
      const write = flash.view(rights).write(region, 0, NEW);
      if (MAY_WRITE[rights].includes(region)) await write;
      else await expect(write).rejects.toThrow(`${rights} may not write ${region}`);
    }
  }
  const system = flash.view('system');
  await expect(system.write('state', SMALL_FLASH.state - 63, NEW)).rejects.toThrow('within the region');
  await expect(system.read('state', SMALL_FLASH.state - 63, 64)).rejects.toThrow('within the region');
  expect(MAY_WRITE.system).not.toContain('protected');
});

test('a flash can be copied, and a damaged bit is found where it was damaged', async () => {
  const flash = faultFlash(SMALL_FLASH);
  await flash.view('system').write('slot-a', 0, NEW);
  const copy = faultFlash(SMALL_FLASH, flash.image());
  copy.damage('slot-a', 3, 0x80);
  expect([...(await copy.view('system').read('slot-a', 2, 3))]).toEqual([0x55, 0xd5, 0x55]);
  expect(await flash.view('system').read('slot-a', 0, 64)).toEqual(NEW);
  expect(Object.keys(SMALL_FLASH).sort()).toEqual(Object.keys(FLASH_LAYOUT).sort());
});
