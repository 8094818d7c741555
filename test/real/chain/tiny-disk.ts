/**
 * A disk of a few pages: a file system in memory in a name space of its own, which takes no rights beyond those of its user.
 *
 * - Programs that are to see it run through `by`; this process sees its files below `view`.
 * - Where the system allows no such name space it says so and fails: a full disk is not simulated in silence.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const PAGE_BYTES = 4096;

export type TinyDisk = {
  /** The folder that the disk is mounted at, for programs that run through `by`. */
  readonly folder: string;
  readonly by: readonly string[];
  /** The same folder for this process. */
  readonly view: string;
  /** Leaves room for so many pages, or with undefined all that there is. */
  readonly leave: (pages: number | undefined) => void;
  readonly end: () => Promise<void>;
};

/** Mounts a disk of `pages` at `folder`, which is made. */
export async function mountTinyDisk(folder: string, pages: number): Promise<TinyDisk> {
  mkdirSync(folder);
  const mount = `mount -t tmpfs -o size=${pages * PAGE_BYTES} firmament "$0" && echo mounted && exec cat`;
  const holder = spawn('unshare', ['--map-root-user', '--mount', 'sh', '-c', mount, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(holder, 'close');
  const { value: line } = await createInterface({ input: holder.stdout })[Symbol.asyncIterator]().next();
  if (line !== 'mounted' || holder.pid === undefined) {
    throw new Error('no disk of its own can be mounted: allow user name spaces (unshare --map-root-user --mount)');
  }
  const view = join('/proc', String(holder.pid), 'root', folder);
  const filler = join(view, 'filler');
  return {
    folder,
    by: ['nsenter', '--target', String(holder.pid), '--user', '--mount', '--preserve-credentials'],
    view,
    leave: (left) => {
      rmSync(filler, { force: true });
      if (left === undefined) return;
      const free = statfsSync(view).bavail - left;
      writeFileSync(filler, new Uint8Array(Math.max(free, 0) * PAGE_BYTES));
    },
    end: async () => {
      holder.stdin.end();
      await ended;
    },
  };
}
