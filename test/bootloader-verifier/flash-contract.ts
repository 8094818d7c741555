/** What every flash must do: each adapter's test runs this. */
import { expect, test } from 'vitest';
import { mayRead, MAY_WRITE, REGIONS, type Flash, type FlashRights } from '../../bootloader-verifier/boot/flash.ts';

const WRITERS = ['factory', 'boot-stage', 'system'] as const;

/** Registers the tests. @param fresh blank flash, as each of its writers has it. */
export function testFlash(fresh: () => (rights: FlashRights) => Flash): void {
  test('contract: blank flash reads as zero up to the last byte of each region', async () => {
    const flash = fresh()('boot-stage');
    for (const region of REGIONS.filter((each) => mayRead('boot-stage', each))) {
      expect(await flash.read(region, flash.sizeOf(region) - 4, 4), region).toEqual(new Uint8Array(4));
    }
  });

  test('contract: a write changes its own bytes alone, and every writer that may read sees it', async () => {
    const view = fresh();
    await view('system').write('state', 0, new Uint8Array(8).fill(9));
    await view('system').write('state', 2, Uint8Array.of(1, 2));
    const expected = Uint8Array.of(9, 9, 1, 2, 9, 9, 9, 9, 0);
    for (const rights of WRITERS) expect(await view(rights).read('state', 0, 9)).toEqual(expected);
    expect(await view('system').read('cache', 0, 9)).toEqual(new Uint8Array(9));
  });

  test('contract: what was read is a copy, and what was written is not the bytes of the caller', async () => {
    const flash = fresh()('system');
    const mine = Uint8Array.of(1, 2, 3);
    await flash.write('state', 0, mine);
    mine.fill(7);
    (await flash.read('state', 0, 3)).fill(8);
    expect(await flash.read('state', 0, 3)).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('contract: each writer reads and writes what it may, and nothing else', async () => {
    const view = fresh();
    for (const rights of WRITERS) {
      for (const region of REGIONS) {
        const write = view(rights).write(region, 0, Uint8Array.of(1));
        if (MAY_WRITE[rights].includes(region)) await write;
        else await expect(write, `${rights} ${region}`).rejects.toThrow(`${rights} may not write ${region}`);
        const read = view(rights).read(region, 0, 1);
        if (mayRead(rights, region)) await read;
        else await expect(read, `${rights} ${region}`).rejects.toThrow(`${rights} may not read ${region}`);
      }
    }
  });

  test('contract: nothing is read or written beyond a region', async () => {
    const flash = fresh()('system');
    const end = flash.sizeOf('state');
    await flash.write('state', end - 2, Uint8Array.of(1, 2));
    await expect(flash.write('state', end - 1, Uint8Array.of(1, 2))).rejects.toThrow('within the region');
    await expect(flash.read('state', end - 1, 2)).rejects.toThrow('within the region');
    await expect(flash.read('state', -1, 2)).rejects.toThrow('within the region');
  });
}
