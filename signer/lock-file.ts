/**
 * One at a time, over all processes of a machine: work done while a lock is held.
 *
 * - The lock ends with the process that holds it, however it ends: no stale lock ever waits for a person.
 * - Node has no file locks of its own; its SQLite takes the system's (fcntl or LockFileEx) for an exclusive transaction.
 * - Waiting is bounded.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { OperationError } from '../formats/operation-error.ts';
import { makeFolder } from './durable-file.ts';

/** How often it looks again while another process holds the lock, and what it throws in the end. */
export type LockPatience = { readonly looksMax: number; readonly held: (path: string) => OperationError };

const LOOK_EVERY_MS = 25;
/** Half a minute. */
export const LOOKS_MAX = 1200;
const SQLITE_BUSY = 5;
/** What is held: work that waits for something nobody else knows of is no reachable object, and its lock must not go with it. */
const held = new Set<DatabaseSync>();

/**
 * Does `work` while holding the lock of the file `path`, which is created and left behind empty.
 * @throws OperationError `LOCK_HELD` if another process keeps it for half a minute; `patience` says otherwise.
 */
export async function whileLocked<T>(
  path: string,
  work: () => Promise<T>,
  patience: LockPatience = { looksMax: LOOKS_MAX, held: lockHeld },
): Promise<T> {
  await makeFolder(dirname(path));
  const lock = openLock(path);
  try {
    for (let look = 0; !take(lock, path); look++) {
      if (look === patience.looksMax) throw patience.held(path);
      await wait(LOOK_EVERY_MS);
    }
    held.add(lock);
    return await work();
  } finally {
    held.delete(lock);
    lock.close();
  }
}

function lockHeld(path: string): OperationError {
  return new OperationError('LOCK_HELD', `${path} is held by another process`, { retriable: true });
}

function openLock(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: 0 });
  } catch (cause) {
    throw new OperationError('FILE_UNWRITABLE', `${path} cannot be opened as a lock`, { retriable: true, cause });
  }
}

/** Whether the lock is ours now. */
function take(lock: DatabaseSync, path: string): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === SQLITE_BUSY) return false;
    throw new OperationError('FILE_UNWRITABLE', `${path} cannot be locked`, { retriable: true, cause });
  }
}
