/**
 * The object store over a local folder.
 *
 * - A name is data: only names of the repository's layout become paths, each segment from an allow-list, none beginning with a dot.
 * - Objects are plain files: a link in the place of one is refused, as whoever serves the folder refuses it.
 * - Creating is a hard link, which the file system does for one of many; replacing compares and renames under a lock.
 * - The tag is the SHA-256 of the content.
 */
import assert from 'node:assert';
import { join } from 'node:path';
import { sha256Hex } from '../formats/sha256.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { createFile, MODE_PUBLIC, readFileBounded, replaceFile } from './durable-file.ts';
import { whileLocked } from './lock-file.ts';
import type { ObjectStore, StoredObject } from './object-store.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;
const NAME_LENGTH_MAX = 1024;
/** What is replaced is small: timestamps. */
const REPLACED_BYTES_MAX = 1_000_000;
/** Replacements while the lock is held once. */
const TOGETHER_MAX = 32;

/** The store in `folder`, which is made when first written to. */
export function objectStoreFolder(folder: string): ObjectStore {
  const pathOf = (name: string): string => {
    assert(name.length <= NAME_LENGTH_MAX && NAME.test(name), 'a name of the layout');
    return join(folder, ...name.split('/'));
  };
  const inTurn = lockedTogether(join(folder, '.lock'));
  return {
    get: async (name, bytesMax) => {
      const bytes = await readFileBounded(pathOf(name), bytesMax, 'itself');
      return bytes === undefined ? undefined : tagged(bytes);
    },
    put: async (name, bytes, condition) => {
      const path = pathOf(name);
      const content = { bytes, mode: MODE_PUBLIC };
      if (condition !== 'create-only') {
        return inTurn(() => replace(path, content, condition.replaces));
      }
      return (await createFile(path, content)) ? accept(undefined) : reject('CONDITION_FAILED', `${name} exists`);
    },
  };
}

/** An object whose tag is computed when it is asked for: most are never replaced. */
function tagged(bytes: Uint8Array): StoredObject {
  return {
    bytes,
    get etag() {
      return sha256Hex(bytes);
    },
  };
}

type Waiting = { readonly run: () => Promise<void>; readonly fail: (fault: unknown) => void };

/** Runs what waits in this process one after the other, many while the lock `path` is held once: other processes take turns with that. */
function lockedTogether(path: string): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: Waiting[] = [];
  let isRunning = false;
  const runAll = async (): Promise<void> => {
    isRunning = true;
    while (waiting.length > 0) {
      const together = waiting.splice(0, TOGETHER_MAX);
      try {
        await whileLocked(path, async () => {
          for (const { run } of together) await run();
        });
      } catch (fault) {
        for (const { fail } of together) fail(fault);
      }
    }
    isRunning = false;
  };
  return (work) =>
    new Promise((resolve, fail) => {
      waiting.push({ run: () => work().then(resolve, fail), fail });
      if (!isRunning) void runAll();
    });
}

async function replace(
  path: string,
  content: { readonly bytes: Uint8Array; readonly mode: number },
  etag: string,
): Promise<Verdict<void, 'CONDITION_FAILED'>> {
  const current = await readFileBounded(path, REPLACED_BYTES_MAX, 'itself');
  if (current === undefined || sha256Hex(current) !== etag)
    return reject('CONDITION_FAILED', 'it was changed meanwhile');
  await replaceFile(path, content);
  return accept(undefined);
}
