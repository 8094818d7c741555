/**
 * A key holder's memory in a file beside the key, one for each repository.
 *
 * - What is added is added to what stands there at that moment: two runs of the tool forget nothing of each other's.
 * - Its name says product and root 1; only its owner reads it; it is replaced as a whole, synced.
 * - A damaged file is a fault that a person sees; it never reads as "nothing seen yet".
 */
import { dirname, join } from 'node:path';
import type { RepositoryId } from '../formats/binding.ts';
import { OperationError } from '../formats/operation-error.ts';
import { MODE_SECRET, readFileBounded, replaceFile } from './durable-file.ts';
import {
  encodeKeyHolderMemory,
  freshMemory,
  MEMORY_BYTES_MAX,
  parseKeyHolderMemory,
  type KeyHolderMemory,
} from './key-holder-memory.ts';

export type KeyHolderMemoryFile = {
  readonly read: () => Promise<KeyHolderMemory | undefined>;
  /** Changes what stands there, or a fresh memory. @returns the memory afterwards. */
  readonly update: (change: (memory: KeyHolderMemory) => KeyHolderMemory) => Promise<KeyHolderMemory>;
};

const ROOT_DIGITS = 16;

/** The memory of `repository` beside the key file `keyPath`. */
export function keyHolderMemoryFile(keyPath: string, repository: RepositoryId): KeyHolderMemoryFile {
  const { product, rootOneSha256 } = repository;
  const path = join(dirname(keyPath), `${product}.${rootOneSha256.slice(0, ROOT_DIGITS)}.seen.json`);
  const damaged = (detail: string): OperationError =>
    new OperationError('FILE_UNREADABLE', `${path}: ${detail}`, { retriable: false });
  const read = async (): Promise<KeyHolderMemory | undefined> => {
    const bytes = await readFileBounded(path, MEMORY_BYTES_MAX);
    if (bytes === undefined) return undefined;
    const memory = parseKeyHolderMemory(bytes);
    if (!memory.ok) throw damaged(memory.detail);
    if (memory.value.repository.rootOneSha256 !== rootOneSha256) throw damaged('it is of another repository');
    return memory.value;
  };
  return {
    read,
    update: async (change) => {
      const memory = change((await read()) ?? freshMemory(repository));
      await replaceFile(path, { bytes: encodeKeyHolderMemory(memory), mode: MODE_SECRET });
      return memory;
    },
  };
}
