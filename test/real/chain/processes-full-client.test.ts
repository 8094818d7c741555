/** `tuf-client` on a disk that is full, wherever in a run: it says so, what it keeps is whole, and it goes on once there is room. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { TUF_CLIENT } from '../../../bootloader-verifier/agent/tuf-client/bundle.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { makeTinyRepository } from '../../tiny-repository.ts';
import { mountTinyDisk, PAGE_BYTES } from './tiny-disk.ts';

const DISK_PAGES = 1024;
const IMAGE_BYTES = 40 * PAGE_BYTES;
const PAGES_LEFT = [0, 1, 2, 3, 4, 20];
const TEST_MS_MAX = 300_000;

test(
  'on a full disk a download ends with its code and nothing half written, and passes once there is room',
  async () => {
    const folder = temporaryFolder('full-client');
    const disk = await mountTinyDisk(join(folder, 'disk'), DISK_PAGES);
    onTestFinished(disk.end);
    const image = (letter: number): Uint8Array => new Uint8Array(IMAGE_BYTES).fill(letter);
    const repository = await makeTinyRepository({ now: Date.now(), first: { image: image(64) } });
    const web = createServer((request, response) => {
      const bytes = repository.files.get((request.url ?? '').slice(1));
      response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
    }).listen(0, '127.0.0.1');
    await once(web, 'listening');
    onTestFinished(() => void web.close());
    const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
    const run = async (...args: readonly string[]): Promise<readonly [number | null, string]> => {
      const at = ['--metadata-dir', join(disk.folder, 'metadata')];
      const [command = '', ...rest] = [...disk.by, process.execPath, TUF_CLIENT, ...at, ...args];
      const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
      let note = '';
      child.stderr.on('data', (chunk: Buffer) => (note += chunk.toString()));
      await once(child, 'close');
      return [child.exitCode, note.split(': ')[1] ?? ''];
    };
    const download = (release: string): ReturnType<typeof run> =>
      run(
        ...['--metadata-url', `${url}/metadata`, '--target-base-url', `${url}/targets`],
        ...['--target-dir', join(disk.folder, 'targets'), '--target-name', `${release}/gateway/image.js`, 'download'],
      );
    const kept = (name: string): readonly string[] => readdirSync(join(disk.view, name));
    const published = new Set<string>();
    const publish = (): void => {
      for (const bytes of repository.files.values()) published.add(Buffer.from(bytes).toString('latin1'));
    };
    publish();
    writeFileSync(join(folder, '1.root.json'), repository.factory.root);
    expect(await run('init', join(folder, '1.root.json'))).toEqual([0, '']);
    expect(await download('1.0.0')).toEqual([0, '']);
    for (const [i, pages] of PAGES_LEFT.entries()) {
      const { release } = await repository.publishRelease({ now: Date.now(), image: image(65 + i) });
      publish();
      disk.leave(pages);
      for (const time of ['once', 'twice']) {
        expect(await download(release), `${pages} pages left, ${time}`).toEqual([1, 'FILE_UNWRITABLE']);
      }
      expect([...kept('metadata'), ...kept('targets')].filter((name) => name.startsWith('.'))).toEqual([]);
      expect(kept('targets')).toHaveLength(i + 1);
      for (const name of kept('metadata')) {
        const text = readFileSync(join(disk.view, 'metadata', name), 'latin1');
        expect(published.has(text), `${name} is whole`).toBe(true);
      }
      disk.leave(undefined);
      expect(await download(release), `${pages} pages left`).toEqual([0, '']);
      expect(kept('targets')).toHaveLength(i + 2);
    }
  },
  TEST_MS_MAX,
);
