/** Files that verbs read and write: bounded when read, durable and never overwritten when written. */
import { OperationError } from '../formats/operation-error.ts';
import { createFile, MODE_PUBLIC, MODE_SECRET, readFileBounded } from '../signer/durable-file.ts';

const INPUT_BYTES_MAX = 67_108_864;

/** The content of a file that must be there. */
export async function readInput(path: string): Promise<Uint8Array> {
  const bytes = await readFileBounded(path, INPUT_BYTES_MAX);
  if (bytes === undefined) throw new OperationError('FILE_UNREADABLE', `${path} is not there`, { retriable: false });
  return bytes;
}

/** The content of a file, if one was named. */
export function readOptional(path: string | undefined): Promise<Uint8Array | undefined> {
  return path === undefined ? Promise.resolve(undefined) : readInput(path);
}

/** Writes a new file; one that is there stays, and the verb ends. */
export async function writeNew(path: string, bytes: Uint8Array, secret = false): Promise<void> {
  if (await createFile(path, { bytes, mode: secret ? MODE_SECRET : MODE_PUBLIC })) return;
  throw new OperationError('FILE_UNWRITABLE', `${path} is there already and is not overwritten`, { retriable: false });
}
