/**
 * The folder of one run: a fresh copy of the source, a home and a temporary folder of its own, and the packages linked beside.
 *
 * - Nothing in it is shared with another run or left over from one; the packages are links, their hidden caches stay out.
 * - Files are written in the run's order and get the run's times.
 */
import { copyFile, mkdir, readdir, stat, symlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Surroundings } from '../../formats/build-run.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { placesOf, type RunPlaces } from './varied-surroundings.ts';

const PACKAGES = 'node_modules';
/** Shown to builds though its name begins with a dot: the programs that packages bring. */
const PROGRAMS = '.bin';

export type RunFolder = { readonly source: string; readonly places: RunPlaces };

/**
 * Prepares `root` for a run.
 * @param root a folder that is the run's alone.
 * @param source.folder the folder to copy, absolute; `source.files` are its files, in order.
 */
export async function prepareRunFolder(
  root: string,
  surroundings: Surroundings,
  source: { readonly folder: string; readonly files: readonly string[] },
): Promise<RunFolder> {
  const copy = join(root, surroundings.folder);
  const places = placesOf(root, surroundings);
  const files = surroundings.fileOrder === 'reversed' ? source.files.toReversed() : source.files;
  try {
    for (const folder of [copy, places.home, places.temporary]) await mkdir(folder, { recursive: true });
    for (const [index, name] of files.entries()) {
      const target = join(copy, name);
      const seconds = surroundings.fileTimes / 1000 + index;
      await mkdir(dirname(target), { recursive: true });
      await copyFile(join(source.folder, name), target);
      await utimes(target, seconds, seconds);
    }
    await linkPackages(source.folder, copy);
  } catch (cause) {
    throw new OperationError('FILE_UNWRITABLE', `no copy of ${source.folder} in ${root}`, { retriable: false, cause });
  }
  return { source: copy, places };
}

/** The nearest `node_modules` at or above `folder`, or undefined. */
export async function findPackages(folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const packages = join(at, PACKAGES);
    if (await isFolder(packages)) return packages;
    if (dirname(at) === at) return undefined;
  }
}

/** Links each package that `source` would find, in the copy itself where the source has its own, else beside the copy. */
async function linkPackages(source: string, copy: string): Promise<void> {
  const packages = await findPackages(source);
  if (packages === undefined) return;
  const target = join(dirname(packages) === source ? copy : dirname(copy), basename(packages));
  await mkdir(target);
  for (const name of await readdir(packages)) {
    if (name.startsWith('.') && name !== PROGRAMS) continue;
    await symlink(join(packages, name), join(target, name), 'junction');
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
      return false;
    throw new OperationError('FILE_UNREADABLE', `${path} cannot be looked at`, { retriable: false, cause });
  }
}
