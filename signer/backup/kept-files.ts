/**
 * What a signer keeps in its folder and may not lose, by the names that it has there: memory, books, ledgers.
 *
 * - An allow-list, for a backup and for its restoring alike: no key, no lock, nothing that a cut has left, nothing of other hands.
 */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationError } from '../../formats/operation-error.ts';
import { hostCode } from '../host-fault.ts';

export const STATE_FILE = 'state.json';
export const LOG_FILE = 'state.json.log';
export const DATABASE_FILE = 'state.db';
/** What no file of the allow-list is longer than, but the database. */
export const KEPT_BYTES_MAX = 67_108_864;

const SEGMENT = '[a-z0-9][a-z0-9-]{0,127}';
const BOOK = new RegExp(`^books(/${SEGMENT}){1,8}$`);
const LEDGER = new RegExp(`^identities(/${SEGMENT})?/devices/[0-9a-f]{64}\\.json$`);

export type KeptKind = 'state' | 'log' | 'database' | 'book' | 'ledger';

/** What the file `name`, relative to the folder of a signer, is; undefined for what belongs into no backup. */
export function keptKind(name: string): KeptKind | undefined {
  if (name === STATE_FILE) return 'state';
  if (name === LOG_FILE) return 'log';
  if (name === DATABASE_FILE) return 'database';
  if (BOOK.test(name)) return 'book';
  return LEDGER.test(name) ? 'ledger' : undefined;
}

/** The books and ledgers in `folder`, by name, in no order that counts. */
export async function* keptBeside(folder: string): AsyncGenerator<string> {
  for (const top of ['books', 'identities']) yield* below(folder, top);
}

async function* below(folder: string, at: string): AsyncGenerator<string> {
  for (const entry of await entriesOf(join(folder, at))) {
    const name = `${at}/${entry.name}`;
    if (entry.isDirectory()) yield* below(folder, name);
    else if (keptKind(name) !== undefined) yield name;
  }
}

/** What stands in a folder; nothing where there is none. */
async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    if (hostCode(cause) === 'ENOENT') return [];
    throw new OperationError('FILE_UNREADABLE', `${folder} cannot be listed`, { retriable: true, cause });
  }
}
