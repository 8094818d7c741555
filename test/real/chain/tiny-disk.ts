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

type Holder = { readonly pid: number; readonly end: () => Promise<void> };
/** A name space of one's own, or as root one of mounts alone. */
const WAYS = [
  { unshare: ['--map-root-user', '--mount'], enter: ['--user', '--mount', '--preserve-credentials'] },
  { unshare: ['--mount'], enter: ['--mount'] },
];

/** Mounts a disk of `pages` at `folder`, which is made. */
export async function mountTinyDisk(folder: string, pages: number): Promise<TinyDisk> {
  mkdirSync(folder);
  for (const { unshare, enter } of WAYS) {
    const holder = await holdDisk(unshare, folder, pages);
    if (holder !== undefined) return diskOf(holder, enter, folder);
  }
  throw new Error('no disk of its own can be mounted: allow user name spaces (unshare --map-root-user --mount)');
}

/** The process that keeps the disk mounted; undefined where the system does not allow it in this way. */
async function holdDisk(options: readonly string[], folder: string, pages: number): Promise<Holder | undefined> {
  const mount = `mount -t tmpfs -o size=${pages * PAGE_BYTES} firmament "$0" && echo mounted && exec cat`;
  const holder = spawn('unshare', [...options, 'sh', '-c', mount, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'close');
  const end = async (): Promise<void> => {
    holder.stdin.end();
    await ended;
  };
  const { value: line } = await createInterface({ input: holder.stdout })[Symbol.asyncIterator]().next();
  if (line === 'mounted' && holder.pid !== undefined) return { pid: holder.pid, end };
  await end();
  return undefined;
}

function diskOf({ pid, end }: Holder, enter: readonly string[], folder: string): TinyDisk {
  const view = join('/proc', String(pid), 'root', folder);
  const filler = join(view, 'filler');
  return {
    folder,
    by: ['nsenter', '--target', String(pid), ...enter],
    view,
    leave: (left) => {
      rmSync(filler, { force: true });
      if (left === undefined) return;
      const free = statfsSync(view).bavail - left;
      writeFileSync(filler, new Uint8Array(Math.max(free, 0) * PAGE_BYTES));
    },
    end,
  };
}
