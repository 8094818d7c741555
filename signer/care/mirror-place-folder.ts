/**
 * A mirror in a local folder, which any web server may serve.
 *
 * - A name is data: only names of the repository's layout become paths, each segment from an allow-list, none beginning with a dot.
 * - What is not whole yet has a name of its own, `.firmament-*`; a cut may leave it, and nothing reads it.
 */
import assert from 'node:assert';
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OperationError } from '../../formats/operation-error.ts';
import { makeFolder, MODE_PUBLIC, replaceFile, syncFolder } from '../durable-file.ts';
import type { MirrorPlace } from './mirror-place.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;

/** The mirror in `folder`, which is made when first written to. */
export function mirrorPlaceFolder(folder: string): MirrorPlace {
  const pathOf = (name: string): string => {
    assert(NAME.test(name), 'a name of the layout');
    return join(folder, ...name.split('/'));
  };
  return {
    source: {
      open: async (name) => ((await isFile(pathOf(name))) ? chunksOf(pathOf(name)) : undefined),
    },
    keep: (name, bytes) => replaceFile(pathOf(name), { bytes, mode: MODE_PUBLIC }),
    keepStream: async (name, fill) => {
      const path = pathOf(name);
      await makeFolder(dirname(path));
      const temporary = join(dirname(path), `.firmament-${randomUUID()}`);
      const handle = await orFault(open(temporary, 'wx', MODE_PUBLIC), path);
      const filled = await fillAndSync(handle, path, fill).catch(async (fault: unknown) => {
        await rm(temporary, { force: true });
        throw fault;
      });
      if (!filled.ok) {
        await rm(temporary, { force: true });
        return filled;
      }
      await orFault(rename(temporary, path), path);
      await syncFolder(dirname(path));
      return filled;
    },
  };
}

async function fillAndSync(
  handle: FileHandle,
  path: string,
  fill: Parameters<MirrorPlace['keepStream']>[1],
): ReturnType<MirrorPlace['keepStream']> {
  try {
    const filled = await fill(async (chunk) => void (await orFault(handle.writeFile(chunk), path)));
    if (filled.ok) await orFault(handle.sync(), path);
    return filled;
  } finally {
    await handle.close();
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (cause) {
    const code = codeOf(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw new OperationError('FILE_UNREADABLE', `${path} (${code})`, { retriable: true, cause });
  }
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path)) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('a file is bytes');
      yield chunk;
    }
  } catch (cause) {
    throw new OperationError('FILE_UNREADABLE', `${path} (${codeOf(cause)})`, { retriable: true, cause });
  }
}

async function orFault<T>(call: Promise<T>, path: string): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw new OperationError('FILE_UNWRITABLE', `${path} (${codeOf(cause)})`, { retriable: true, cause });
  }
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown fault';
}
