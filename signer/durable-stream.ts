/**
 * Files too large to be held, written chunk by chunk: each gets its name once all of it is there, is accepted, and is synced.
 *
 * - A cut may leave a temporary file, `.firmament-*`; nothing reads it.
 */
import { createReadStream } from 'node:fs';
import { link, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OperationError } from '../formats/operation-error.ts';
import type { Verdict } from '../formats/verdict.ts';
import { makeFolder, syncFolder, temporaryIn } from './durable-file.ts';
import { fileFault, hostCode } from './host-fault.ts';

/** Brings the bytes; whether they are accepted it says at the end. */
export type Fill<T> = (take: (chunk: Uint8Array) => Promise<void>) => Promise<Verdict<T>>;

/**
 * Writes the file `path`, and the folders above it, with what `fill` brings.
 * @param kind.isNew whether nothing of this name may stand there: then `FILE_EXISTS` is thrown, and nothing changed.
 */
export async function streamFile<T>(
  path: string,
  kind: { readonly mode: number; readonly isNew: boolean },
  fill: Fill<T>,
): Promise<Verdict<T>> {
  await makeFolder(dirname(path));
  const temporary = temporaryIn(dirname(path));
  try {
    const handle = await orFault(open(temporary, 'wx', kind.mode), path);
    const filled = await fillAndSync(handle, path, fill);
    if (!filled.ok) return filled;
    await (kind.isNew ? linkNew(temporary, path) : orFault(rename(temporary, path), path));
    await syncFolder(dirname(path));
    return filled;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function linkNew(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (cause) {
    if (hostCode(cause) !== 'EEXIST') throw fileFault('FILE_UNWRITABLE', path, cause);
    throw new OperationError('FILE_EXISTS', `${path} stands there already`, { retriable: false, cause });
  }
}

async function fillAndSync<T>(handle: FileHandle, path: string, fill: Fill<T>): Promise<Verdict<T>> {
  try {
    const filled = await fill(async (chunk) => void (await orFault(handle.writeFile(chunk), path)));
    if (filled.ok) await orFault(handle.sync(), path);
    return filled;
  } finally {
    await handle.close();
  }
}

/** The bytes of the file `path`, chunk by chunk; a fault of the file system is ours, `FILE_UNREADABLE`. */
export async function* readStreamed(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path)) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('a file is bytes');
      yield chunk;
    }
  } catch (cause) {
    throw fileFault('FILE_UNREADABLE', path, cause);
  }
}

async function orFault<T>(call: Promise<T>, path: string): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw fileFault('FILE_UNWRITABLE', path, cause);
  }
}
