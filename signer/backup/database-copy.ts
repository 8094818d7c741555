/**
 * The memory of a deployment as a file of its own, for a backup, and how it is held once it was restored.
 *
 * - The copy is one moment of the database, whatever daemons write meanwhile (`VACUUM INTO`, SQLite's own way).
 * - Once restored nothing is signed with any product of it, nor one founded that it does not know, until it is resumed.
 */
import { DatabaseSync } from 'node:sqlite';
import { OperationError } from '../../formats/operation-error.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { STATE_SCHEMA } from '../signer-state-database.ts';
import { encodeSignerState, parseSignerState, type SignerState } from '../signer-state.ts';

/** How long daemons may hold the database. */
const BUSY_MS = 30_000;

/** Copies the database in the file `from` into the new file `to`. */
export function copyDatabase(from: string, to: string): void {
  orFault(from, () => {
    const database = new DatabaseSync(from, { timeout: BUSY_MS });
    try {
      database.prepare('VACUUM INTO ?').run(to);
    } finally {
      database.close();
    }
  });
}

/** Marks all of the database in the file `path`, which nobody works with yet, as restored. A damaged row is refused. */
export function holdDatabase(path: string): Verdict<void, 'BACKUP_MALFORMED'> {
  let database: DatabaseSync | undefined;
  try {
    const opened = new DatabaseSync(path);
    database = opened;
    opened.exec('PRAGMA synchronous=FULL; BEGIN IMMEDIATE');
    opened.exec(STATE_SCHEMA);
    const write = opened.prepare('UPDATE product SET state = ? WHERE name = ?');
    for (const { name, state } of opened.prepare('SELECT name, state FROM product WHERE state IS NOT NULL').all()) {
      const known = parseSignerState(state instanceof Uint8Array ? state : new Uint8Array());
      if (!known.ok)
        return reject('BACKUP_MALFORMED', `what it remembers of ${String(name)} is damaged: ${known.detail}`);
      write.run(encodeSignerState(heldState(known.value)), name ?? null);
    }
    opened.exec("INSERT OR REPLACE INTO meta VALUES ('held', 1); COMMIT");
    return accept(undefined);
  } catch (fault) {
    return reject('BACKUP_MALFORMED', `its database is none of ours: ${fault instanceof Error ? fault.message : ''}`);
  } finally {
    database?.close();
  }
}

/** `state` as it is restored. What had moved away stays away. */
export function heldState(state: SignerState): SignerState {
  return { ...state, held: state.held === 'moved' ? 'moved' : 'restored' };
}

function orFault(path: string, call: () => void): void {
  try {
    call();
  } catch (cause) {
    throw new OperationError('FILE_UNREADABLE', `the database ${path} cannot be copied`, { retriable: true, cause });
  }
}
