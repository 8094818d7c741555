/**
 * Metadata in a folder: one file a role, and nothing else.
 *
 * - A file is written beside its place, forced to the disk and renamed: at any time each file is the old one or the new one.
 * - It is a new file, never one that stands there: nothing is written through a link. One that cannot take its place is removed.
 * - What is kept is read up to the limit of its kind, and nobody waits for a pipe.
 * - A file that another run has changed since this one read it is not written over: a slow run would bring back what was replaced.
 * - What an earlier process left half written is hidden from whoever lists the folder, and removed when it is opened.
 * - Names of roles are data: see `stored-name.ts`.
 */
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationError } from '../../../formats/operation-error.ts';
import { TARGETS_BYTES_MAX } from '../../../formats/tuf-targets.ts';
import { codeOf } from '../plain-file.ts';
import type { MetadataStore } from './metadata-store.ts';
import { roleFileName } from './stored-name.ts';

/** Without waiting for whoever writes into a pipe. */
const HOW = constants.O_RDONLY | constants.O_NONBLOCK;
const HALF_WRITTEN = /^\.@([0-9]+)\.tmp$/;

/** The store in `folder`, which is made if it is missing. @param pid the number of this process. */
export async function openMetadataFolder(folder: string, pid: number): Promise<MetadataStore> {
  await openFolder(folder, pid);
  // What this run read last of each role, or wrote.
  const known = new Map<string, Uint8Array | undefined>();
  return {
    read: async (role) => {
      const bytes = await readIfPresent(join(folder, roleFileName(role)));
      known.set(role, bytes);
      return bytes;
    },
    write: async (role, bytes) => {
      const name = roleFileName(role);
      await writeWhole({ folder, name, pid }, async (take) => {
        await take(bytes);
        if (known.has(role)) await demandUnchanged(join(folder, name), [known.get(role), bytes]);
        return true;
      });
      known.set(role, bytes);
    },
    remove: async (role) => {
      known.set(role, undefined);
      const path = join(folder, roleFileName(role));
      await world('FILE_UNWRITABLE', path, () => rm(path, { force: true }));
    },
  };
}

/** Throws `FILE_UNWRITABLE` where what stands at `path` is none of `contents`. */
async function demandUnchanged(path: string, contents: readonly (Uint8Array | undefined)[]): Promise<void> {
  const standing = await readIfPresent(path);
  const isOne = contents.some((one) =>
    one === undefined || standing === undefined ? one === standing : Buffer.compare(one, standing) === 0,
  );
  if (!isOne) {
    throw new OperationError('FILE_UNWRITABLE', `${path} was changed by another run: run again`, { retriable: true });
  }
}

/** Makes `folder` if it is missing, and removes what processes that are gone left half written in it. */
export async function openFolder(folder: string, pid: number): Promise<void> {
  await world('FILE_UNWRITABLE', folder, async () => {
    await mkdir(folder, { recursive: true });
    for (const name of await readdir(folder)) {
      const by = Number(HALF_WRITTEN.exec(name)?.[1] ?? pid + 1);
      if (HALF_WRITTEN.test(name) && (by === pid || !isAlive(by))) await rm(join(folder, name), { force: true });
    }
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return !(cause instanceof Error && 'code' in cause && cause.code === 'ESRCH');
  }
}

/** The bytes of a file, or undefined where there is none. */
async function readIfPresent(path: string): Promise<Uint8Array | undefined> {
  const file = await openIfPresent(path);
  if (file === undefined) return undefined;
  try {
    const found = await world('FILE_UNREADABLE', path, () => file.stat());
    if (found.isFile() && found.size <= TARGETS_BYTES_MAX)
      return await world('FILE_UNREADABLE', path, () => file.readFile());
  } finally {
    await file.close();
  }
  throw new OperationError('FILE_UNREADABLE', `${path} is no file of metadata`, { retriable: false });
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, HOW);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw new OperationError('FILE_UNREADABLE', `${path} (${codeOf(cause)})`, { retriable: false, cause });
  }
}

/** Takes bytes of a file that is being written. */
export type Take = (bytes: Uint8Array) => Promise<void>;

/**
 * Writes a file whole or not at all.
 * @param fill brings the content; the file takes its place only where it answers true. What it throws is passed on.
 */
export async function writeWhole(
  { folder, name, pid }: { readonly folder: string; readonly name: string; readonly pid: number },
  fill: (take: Take) => Promise<boolean>,
): Promise<void> {
  const path = join(folder, `.@${pid}.tmp`);
  const file = await world('FILE_UNWRITABLE', path, () => open(path, 'wx', 0o644));
  let isPlaced = false;
  try {
    if (!(await fillAndSync(file, path, fill))) return;
    await world('FILE_UNWRITABLE', name, () => rename(path, join(folder, name)));
    isPlaced = true;
  } finally {
    if (!isPlaced) await rm(path, { force: true });
  }
  await world('FILE_UNWRITABLE', folder, () => syncFolder(folder));
}

async function fillAndSync(file: FileHandle, path: string, fill: (take: Take) => Promise<boolean>): Promise<boolean> {
  try {
    const isFilled = await fill((bytes) => world('FILE_UNWRITABLE', path, () => file.writeFile(bytes)));
    if (isFilled) await world('FILE_UNWRITABLE', path, () => file.sync());
    return isFilled;
  } finally {
    await file.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Runs one call to the file system; its fault becomes an `OperationError`. */
async function world<T>(code: 'FILE_UNREADABLE' | 'FILE_UNWRITABLE', path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw new OperationError(code, `${path} (${codeOf(cause)})`, { retriable: false, cause });
  }
}
