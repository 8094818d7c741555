/**
 * Files that survive a power cut whole: the old content or the new one, never a part.
 *
 * - Content is written to a file of its own beside the target, synced, then named: by a hard link where nothing may stand there
 *   yet, by a rename where something is replaced; then the folder is synced.
 * - The temporary file is created exclusively with its final mode, so nobody reads a secret in between.
 * - A cut may leave a temporary file, `.firmament-*`; nothing reads it.
 * - Windows cannot sync a folder; there the file system's own order has to do.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Code } from '../formats/codes.ts';
import { OperationError } from '../formats/operation-error.ts';

/** For what everybody may read, and for secrets. */
export const MODE_PUBLIC = 0o644;
export const MODE_SECRET = 0o600;

export type FileContent = { readonly bytes: Uint8Array; readonly mode: number };

/**
 * Writes a new file and the folders above it.
 * @returns false, with nothing changed, if something of this name exists.
 */
export async function createFile(path: string, content: FileContent): Promise<boolean> {
  const temporary = await writeTemporary(path, content);
  const created = await linkNew(temporary, path).finally(() => discard(temporary));
  if (created) await syncFolder(dirname(path));
  return created;
}

/** Writes a file in place of what stands there, if anything does. */
export async function replaceFile(path: string, content: FileContent): Promise<void> {
  const temporary = await writeTemporary(path, content);
  try {
    await rename(temporary, path);
  } catch (cause) {
    await discard(temporary);
    throw fault('FILE_UNWRITABLE', path, cause);
  }
  await syncFolder(dirname(path));
}

/**
 * The content of a file, or undefined if there is none.
 * @throws OperationError `FILE_UNREADABLE` also if it is longer than `bytesMax`.
 */
export async function readFileBounded(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  const handle = await openIfThere(path);
  if (handle === undefined) return undefined;
  try {
    const { size } = await orFault(handle.stat(), 'FILE_UNREADABLE', path);
    if (size > bytesMax) {
      throw new OperationError('FILE_UNREADABLE', `${path} has ${size} bytes, at most ${bytesMax} are read`, {
        retriable: false,
      });
    }
    return Uint8Array.from(await orFault(handle.readFile(), 'FILE_UNREADABLE', path));
  } finally {
    await handle.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    if (hostCode(cause) === 'ENOENT' || hostCode(cause) === 'ENOTDIR') return undefined;
    throw fault('FILE_UNREADABLE', path, cause);
  }
}

async function linkNew(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (cause) {
    if (hostCode(cause) === 'EEXIST') return false;
    throw fault('FILE_UNWRITABLE', path, cause);
  }
}

/** A synced file of its own beside `path`. */
async function writeTemporary(path: string, { bytes, mode }: FileContent): Promise<string> {
  const folder = resolve(dirname(path));
  await makeFolder(folder);
  const temporary = join(folder, `.firmament-${randomUUID()}`);
  const handle = await orFault(open(temporary, 'wx', mode), 'FILE_UNWRITABLE', path);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (cause) {
    await discard(temporary);
    throw fault('FILE_UNWRITABLE', path, cause);
  } finally {
    await handle.close();
  }
  return temporary;
}

/** Removes a temporary file; one that stays does no harm. */
async function discard(temporary: string): Promise<void> {
  await rm(temporary, { force: true });
}

/** Makes `folder` and those above it, each durable in the one that holds it. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await orFault(mkdir(folder, { recursive: true }), 'FILE_UNWRITABLE', folder);
  if (first === undefined) return;
  const top = dirname(resolve(first));
  let at = resolve(folder);
  do {
    at = dirname(at);
    await syncFolder(at);
  } while (at !== top);
}

/** Makes what was named in `folder` durable, where the system can. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await orFault(open(folder, 'r'), 'FILE_UNWRITABLE', folder);
  try {
    await orFault(handle.sync(), 'FILE_UNWRITABLE', folder);
  } finally {
    await handle.close();
  }
}

/** The result of one call of the file system, or its fault as ours. */
async function orFault<T>(call: Promise<T>, code: Code, path: string): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw fault(code, path, cause);
  }
}

function fault(code: Code, path: string, cause: unknown): OperationError {
  return new OperationError(code, `${path} (${hostCode(cause) ?? 'unknown fault'})`, { retriable: true, cause });
}

function hostCode(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}
