/** `firmament mirror` on a disk that is full, wherever in a run: it says so, shows what it showed, leaves nothing, and goes on once there is room. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { objectStoreFolder } from '../../../signer/object-store-folder.ts';
import { signerMemoryFile } from '../../../signer/signer-memory-file.ts';
import { CLI } from '../../cli/run-firmament.ts';
import { accepted } from '../../accepted.ts';
import { filesBelow } from '../../files-below.ts';
import { LOGGED } from '../../logged-repository.ts';
import { deviceSees, publishAll } from '../../signer/publishing.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { makeTinyRepository } from '../../tiny-repository.ts';
import { mountTinyDisk, PAGE_BYTES } from './tiny-disk.ts';

const DISK_PAGES = 1024;
const IMAGE_BYTES = 40 * PAGE_BYTES;
const PAGES_LEFT = [0, 1, 2, 4, 7, 10, 20, 40];
const TEST_MS_MAX = 300_000;

test(
  'a mirror on a full disk shows what it showed, and takes up where it was once there is room',
  async () => {
    const folder = temporaryFolder('full-mirror');
    const disk = await mountTinyDisk(join(folder, 'disk'), DISK_PAGES);
    onTestFinished(disk.end);
    const image = (letter: number): Uint8Array => new Uint8Array(IMAGE_BYTES).fill(letter);
    const repository = await makeTinyRepository({ now: Date.now(), log: LOGGED, first: { image: image(64) } });
    const to = { store: objectStoreFolder(join(folder, 'store')), memory: signerMemoryFile(join(folder, 'state')) };
    accepted(await publishAll(repository, to));
    const root = join(folder, '1.root.json');
    writeFileSync(root, repository.factory.root);
    const mirror = async (): Promise<unknown> => {
      const args = [
        'mirror',
        join(disk.folder, 'mirror'),
        '--store',
        join(folder, 'store'),
        '--root-one',
        root,
        '--json',
      ];
      const [command = '', ...rest] = [...disk.by, process.execPath, CLI, ...args];
      const ended = promisify(execFile)(command, rest).catch((fault: unknown) => fault as { readonly stdout: string });
      return JSON.parse((await ended).stdout) as unknown;
    };
    const shown = (): ReadonlyMap<string, Uint8Array> => filesBelow(join(disk.view, 'mirror'));
    const sees = (): ReturnType<typeof deviceSees> => deviceSees(shown(), repository);
    expect(await mirror()).toMatchObject({ ok: true });
    for (const [i, pages] of PAGES_LEFT.entries()) {
      const before = await sees();
      await repository.publishRelease({ now: Date.now(), image: image(65 + i) });
      accepted(await publishAll(repository, to));
      disk.leave(pages);
      for (const time of ['once', 'twice']) {
        expect(await mirror(), `${pages} pages left, ${time}`).toMatchObject({ ok: false, code: 'FILE_UNWRITABLE' });
      }
      expect(await sees(), `${pages} pages left`).toEqual(before);
      expect([...shown().keys()].filter((name) => name.includes('.firmament-'))).toEqual([]);
      disk.leave(undefined);
      expect(await mirror(), `${pages} pages left`).toMatchObject({ ok: true });
      expect(await sees(), `${pages} pages left`).toMatchObject({ channel: i + 2, boots: true });
    }
  },
  TEST_MS_MAX,
);
