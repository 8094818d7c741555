/**
 * What lies in a local folder, file by file; links are told like files, and not followed.
 *
 * - A folder is told only where it has the name of an object.
 * - Files that a cut has left behind (`.firmament-*`) are told too; the lock that stores keep at the top is not.
 */
import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationError } from '../../formats/operation-error.ts';
import { placeOf } from './object-place.ts';
import type { ListedObject, ObjectList } from './published-source.ts';

const LOCK = '.lock';

/** The files in `folder`. */
export function objectListFolder(folder: string): ObjectList {
  return { list: (prefix) => below(folder, prefix.replace(/\/[^/]*$/, ''), prefix) };
}

async function* below(folder: string, at: string, prefix: string): AsyncGenerator<ListedObject> {
  for (const entry of await entriesOf(join(folder, ...at.split('/')))) {
    const name = at === '' ? entry.name : `${at}/${entry.name}`;
    if (entry.isDirectory()) {
      if (placeOf(name.slice(name.indexOf('/') + 1)) !== undefined && name.startsWith(prefix)) yield folderAt(name);
      yield* below(folder, name, prefix);
    } else if (name !== LOCK && name.startsWith(prefix)) {
      const found = await statOf(join(folder, ...name.split('/')));
      if (found !== undefined) yield { name, ...found };
    }
  }
}

/** A folder under a name that only objects have is in the way of one. */
function folderAt(name: string): ListedObject {
  return { name, sizeBytes: 0, modifiedAt: 0, isFolder: true };
}

/** What stands in a folder; nothing where there is none. */
async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    if (isAbsence(cause)) return [];
    throw new OperationError('FILE_UNREADABLE', `${folder} cannot be listed`, { retriable: true, cause });
  }
}

/** Size and time of a file; undefined if it has gone meanwhile. */
async function statOf(path: string): Promise<Pick<ListedObject, 'sizeBytes' | 'modifiedAt'> | undefined> {
  try {
    const { size, mtimeMs } = await lstat(path);
    return { sizeBytes: size, modifiedAt: Math.floor(mtimeMs) };
  } catch (cause) {
    if (isAbsence(cause)) return undefined;
    throw new OperationError('FILE_UNREADABLE', `${path} cannot be read`, { retriable: true, cause });
  }
}

function isAbsence(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR');
}
