/** Plain files of a folder that others write to: nothing else is opened, followed or waited for. */
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { capsuleFolder } from '../../../bootloader-verifier/agent/capsule-folder.ts';
import { withPlainFile } from '../../../bootloader-verifier/agent/plain-file.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

/** A folder with one of each that is no plain file. */
async function strewnFolder(): Promise<string> {
  const folder = temporaryFolder('plain');
  writeFileSync(join(folder, 'file'), 'four');
  symlinkSync(join(folder, 'file'), join(folder, 'link.capsule'));
  symlinkSync('/dev/zero', join(folder, 'device.capsule'));
  mkdirSync(join(folder, 'folder.capsule'));
  execFileSync('mkfifo', [join(folder, 'pipe.capsule')]);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, 'socket.capsule'), resolve));
  onTestFinished(() => void server.close());
  return folder;
}

const OTHERS = ['link', 'device', 'folder', 'pipe', 'socket', 'absent', 'file/below'];

test.each(OTHERS)('%s is no plain file to an agent, and no capsule', async (kind) => {
  const folder = await strewnFolder();
  const name = kind.includes('/') ? kind : `${kind}.capsule`;
  expect(await withPlainFile(join(folder, name), (file) => Promise.resolve(file))).toBeUndefined();
  const reading = capsuleFolder(folder).read(name, () => Promise.resolve('read'));
  await expect(reading).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  expect(await capsuleFolder(folder).list()).toEqual([]);
});

test('a plain file is read by place, and shorter only at its end', async () => {
  const path = join(await strewnFolder(), 'file');
  const parts = await withPlainFile(path, async (file) => {
    if (file === undefined) throw new Error('it was just written');
    const read = [await file.read(1, 2), await file.read(2, 9), await file.read(9, 9)];
    return [file.length, ...read.map((part) => Buffer.from(part).toString())];
  });
  expect(parts).toEqual([4, 'ou', 'ur', '']);
});

const LOOKS = 400;
const LOOKS_MAX = 20_000;

test('a file that is exchanged for a link or a pipe, over and over, is read or refused, never followed or waited for', async () => {
  const folder = temporaryFolder('plain');
  const [path, next] = [join(folder, 'a.capsule'), join(folder, 'next')];
  writeFileSync(join(folder, 'plain'), 'plain');
  writeFileSync(join(folder, 'secret'), 'secret');
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const makes = [
    () => linkSync(join(folder, 'plain'), next),
    () => symlinkSync(join(folder, 'secret'), next),
    () => linkSync(join(folder, 'pipe'), next),
  ];
  let isOver = false;
  const exchanging = (async () => {
    for (let turn = 0; !isOver; turn++) {
      makes[turn % makes.length]?.();
      renameSync(next, path);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const met = new Set<string>();
  const look = async (): Promise<string> => {
    try {
      return await withPlainFile(path, async (file) =>
        file === undefined ? 'none' : Buffer.from(await file.read(0, 9)).toString(),
      );
    } catch (fault) {
      return (fault as { readonly code: string }).code;
    }
  };
  for (let turn = 0; turn < LOOKS || (turn < LOOKS_MAX && met.size < 3); turn++) met.add(await look());
  isOver = true;
  await exchanging;
  // A link that came between the look and the opening is the fault.
  expect(met).toEqual(new Set(['plain', 'none', 'FILE_UNREADABLE']));
});
