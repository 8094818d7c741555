/**
 * Metadata in a folder: one file a role, and nothing else.
 *
 * - A file is written beside its place, forced to the disk and renamed: at any time each file is the old one or the new one.
 * - What an earlier process left half written is hidden from whoever lists the folder, and removed when it is opened.
 * - Names of roles are data: see `stored-name.ts`.
 */
import { mkdir, open, readdir, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationError } from '../../../formats/operation-error.ts';
import type { MetadataStore } from './metadata-store.ts';
import { roleFileName } from './stored-name.ts';

const HALF_WRITTEN = /^\.@([0-9]+)\.tmp$/;

/** The store in `folder`, which is made if it is missing. @param pid the number of this process. */
export async function openMetadataFolder(folder: string, pid: number): Promise<MetadataStore> {
  await openFolder(folder, pid);
  return {
    read: (role) => readIfPresent(join(folder, roleFileName(role))),
    write: (role, bytes) =>
      writeWhole({ folder, name: roleFileName(role), pid }, async (file) => {
        await file.writeFile(bytes);
        return true;
      }),
    remove: async (role) => {
      const path = join(folder, roleFileName(role));
      await world('FILE_UNWRITABLE', path, () => rm(path, { force: true }));
    },
  };
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
  try {
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new OperationError('FILE_UNREADABLE', path, { retriable: false, cause });
  }
}

/**
 * Writes a file whole or not at all.
 * @param fill writes the content; the file takes its place only where it answers true. What it throws is passed on.
 */
export async function writeWhole(
  { folder, name, pid }: { readonly folder: string; readonly name: string; readonly pid: number },
  fill: (file: FileHandle) => Promise<boolean>,
): Promise<void> {
  const path = join(folder, `.@${pid}.tmp`);
  const file = await world('FILE_UNWRITABLE', path, () => open(path, 'w', 0o644));
  let isFilled = false;
  try {
    isFilled = await fill(file);
    if (isFilled) await world('FILE_UNWRITABLE', path, () => file.sync());
  } finally {
    await file.close();
    if (!isFilled) await rm(path, { force: true });
  }
  if (!isFilled) return;
  await world('FILE_UNWRITABLE', name, () => rename(path, join(folder, name)));
  await world('FILE_UNWRITABLE', folder, () => syncFolder(folder));
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
    throw new OperationError(code, path, { retriable: false, cause });
  }
}
