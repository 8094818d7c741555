/** A microcontroller whose flash is a file: the contract, and what its host may do to it. */
import { mkdtempSync } from 'node:fs';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { installerFile } from '../../../bootloader-verifier/agent/installer-file.ts';
import { flashDigest, hubImage, testInstaller } from '../installer-contract.ts';

const SIZE = 200_000;
const folders: string[] = [];

function blankFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'microcontroller-'));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

testInstaller(async () => {
  const folder = blankFolder();
  return {
    installer: installerFile(join(folder, 'hub'), SIZE),
    disconnect: () => rm(folder, { recursive: true }),
  };
});

test('the file is the flash, byte for byte; a file that was cut or grew is not taken for it', async () => {
  const path = join(blankFolder(), 'hub');
  const installer = installerFile(path, SIZE);
  const image = new Uint8Array(100_000).fill(7);
  await installer.write(await hubImage(image));
  const flash = await readFile(path);
  expect([flash.length, flash[99_999], flash[100_000]]).toEqual([SIZE, 7, 0xff]);
  await truncate(path, 99_999);
  expect(await installer.digest()).not.toBe(flashDigest(image, SIZE));
  await writeFile(path, new Uint8Array(SIZE + 1));
  await installer.write(await hubImage(image));
  expect(await installer.digest()).toBe(flashDigest(image, SIZE));
});

test('a fault of the disk is a fault, not a component that does not answer', async () => {
  const installer = installerFile(blankFolder(), SIZE);
  await expect(installer.digest()).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  await expect(installer.write(await hubImage(Uint8Array.of(1)))).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
});
