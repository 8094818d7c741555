/** What a signer keeps, in a folder of its own: one file an entry, synced, readable by its owner alone. */
import assert from 'node:assert';
import { join } from 'node:path';
import type { BookStore } from './book-store.ts';
import { createFile, MODE_SECRET, readFileBounded } from './durable-file.ts';

const NAME = /^[a-z0-9][a-z0-9-]*(\/[a-z0-9][a-z0-9-]*)*$/;

/** The books in `folder`, which is made when first written to. */
export function bookStoreFolder(folder: string): BookStore {
  const pathOf = (name: string): string => {
    assert(NAME.test(name), 'a name of our own making');
    return join(folder, ...name.split('/'));
  };
  return {
    read: (name, bytesMax) => readFileBounded(pathOf(name), bytesMax),
    keep: (name, bytes) => createFile(pathOf(name), { bytes, mode: MODE_SECRET }),
  };
}
