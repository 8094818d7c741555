/**
 * Plain files of a folder that others write to, a stick for example: no link is followed, and nothing that is no file is waited for.
 *
 * - What stands there is looked at before it is opened, and again once it is open: whoever exchanges it in between gains nothing.
 * - A pipe that is put in its place is opened without waiting for whoever writes into it.
 */
import { constants } from 'node:fs';
import { lstat, open, type FileHandle } from 'node:fs/promises';
import { OperationError } from '../../formats/operation-error.ts';

/** An open file: its length in bytes, and its bytes from `offset` on, fewer than `length` only at its end. */
export type PlainFile = {
  readonly length: number;
  readonly read: (offset: number, length: number) => Promise<Uint8Array>;
};

const HOW = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Does `work` with the file at `path`; with undefined where none is, or something else than a plain file.
 * @throws OperationError `FILE_UNREADABLE` if the system does not give it.
 */
export async function withPlainFile<T>(path: string, work: (file: PlainFile | undefined) => Promise<T>): Promise<T> {
  const file = await openPlain(path);
  if (file === undefined) return work(undefined);
  try {
    const found = await file.stat();
    if (!found.isFile()) return await work(undefined);
    return await work({ length: found.size, read: (offset, length) => readFully(file, path, { offset, length }) });
  } finally {
    await file.close();
  }
}

async function openPlain(path: string): Promise<FileHandle | undefined> {
  try {
    return (await lstat(path)).isFile() ? await open(path, HOW) : undefined;
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(cause))) return undefined;
    throw unreadable(path, cause);
  }
}

type Part = { readonly offset: number; readonly length: number };

async function readFully(file: FileHandle, path: string, { offset, length }: Part): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled).catch((cause: unknown) => {
      throw unreadable(path, cause);
    });
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** The host's own code of a fault (`ENOENT`), for people and for decisions. */
export function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown fault';
}

function unreadable(path: string, cause: unknown): OperationError {
  return new OperationError('FILE_UNREADABLE', `${path} (${codeOf(cause)})`, { retriable: true, cause });
}
