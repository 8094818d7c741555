/**
 * Files that the control plane writes into a folder: whole and durable, or not there.
 *
 * - Bytes go to a file of its own beside the target, are counted, digested and synced, and only then named: by a hard link where
 *   nothing may stand yet, by a rename where something is replaced; then the folder is synced.
 * - A cut may leave such a file, `.firmament-*`; nothing reads it.
 * - Only plain files are read, also behind a link.
 * - Windows cannot sync a folder; there the file system's own order has to do.
 */
import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { OperationError } from '../formats/operation-error.ts';

/** What was written beside its place, and waits for its name. */
export type Spooled = { readonly path: string; readonly length: number; readonly sha256: string };

const READ_BYTES = 262_144;
/** Never wait for the other end of a pipe. */
const HOW = constants.O_RDONLY | constants.O_NONBLOCK;

/** Writes `chunks` beside `path`, at most `lengthMax` bytes of them. @returns undefined, with nothing left, if there are more. */
export async function spool(
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  lengthMax: number,
): Promise<Spooled | undefined> {
  const folder = resolve(dirname(path));
  await makeFolder(folder);
  const temporary = join(folder, `.firmament-${randomUUID()}`);
  const handle = await orFault(open(temporary, 'wx', 0o600), path);
  let spooled: Spooled | undefined;
  try {
    spooled = await copy(chunks, { handle, path, lengthMax, temporary });
  } finally {
    await handle.close();
    if (spooled === undefined) await discard(temporary);
  }
  return spooled;
}

async function copy(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  to: { readonly handle: FileHandle; readonly path: string; readonly lengthMax: number; readonly temporary: string },
): Promise<Spooled | undefined> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > to.lengthMax) return undefined;
    hash.update(chunk);
    await orFault(to.handle.writeFile(chunk), to.path);
  }
  await orFault(to.handle.sync(), to.path);
  return { path: to.temporary, length, sha256: hash.digest('hex') };
}

/** Names what was spooled. @returns false, with nothing changed, if something of this name exists. */
export async function nameNew(spooled: Spooled, path: string): Promise<boolean> {
  try {
    await link(spooled.path, path);
  } catch (cause) {
    if (hostCode(cause) === 'EEXIST') return false;
    throw unwritable(path, cause);
  } finally {
    await discard(spooled.path);
  }
  await syncFolder(dirname(path));
  return true;
}

/** Names what was spooled, in place of what stands there. */
export async function nameInstead(spooled: Spooled, path: string): Promise<void> {
  try {
    await rename(spooled.path, path);
  } catch (cause) {
    await discard(spooled.path);
    throw unwritable(path, cause);
  }
  await syncFolder(dirname(path));
}

/** Removes a temporary file; one that stays does no harm. */
export async function discard(temporary: string): Promise<void> {
  await rm(temporary, { force: true });
}

/** The bytes of a file of at most `lengthMax`, or undefined if there is none. */
export async function readWhole(path: string, lengthMax: number): Promise<Uint8Array | undefined> {
  const handle = await openIfThere(path);
  if (handle === undefined) return undefined;
  try {
    const size = await sizeOfPlain(handle, path);
    if (size > lengthMax) throw unreadable(path, `it has ${size} bytes, at most ${lengthMax} are read`);
    return Uint8Array.from(await handle.readFile());
  } finally {
    await handle.close();
  }
}

/** Length and SHA-256 of a file, or undefined if there is none. One longer than `lengthMax` is not read, and its digest is none. */
export async function digestFile(
  path: string,
  lengthMax: number,
): Promise<{ readonly length: number; readonly sha256: string } | undefined> {
  const handle = await openIfThere(path);
  if (handle === undefined) return undefined;
  try {
    const size = await sizeOfPlain(handle, path);
    return size > lengthMax ? { length: size, sha256: '' } : await digestBytes(handle);
  } finally {
    await handle.close();
  }
}

async function digestBytes(handle: FileHandle): Promise<{ readonly length: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, length);
    if (bytesRead === 0) return { length, sha256: hash.digest('hex') };
    hash.update(buffer.subarray(0, bytesRead));
    length += bytesRead;
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, HOW);
  } catch (cause) {
    if (hostCode(cause) === 'ENOENT' || hostCode(cause) === 'ENOTDIR') return undefined;
    throw unreadable(path, hostCode(cause) ?? 'unknown fault', cause);
  }
}

/** The length of an opened file. What is no plain file is not read: a device may have no end. */
async function sizeOfPlain(handle: FileHandle, path: string): Promise<number> {
  const found = await handle.stat();
  if (!found.isFile()) throw unreadable(path, 'it is no plain file');
  return found.size;
}

/** Makes `folder` and those above it, each durable in the one that holds it. */
async function makeFolder(folder: string): Promise<void> {
  const first = await orFault(mkdir(folder, { recursive: true }), folder);
  if (first === undefined) return;
  const top = dirname(resolve(first));
  let at = resolve(folder);
  do {
    at = dirname(at);
    await syncFolder(at);
  } while (at !== top);
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await orFault(open(folder, 'r'), folder);
  try {
    await orFault(handle.sync(), folder);
  } finally {
    await handle.close();
  }
}

async function orFault<T>(call: Promise<T>, path: string): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

function unwritable(path: string, cause: unknown): OperationError {
  return new OperationError('FILE_UNWRITABLE', `${path} (${hostCode(cause) ?? 'unknown fault'})`, {
    retriable: true,
    cause,
  });
}

function unreadable(path: string, detail: string, cause?: unknown): OperationError {
  return new OperationError('FILE_UNREADABLE', `${path} (${detail})`, { retriable: cause !== undefined, cause });
}

function hostCode(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}
