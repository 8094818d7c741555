/**
 * Files that survive a power cut whole: the old content or the new one, never a part.
 *
 * - Content is written to a file of its own beside the target, synced, then named: by a hard link where nothing may stand there
 *   yet, by a rename where something is replaced; then the folder is synced.
 * - The temporary file is created exclusively with its final mode, so nobody reads a secret in between.
 * - What the system answers from memory is asked for directly, what waits for the disk in the background: a file costs a fifth of
 *   what it costs with every call in the background.
 * - A cut may leave a temporary file, `.firmament-*`; nothing reads it.
 * - Windows cannot sync a folder; there the file system's own order has to do.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { concatBytes } from '../formats/bytes.ts';
import { OperationError } from '../formats/operation-error.ts';
import { fileFault, hostCode } from './host-fault.ts';

/** For what everybody may read, and for secrets. */
export const MODE_PUBLIC = 0o644;
export const MODE_SECRET = 0o600;

export type FileContent = { readonly bytes: Uint8Array; readonly mode: number };

const synced = promisify(fsync);
/** A pipe in the place of a file is opened without waiting for whoever writes into it. */
const AT_ONCE = constants.O_RDONLY | constants.O_NONBLOCK;
const HOW: Readonly<Record<ReadableKind, number>> = {
  plain: AT_ONCE,
  itself: AT_ONCE | constants.O_NOFOLLOW,
  'with-end': constants.O_RDONLY,
};
const PART_BYTES = 65_536;

/**
 * Writes a new file and the folders above it.
 * @returns false, with nothing changed, if something of this name exists.
 */
export async function createFile(path: string, content: FileContent): Promise<boolean> {
  const temporary = await writeTemporary(path, content);
  try {
    linkSync(temporary, path);
  } catch (cause) {
    if (hostCode(cause) === 'EEXIST') return false;
    throw fileFault('FILE_UNWRITABLE', path, cause);
  } finally {
    discard(temporary);
  }
  await syncFolder(dirname(path));
  return true;
}

/** Writes a file in place of what stands there, if anything does. */
export async function replaceFile(path: string, content: FileContent): Promise<void> {
  const temporary = await writeTemporary(path, content);
  try {
    renameSync(temporary, path);
  } catch (cause) {
    discard(temporary);
    throw fileFault('FILE_UNWRITABLE', path, cause);
  }
  await syncFolder(dirname(path));
}

/**
 * What is read: a `plain` file, or a link to one; a plain file `itself`, and no link; whatever has an end (`with-end`), a pipe that a
 * person names for example.
 */
export type ReadableKind = 'plain' | 'itself' | 'with-end';

/**
 * The content of a file, or undefined if there is none. Where another thing stands in the place of a plain one nothing is waited for.
 * @throws OperationError `FILE_UNREADABLE` also if it is longer than `bytesMax`, or no plain file where that is demanded.
 */
export async function readFileBounded(
  path: string,
  bytesMax: number,
  kind: ReadableKind = 'plain',
): Promise<Uint8Array | undefined> {
  return Promise.resolve(readBounded(path, bytesMax, kind));
}

function readBounded(path: string, bytesMax: number, kind: ReadableKind): Uint8Array | undefined {
  const file = openIfThere(path, kind);
  if (file === undefined) return undefined;
  try {
    const found = fstatSync(file);
    if (!found.isFile() && kind !== 'with-end') throw unreadable(`${path} is no plain file`);
    if (found.size > bytesMax) throw unreadable(`${path} has ${found.size} bytes, at most ${bytesMax} are read`);
    return found.isFile() ? new Uint8Array(readFileSync(file)) : readToEnd(file, path, bytesMax);
  } catch (cause) {
    throw cause instanceof OperationError ? cause : fileFault('FILE_UNREADABLE', path, cause);
  } finally {
    closeSync(file);
  }
}

/** Reads what tells no length beforehand. */
function readToEnd(file: number, path: string, bytesMax: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let left = bytesMax + 1; left > 0;) {
    const part = new Uint8Array(Math.min(left, PART_BYTES));
    const length = readSync(file, part);
    if (length === 0) return concatBytes(...parts);
    parts.push(part.subarray(0, length));
    left -= length;
  }
  throw unreadable(`${path} has more than ${bytesMax} bytes`);
}

function unreadable(what: string): OperationError {
  return new OperationError('FILE_UNREADABLE', what, { retriable: false });
}

function openIfThere(path: string, kind: ReadableKind): number | undefined {
  try {
    return openSync(path, HOW[kind]);
  } catch (cause) {
    if (hostCode(cause) === 'ENOENT' || hostCode(cause) === 'ENOTDIR') return undefined;
    if (hostCode(cause) === 'ELOOP') throw unreadable(`${path} is a link, which is not followed here`);
    throw fileFault('FILE_UNREADABLE', path, cause);
  }
}

/** Whether anything stands at `path`, if only a link to nothing. */
export function isTaken(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (cause) {
    if (hostCode(cause) === 'ENOENT' || hostCode(cause) === 'ENOTDIR') return false;
    throw fileFault('FILE_UNREADABLE', path, cause);
  }
}

/** A name of its own in `folder`, for what is not whole yet. */
export function temporaryIn(folder: string): string {
  return join(folder, `.firmament-${randomUUID()}`);
}

/** A synced file of its own beside `path`. */
async function writeTemporary(path: string, { bytes, mode }: FileContent): Promise<string> {
  const folder = resolve(dirname(path));
  const temporary = temporaryIn(folder);
  const file = await openNew(temporary, mode, path);
  try {
    writeFileSync(file, bytes);
    await synced(file);
  } catch (cause) {
    discard(temporary);
    throw fileFault('FILE_UNWRITABLE', path, cause);
  } finally {
    closeSync(file);
  }
  return temporary;
}

/** Opens the new file `temporary`; its folder, which most often is there, is made where it is not. */
async function openNew(temporary: string, mode: number, path: string): Promise<number> {
  const open = (): number => openSync(temporary, 'wx', mode);
  try {
    return open();
  } catch (cause) {
    if (hostCode(cause) !== 'ENOENT') throw fileFault('FILE_UNWRITABLE', path, cause);
  }
  await makeFolder(dirname(temporary));
  return orFault(open, path);
}

/** Removes a temporary file; one that is gone already, or that stays, does no harm. */
function discard(temporary: string): void {
  try {
    unlinkSync(temporary);
  } catch {
    // Nothing reads it.
  }
}

/** Makes `folder` and those above it, each durable in the one that holds it. */
export async function makeFolder(folder: string): Promise<void> {
  const first = orFault(() => mkdirSync(folder, { recursive: true }), folder);
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
  const opened = orFault(() => openSync(folder, 'r'), folder);
  try {
    await synced(opened);
  } catch (cause) {
    throw fileFault('FILE_UNWRITABLE', folder, cause);
  } finally {
    closeSync(opened);
  }
}

/** The result of a call of the file system that writes, or its fault as ours. */
function orFault<T>(call: () => T, path: string): T {
  try {
    return call();
  } catch (cause) {
    throw fileFault('FILE_UNWRITABLE', path, cause);
  }
}
