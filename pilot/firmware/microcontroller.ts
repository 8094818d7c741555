/**
 * The build script of the microcontroller's image: `node microcontroller.ts 7.27.0`, run in this folder, writes `dist/hub.bin`.
 *
 * - The image is the base of the Pybricks firmware for the Prime Hub, as its authors released it to npm: a real one, unchanged.
 * - The output depends on the released package alone; one that is not of the version that was asked for is refused.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';

const FIRMWARE = 'firmware-base.bin';
const version = process.argv[2] ?? '';
const [, minor] = /^7\.([0-9]+)\.[0-9]+$/.exec(version) ?? [];
if (minor === undefined) {
  process.stderr.write('usage: node microcontroller.ts 7.MINOR.PATCH\n');
  process.exitCode = 64;
} else {
  const description = createRequire(import.meta.url).resolve(`pybricks-firmware-${minor}/package.json`);
  if (!(await readFile(description, 'utf8')).includes(`"version": "${version}"`)) {
    throw new Error(`the installed package is not version ${version}`);
  }
  const archive = await readFile(join(dirname(description), 'build', 'primehub.zip'));
  const image = unzipSync(archive, { filter: ({ name }) => name === FIRMWARE })[FIRMWARE];
  if (image === undefined) throw new Error(`the package has no ${FIRMWARE}`);
  await mkdir('dist', { recursive: true });
  await writeFile('dist/hub.bin', image);
}
