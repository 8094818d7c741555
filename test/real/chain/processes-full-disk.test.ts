/** The real signer daemon on a disk that is full, at the store or at its memory: refused with its code, nothing half written, and made up for. */
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { objectStoreFolder } from '../../../signer/object-store-folder.ts';
import { allChanges } from '../../signer/publishing.ts';
import { CLI } from '../../cli/run-firmament.ts';
import { makeKilledSigner } from '../killed-signer.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { mountTinyDisk, PAGE_BYTES } from './tiny-disk.ts';

const DISK_PAGES = 1024;
/** Larger than all else that a publication writes, so that the disk also fills up in the middle of it. */
const IMAGE_BYTES = 40 * PAGE_BYTES;
const TEST_MS_MAX = 300_000;

const DISKS = [
  { what: 'the store', isStore: true, isDeployment: false, left: [0, 1, 3, 6, 9, 20, 40] },
  { what: 'a memory in a file', isStore: false, isDeployment: false, left: [0] },
  { what: 'a memory in a database', isStore: false, isDeployment: true, left: [0, 1] },
];

test.each(DISKS)(
  'where the disk of $what is full a publication is refused, and passes once there is room',
  async ({ isStore, isDeployment, left }) => {
    const folder = temporaryFolder('full-disk');
    const disk = await mountTinyDisk(join(folder, 'disk'), DISK_PAGES);
    onTestFinished(disk.end);
    const [store, state] = isStore
      ? [join(disk.folder, 'store'), join(folder, 'state')]
      : [join(folder, 'store'), join(disk.folder, 'state')];
    const signer = await makeKilledSigner({ isDeployment, state });
    onTestFinished(() => rm(signer.folder, { recursive: true }));
    const shown = objectStoreFolder(isStore ? join(disk.view, 'store') : store);
    const root = join(folder, '1.root.json');
    await writeFile(root, signer.repository.factory.root);
    const memory = isDeployment ? ['--state', join(state, 'state.db')] : ['--state', join(state, 'state.json')];
    const fsck = async (): Promise<unknown> => {
      const [command = '', ...rest] = [
        ...disk.by,
        process.execPath,
        CLI,
        'fsck',
        '--json',
        '--store',
        store,
        ...memory,
      ];
      const options = isDeployment ? ['--product', 'gateway'] : ['--root-one', root];
      return JSON.parse((await promisify(execFile)(command, [...rest, ...options])).stdout) as unknown;
    };
    const daemon = await signer.start(['--store', store], [], disk.by);
    onTestFinished(() => daemon.kill());
    expect(await daemon.publish(allChanges(signer.repository))).toBe(true);
    for (const [i, pages] of left.entries()) {
      const image = new Uint8Array(IMAGE_BYTES).fill(65 + i);
      const released = await signer.repository.publishRelease({ now: Date.now(), image });
      const changes = allChanges(signer.repository, [released]);
      const version = await signer.seenIn(shown);
      disk.leave(pages);
      const fault: unknown = await daemon.ask('publish', changes).catch((thrown: unknown) => thrown);
      expect(String((fault as Error).cause), `${pages} pages left`).toContain('FILE_UNWRITABLE');
      expect(await signer.seenIn(shown), `${pages} pages left`).toBe(version);
      expect(await fsck(), `${pages} pages left`).toMatchObject({ ok: true, damaged: 0 });
      disk.leave(undefined);
      expect(await daemon.ask('publish', changes), `${pages} pages left`).toMatchObject({ ok: true });
      expect(await signer.seenIn(shown), `${pages} pages left`).toBe(version + 1);
      expect(await fsck(), `${pages} pages left`).toMatchObject({ ok: true, damaged: 0, warnings: 0 });
    }
  },
  TEST_MS_MAX,
);
