/** Removing objects from a local folder: files of the layout, uploads, and what cuts left behind; never a folder, never a link's target. */
import assert from 'node:assert';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OperationError } from '../../formats/operation-error.ts';
import { syncFolder } from '../durable-file.ts';
import type { ObjectRemover } from './published-source.ts';

const NAME =
  /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*\/(\.firmament-[A-Za-z0-9-]+|[A-Za-z0-9][A-Za-z0-9._-]*)$/;

/** Removes from `folder`. */
export function objectRemoverFolder(folder: string): ObjectRemover {
  return {
    remove: async (name) => {
      assert(NAME.test(name), 'a name of the layout');
      const path = join(folder, ...name.split('/'));
      try {
        await rm(path, { force: true });
      } catch (cause) {
        throw new OperationError('FILE_UNWRITABLE', `${path} cannot be removed`, { retriable: true, cause });
      }
      await syncFolder(dirname(path));
    },
  };
}
