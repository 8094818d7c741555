/**
 * The files of a source folder: what is copied, built and digested, and nothing else.
 *
 * - Left out: `.git` and `node_modules` anywhere, `dist` at the top, and the output of the build.
 * - Links, devices and sockets are refused, and so are names that a manifest cannot carry: what is built is what is digested.
 * - Names are relative, with slashes, in the order of their UTF-8 bytes (the C locale), on every system the same.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compareCodePoints } from '../../formats/code-points.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';

const SOURCE_FILES_MAX = 50_000;
const DEPTH_MAX = 64;
const LEFT_OUT_ANYWHERE: ReadonlySet<string> = new Set(['.git', 'node_modules']);
const LEFT_OUT_AT_TOP: ReadonlySet<string> = new Set(['dist']);
/** Control characters, the backslash, and what stands where a name is not UTF-8. */
const NAME_REFUSED = /[\p{Cc}\\\ufffd]/u;

/**
 * Lists the files below `folder`.
 * @param output the file that the build will write, relative to `folder`.
 * @returns their names, or `SOURCE_REFUSED`; a folder that cannot be read is an `OperationError`.
 */
export async function listSourceFiles(
  folder: string,
  output: string,
): Promise<Verdict<readonly string[], 'SOURCE_REFUSED'>> {
  const files: string[] = [];
  const open = [''];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at.split('/').length - 1 > DEPTH_MAX) return reject('SOURCE_REFUSED', `${at}: folders nest too deep`);
    for (const entry of await entriesOf(join(folder, at))) {
      const name = at + entry.name;
      const leftOut = LEFT_OUT_ANYWHERE.has(entry.name) || LEFT_OUT_AT_TOP.has(name) || name === output;
      if (leftOut) continue;
      if (NAME_REFUSED.test(entry.name)) return reject('SOURCE_REFUSED', `${JSON.stringify(name)}: a name like this`);
      if (entry.isDirectory()) open.push(`${name}/`);
      else if (entry.isFile()) files.push(name);
      else return reject('SOURCE_REFUSED', `${name}: neither a file nor a folder`);
      if (files.length > SOURCE_FILES_MAX) return reject('SOURCE_REFUSED', `more than ${SOURCE_FILES_MAX} files`);
    }
  }
  return accept(files.sort(compareCodePoints));
}

type Entry = { readonly name: string; isFile: () => boolean; isDirectory: () => boolean };

async function entriesOf(folder: string): Promise<readonly Entry[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw new OperationError('FILE_UNREADABLE', `the folder ${folder} cannot be listed`, { retriable: false, cause });
  }
}
