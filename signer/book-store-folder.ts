/** What a signer keeps, in a folder of its own: one file an entry, synced, readable by its owner alone. */
import { join } from 'node:path';
import { bookSegments, type BookStore } from './book-store.ts';
import { createFile, MODE_SECRET, readFileBounded } from './durable-file.ts';

/** The books in `folder`, which is made when first written to. */
export function bookStoreFolder(folder: string): BookStore {
  const pathOf = (name: string): string => join(folder, ...bookSegments(name));
  return {
    read: async (name, bytesMax) => readFileBounded(pathOf(name), bytesMax),
    keep: async (name, bytes) => createFile(pathOf(name), { bytes, mode: MODE_SECRET }),
  };
}
