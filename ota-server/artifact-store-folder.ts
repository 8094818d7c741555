/**
 * The artifact store over a local folder.
 *
 * - Only regular files inside the folder are served. A link is refused as a fault, not taken for an absence, wherever on the way
 *   it stands; so is a file that turns out to lie elsewhere. Links above the folder are resolved once, when it is opened.
 * - The check comes after opening and is about the opened file, so swapping a folder for a link in between gains nothing.
 * - The tag is device, inode, size, mtime and ctime. The kernel's clock moves in steps of some milliseconds, within which two
 *   changes can look alike: a file changed that recently has a tag that never comes again, and so is read anew at each look.
 */
import assert from 'node:assert';
import { constants, type BigIntStats } from 'node:fs';
import { lstat, open, realpath, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OperationError } from '../formats/operation-error.ts';
import type { Artifact, ArtifactStore } from './artifact-store.ts';
import type { ByteRange } from './byte-range.ts';
import { isObjectName, type ObjectName } from './object-name.ts';

const CHUNK_BYTES = 65_536;
/** Longer than any kernel's step between two file times (10 ms at 100 Hz), and than clocks of one machine differ. */
const CLOCK_STEP_MS = 50;
/** How often a file may be replaced between opening and checking before we give up. */
const OPEN_ATTEMPTS_MAX = 3;
/** Never wait for the other end of a pipe, never follow a link in the last place. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens the repository in `folder`.
 * @throws OperationError `FILE_UNREADABLE` unless the folder exists.
 */
export async function openFolderStore(folder: string): Promise<ArtifactStore> {
  // With a slash at its end only a folder has a real path.
  const root = await orFault(realpath(`${folder}/`), 'the folder of the repository');
  if (root === undefined) throw unreadable('the repository is not a folder');
  let looks = 0;
  const tagOf = (stat: BigIntStats): string => {
    const tag = `${stat.dev}.${stat.ino}.${stat.size}.${stat.mtimeNs}.${stat.ctimeNs}`;
    return Date.now() - Number(stat.ctimeMs) > CLOCK_STEP_MS ? tag : `${tag}.${++looks}`;
  };
  return {
    tag: async (name) => {
      assert(isObjectName(name), 'a store is asked for parsed names only');
      const stat = await orFault(lstat(join(root, name), { bigint: true }), name);
      // What is neither file nor folder has a tag, so that opening tells what is wrong with it.
      return stat === undefined || stat.isDirectory() ? undefined : tagOf(stat);
    },
    open: async (name) => {
      assert(isObjectName(name), 'a store is asked for parsed names only');
      for (let attempt = 0; attempt < OPEN_ATTEMPTS_MAX; attempt++) {
        const opened = await openInside(root, name);
        if (opened === undefined) return undefined;
        if (opened !== 'replaced') return artifact(opened.handle, { ...opened, tag: tagOf(opened.stat), name });
      }
      throw unreadable(`${name} is replaced faster than it can be opened`);
    },
  };
}

type OpenedFile = { readonly handle: FileHandle; readonly stat: BigIntStats };

/** Opens `name` and makes sure that what was opened is the regular file of that name below `root`. */
async function openInside(root: string, name: ObjectName): Promise<OpenedFile | 'replaced' | undefined> {
  const path = join(root, name);
  const handle = await orFault(open(path, OPEN_FLAGS), name);
  if (handle === undefined) return undefined;
  const found = await judgeOpened(handle, path, name).catch(async (fault: unknown) => {
    await handle.close();
    throw fault;
  });
  if (found === undefined || found === 'replaced') await handle.close();
  return found;
}

async function judgeOpened(
  handle: FileHandle,
  path: string,
  name: ObjectName,
): Promise<OpenedFile | 'replaced' | undefined> {
  const stat = await orFault(handle.stat({ bigint: true }), name);
  if (stat === undefined || stat.isDirectory()) return undefined;
  if (!stat.isFile()) throw unreadable(`${name} is not a regular file`);
  const folder = await orFault(realpath(dirname(path)), name);
  const now = await orFault(lstat(path, { bigint: true }), name);
  if (folder === undefined || now === undefined) return 'replaced';
  if (folder !== dirname(path)) throw unreadable(`${name} lies behind a link, and links are not followed`);
  return now.dev === stat.dev && now.ino === stat.ino ? { handle, stat } : 'replaced';
}

function artifact(
  handle: FileHandle,
  of: { readonly stat: BigIntStats; readonly tag: string; readonly name: ObjectName },
): Artifact {
  const sizeBytes = Number(of.stat.size);
  return {
    sizeBytes,
    tag: of.tag,
    read: (range) => readFrom(handle, range ?? { start: 0, endExclusive: sizeBytes }, of.name),
    close: () => handle.close(),
  };
}

async function* readFrom(handle: FileHandle, range: ByteRange, name: ObjectName): AsyncGenerator<Uint8Array> {
  for (let at = range.start; at < range.endExclusive;) {
    // A chunk of its own each time: the one before may still wait in a socket.
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, range.endExclusive - at));
    const read = await orFault(handle.read(chunk, 0, chunk.length, at), name);
    if (read === undefined || read.bytesRead === 0) throw unreadable(`${name} has become shorter while it was read`);
    yield chunk.subarray(0, read.bytesRead);
    at += read.bytesRead;
  }
}

/** The result of one call of the file system; undefined where the name is absent, else its fault as ours. */
async function orFault<T>(call: Promise<T>, what: string): Promise<T | undefined> {
  try {
    return await call;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'ELOOP') throw unreadable(`${what} is a link, and links are not followed`);
    throw new OperationError('FILE_UNREADABLE', `${what} cannot be read (${String(code)})`, { retriable: true, cause });
  }
}

/** The fault of a store that holds what it should not: trying again does not help. */
function unreadable(detail: string): OperationError {
  return new OperationError('FILE_UNREADABLE', detail, { retriable: false });
}
