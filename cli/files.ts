/** Files that verbs read and write: bounded when read, durable and never overwritten when written. */
import { stat } from 'node:fs/promises';
import { OperationError } from '../formats/operation-error.ts';
import { createFile, isTaken, MODE_PUBLIC, MODE_SECRET, readFileBounded } from '../signer/durable-file.ts';

const INPUT_BYTES_MAX = 67_108_864;
const OTHERS = 0o077;

/** The content of a file, or of a pipe in its place, that must be there. */
export async function readInput(path: string): Promise<Uint8Array> {
  const bytes = await readFileBounded(path, INPUT_BYTES_MAX, 'with-end');
  if (bytes === undefined) throw new OperationError('FILE_UNREADABLE', `${path} is not there`, { retriable: false });
  return bytes;
}

/** The content of a file, if one was named. */
export function readOptional(path: string | undefined): Promise<Uint8Array | undefined> {
  return path === undefined ? Promise.resolve(undefined) : readInput(path);
}

/** Whether others than its owner may do anything with a file of secrets; behind a link, with the file itself. */
export async function isOpenToOthers(path: string): Promise<boolean> {
  return process.platform !== 'win32' && ((await stat(path)).mode & OTHERS) !== 0;
}

/** Writes a new file; one that is there stays, and the verb ends. */
export async function writeNew(path: string, bytes: Uint8Array, secret = false): Promise<void> {
  if (!(await createFile(path, { bytes, mode: secret ? MODE_SECRET : MODE_PUBLIC }))) throw exists(path);
}

/** Ends the verb if one of `paths` is there: for files that must be written together or not at all. */
export function demandFree(paths: readonly string[]): void {
  for (const path of paths) if (isTaken(path)) throw exists(path);
}

function exists(path: string): OperationError {
  return new OperationError('FILE_EXISTS', `${path} is not overwritten`, { retriable: false });
}
