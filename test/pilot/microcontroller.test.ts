/** The build of the microcontroller's image: the released bytes and nothing else, and only of the version that was asked for. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256Hex } from '../../formats/sha256.ts';

const SCRIPT = fileURLToPath(new URL('../../pilot/firmware/microcontroller.ts', import.meta.url));
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'microcontroller-build-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function build(version: string): Promise<number> {
  const ended = promisify(execFile)(process.execPath, [SCRIPT, version], { cwd: folder });
  return ended.then(
    () => 0,
    (fault: { readonly code?: number }) => fault.code ?? -1,
  );
}

test.each([
  ['7.27.0', 294_196, 'c3a35aac165c'],
  ['7.28.0', 296_756, 'e5fd8bbd1030'],
])('the image of %s is the one that its authors released', async (version, length, digest) => {
  expect(await build(version)).toBe(0);
  const image = readFileSync(join(folder, 'dist', 'hub.bin'));
  expect([image.length, sha256Hex(image).slice(0, 12)]).toEqual([length, digest]);
});

test('a version that is not installed, or none at all, builds nothing', async () => {
  expect(await build('7.27.1')).toBe(1);
  expect(await build('7.1.0')).toBe(1);
  expect(await build('../27')).toBe(64);
  expect(await readdir(folder)).toEqual([]);
});
