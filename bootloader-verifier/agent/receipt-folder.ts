/**
 * The folder where a device leaves what travels back: its receipts, its requests for identities, the words of their use.
 *
 * - A file stands there whole or not at all: it is written under another name, synced, renamed, and the folder is synced.
 * - Names are the device's own: lower-case letters, digits and dashes, and one of three endings; nothing leads out of the folder.
 */
import assert from 'node:assert/strict';
import { open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationError } from '../../formats/operation-error.ts';
import { syncFolder } from './flash-files.ts';

/** Port: where such files are left. */
export type ReceiptFolder = {
  readonly has: (name: string) => Promise<boolean>;
  /** Durable when it returns; one of this name is replaced. Faults of the medium throw `OperationError`. */
  readonly write: (name: string, bytes: Uint8Array) => Promise<void>;
};

const NAME = /^[a-z0-9-]+\.(?:receipt|enrolment|use)$/;

/** The folder `path`, which must be there: a stick that is not plugged in takes no receipt. */
export function receiptFolder(path: string): ReceiptFolder {
  const pathOf = (name: string): string => {
    assert(NAME.test(name), 'a name of our own making');
    return join(path, name);
  };
  return {
    has: async (name) => {
      try {
        await stat(pathOf(name));
        return true;
      } catch (cause) {
        if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return false;
        throw unwritable(path, cause);
      }
    },
    write: async (name, bytes) => {
      const target = pathOf(name);
      const temporary = join(path, `.${name}`);
      try {
        await writeSynced(temporary, bytes);
        await rename(temporary, target);
        await syncFolder(path);
      } catch (cause) {
        throw unwritable(path, cause);
      }
    },
  };
}

/** A new file: what stands there, left by a cut or put there by others, goes first, and a link is not written through. */
async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  await rm(path, { force: true });
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

function unwritable(path: string, cause: unknown): OperationError {
  return new OperationError('FILE_UNWRITABLE', `${path} takes no file`, { retriable: true, cause });
}
