/**
 * A folder in which capsules arrive, a mounted stick for example: files named `*.capsule`.
 *
 * - Only plain files count; links and what begins with a dot do not.
 * - Each is named with its size and time, so that one that was dealt with is not read again.
 */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationError } from '../../formats/operation-error.ts';
import type { CapsuleBytes } from './capsule-client.ts';
import { withPlainFile } from './plain-file.ts';

/** A capsule that lies in the folder; `mark` changes with its content. */
export type ArrivedCapsule = { readonly name: string; readonly mark: string };
/** Port: where capsules arrive. */
export type CapsuleFolder = {
  /** Those that lie there, by name. */
  readonly list: () => Promise<readonly ArrivedCapsule[]>;
  /** Does `work` with the bytes of one. */
  readonly read: <T>(name: string, work: (capsule: CapsuleBytes) => Promise<T>) => Promise<T>;
};

const CAPSULES_MAX = 64;
const NAME = /^[^.].*\.capsule$/;

/** The folder `path`; while it is not there, it is empty. */
export function capsuleFolder(path: string): CapsuleFolder {
  return {
    list: async () => {
      const arrived: ArrivedCapsule[] = [];
      for (const name of (await namesIn(path))
        .filter((found) => NAME.test(found))
        .sort()
        .slice(0, CAPSULES_MAX)) {
        const mark = await markOf(join(path, name));
        if (mark !== undefined) arrived.push({ name, mark });
      }
      return arrived;
    },
    read: (name, work) => withCapsule(join(path, name), work),
  };
}

async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    throw unreadable(path, cause);
  }
}

/** Size and time of a plain file; undefined for anything else, or what has gone meanwhile. */
async function markOf(path: string): Promise<string | undefined> {
  try {
    const found = await lstat(path, { bigint: true });
    return found.isFile() ? `${found.size}/${found.mtimeNs}` : undefined;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw unreadable(path, cause);
  }
}

function withCapsule<T>(path: string, work: (capsule: CapsuleBytes) => Promise<T>): Promise<T> {
  return withPlainFile(path, (file) => {
    if (file === undefined) throw unreadable(`${path} is no plain file, or has gone`);
    return work(file);
  });
}

function unreadable(path: string, cause?: unknown): OperationError {
  return new OperationError('FILE_UNREADABLE', path, { retriable: true, cause });
}
