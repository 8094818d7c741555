/** Flash in a folder: what a write leaves, what blank regions read as, and who may write where. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { flashFiles } from '../../../bootloader-verifier/agent/flash-files.ts';
import { FLASH_LAYOUT, mayRead, MAY_WRITE, REGIONS } from '../../../bootloader-verifier/boot/flash.ts';
import { readRecord, writeRecord } from '../../../bootloader-verifier/boot/flash-records.ts';
import { testFlash } from '../flash-contract.ts';

let home: string;
let folder: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'flash-files-'));
  folder = join(home, 'not', 'there', 'yet');
});

afterEach(() => rm(home, { recursive: true, force: true }));

testFlash(() => (rights) => flashFiles(folder, rights));

test('what was never written reads as zero, within a region and without its file', async () => {
  const flash = flashFiles(folder, 'system');
  expect(await flash.read('slot-a', FLASH_LAYOUT['slot-a'] - 4, 4)).toEqual(new Uint8Array(4));
  await flash.write('slot-a', 2, Uint8Array.of(1, 2));
  expect(await flash.read('slot-a', 0, 8)).toEqual(Uint8Array.of(0, 0, 1, 2, 0, 0, 0, 0));
});

test('a write changes its own bytes alone, and is there for whoever opens the folder next', async () => {
  const flash = flashFiles(folder, 'system');
  await flash.write('state', 0, new Uint8Array(16).fill(9));
  await flash.write('state', 4, Uint8Array.of(1, 2, 3));
  const expected = Uint8Array.of(9, 9, 9, 9, 1, 2, 3, 9);
  expect(await flashFiles(folder, 'boot-stage').read('state', 0, 8)).toEqual(expected);
  expect(new Uint8Array(await readFile(join(folder, 'state'))).subarray(0, 8)).toEqual(expected);
});

test('only the owner can read the files', async () => {
  await flashFiles(folder, 'system').write('state', 0, new Uint8Array(1));
  expect((await stat(join(folder, 'state'))).mode & 0o777).toBe(0o600);
});

test('each writer writes its own regions: the system neither floors nor factory record, the boot stage no slot', async () => {
  for (const rights of ['factory', 'boot-stage', 'system'] as const) {
    for (const region of REGIONS) {
      const write = flashFiles(folder, rights).write(region, 0, new Uint8Array(1));
      if (MAY_WRITE[rights].includes(region)) await write;
      else await expect(write).rejects.toThrow(`${rights} may not write ${region}`);
    }
  }
  expect((await readdir(folder)).sort()).toEqual([...REGIONS].sort());
});

test("the device's secret is read by the factory and the boot stage, never by the system", async () => {
  for (const rights of ['factory', 'boot-stage', 'system'] as const) {
    for (const region of REGIONS) {
      const read = flashFiles(folder, rights).read(region, 0, 1);
      if (mayRead(rights, region)) await read;
      else await expect(read).rejects.toThrow('system may not read identity');
    }
  }
  expect(REGIONS.filter((region) => !mayRead('system', region))).toEqual(['identity']);
});

test('nothing is read or written outside of a region', async () => {
  const flash = flashFiles(folder, 'system');
  const size = FLASH_LAYOUT.state;
  await flash.write('state', size - 1, new Uint8Array(1));
  await expect(flash.write('state', size, new Uint8Array(1))).rejects.toThrow('write within the region');
  await expect(flash.write('state', -1, new Uint8Array(1))).rejects.toThrow('write within the region');
  await expect(flash.read('state', size - 1, 2)).rejects.toThrow('read within the region');
  await expect(flash.read('state', 0, -1)).rejects.toThrow('read within the region');
});

test('a file system that fails is an operation error, never an empty region', async () => {
  await writeFile(join(home, 'file'), 'no folder');
  const flash = flashFiles(join(home, 'file'), 'system');
  await expect(flash.read('state', 0, 1)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  await expect(flash.write('state', 0, new Uint8Array(1))).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
});

test('records live on it as on any flash', async () => {
  const flash = flashFiles(folder, 'system');
  for (const payload of [Uint8Array.of(1), Uint8Array.of(2, 2), Uint8Array.of(3)]) {
    expect(await writeRecord(flash, 'bundle-a', payload)).toBe(true);
    expect(await readRecord(flashFiles(folder, 'boot-stage'), 'bundle-a')).toEqual(payload);
  }
});
