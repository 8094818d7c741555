/**
 * The memory of a signer of many products: one SQLite database, a row a product.
 *
 * - Writes that wait together share one transaction, and so one sync of the disk: all of them are durable, or none.
 * - A row is replaced only where it still is what the writer read: several daemons of a machine may share the database, and of two
 *   publications that started from the same state one is told to start anew. Others of the same transaction are not touched by that.
 * - A damaged row is a fault that a person repairs from a backup; it never reads as "nothing published yet".
 * - Nothing of the rows is kept in this process, so ten thousand products cost a file and no memory.
 * - Specified in `docs/formats/signer.md`.
 */
import { chmodSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import type { Instant } from '../formats/instant.ts';
import { OperationError } from '../formats/operation-error.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { MODE_SECRET, makeFolder } from './durable-file.ts';
import { whileLocked } from './lock-file.ts';
import { encodeLogMemory, parseLogMemory } from './log-memory.ts';
import {
  encodeSignerState,
  parseSignerState,
  type MemoryWrite,
  type SignerMemory,
  type SignerState,
} from './signer-state.ts';
import { sweptMemory } from './swept-memory.ts';

export type StateDatabase = {
  /** The memory of `product`, which need not be known yet. */
  readonly memoryOf: (product: string) => SignerMemory;
  /** Products whose timestamp ends at `until` or before, those first that end first; at most `count`. */
  readonly endingUntil: (until: Instant, count: number) => readonly string[];
  /** Products whose timestamp ends after `from`; at most `count`. */
  readonly endingAfter: (from: Instant, count: number) => readonly string[];
  /** Products that were published or renewed no more than `withinMs` before the one that was last. */
  readonly signedLast: (withinMs: number) => readonly string[];
  /** Products with a plan in force. */
  readonly planned: () => readonly string[];
  readonly products: () => readonly string[];
  /** Whether all of it was restored from a backup: products that it does not know may have been founded since. */
  readonly isHeld: () => boolean;
  /** Ends that: products begin above `versionFloor` from now on. */
  readonly release: (versionFloor: number) => void;
  /** The states of all products, in the order of their names, read in pages; a damaged one is refused and passed over. */
  readonly states: () => AsyncIterable<Verdict<SignerState>>;
  /** How many writes were made, and with how many transactions. */
  readonly counts: () => { readonly writes: number; readonly commits: number };
  readonly close: () => void;
};

type Column = 'state' | 'log';
type Row = { readonly column: Column; readonly product: string; readonly expires: Instant; readonly hasPlan: boolean };
type Write = Row & {
  readonly bytes: Uint8Array;
  readonly former: Uint8Array | undefined;
  readonly resolve: (written: MemoryWrite) => void;
  readonly fail: (fault: unknown) => void;
};

/** How long a first write waits for others to share its transaction. */
const GATHER_MS = 4;
/** Rows that are read at a time where all are read. */
const PAGE_ROWS = 256;
/** How long another process may hold the database. */
const BUSY_MS = 30_000;
/** Its tables, made where they are not there yet. */
export const STATE_SCHEMA: string = `CREATE TABLE IF NOT EXISTS product (
  name TEXT PRIMARY KEY, state BLOB, log BLOB, expires INTEGER NOT NULL DEFAULT 0, planned INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS product_by_end ON product (expires);
CREATE INDEX IF NOT EXISTS product_by_plan ON product (planned, name);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID`;

/**
 * Opens the database in the file `path`, which is made, for its owner alone, where it is not there yet.
 * @param mustStand whoever only looks makes none: where it is not there `FILE_UNREADABLE` is thrown.
 */
export async function openStateDatabase(path: string, mustStand = false): Promise<StateDatabase> {
  if (mustStand && !existsSync(path)) {
    throw new OperationError('FILE_UNREADABLE', `${path} is not there`, { retriable: false });
  }
  await makeFolder(dirname(path));
  const database = orFault(path, () => {
    const opened = new DatabaseSync(path, { timeout: BUSY_MS });
    chmodSync(path, MODE_SECRET);
    opened.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL');
    opened.exec(STATE_SCHEMA);
    return opened;
  });
  const prepare = prepareOnce(database);
  const counts = { writes: 0, commits: 0 };
  const write = gatherWrites((writes) => {
    commit({ database, prepare }, path, writes);
    counts.writes += writes.length;
    counts.commits++;
  });
  const columns: Columns = {
    read: (row) => readColumn(prepare, path, row),
    write,
    meta: (name) => readMeta(prepare, path, name),
  };
  const names = (sql: string, ...values: readonly number[]): readonly string[] =>
    orFault(path, () => prepare(sql).all(...values)).map(({ name }) => String(name));
  return {
    memoryOf: (product) =>
      sweptMemory(memoryOf(product, columns), (work) =>
        whileLocked(join(dirname(path), 'sweeps', `${product}.lock`), work),
      ),
    endingUntil: (until, count) =>
      names('SELECT name FROM product WHERE state IS NOT NULL AND expires <= ? ORDER BY expires LIMIT ?', until, count),
    endingAfter: (from, count) =>
      names('SELECT name FROM product WHERE expires > ? ORDER BY expires DESC LIMIT ?', from, count),
    signedLast: (withinMs) =>
      names('SELECT name FROM product WHERE expires > (SELECT max(expires) FROM product) - ?', withinMs),
    planned: () => names('SELECT name FROM product WHERE planned = 1 ORDER BY name'),
    products: () => names('SELECT name FROM product WHERE state IS NOT NULL ORDER BY name'),
    isHeld: () => readMeta(prepare, path, 'held') !== undefined,
    release: (versionFloor) =>
      orFault(path, () => {
        prepare("INSERT OR REPLACE INTO meta VALUES ('versionFloor', ?)").run(versionFloor);
        prepare("DELETE FROM meta WHERE name = 'held'").run();
      }),
    states: () => pagedStates(prepare, path),
    counts: () => ({ ...counts }),
    close: () => database.close(),
  };
}

/** Between two pages others may go on; what changes meanwhile is read as it stands then. */
async function* pagedStates(prepare: Prepare, path: string): AsyncGenerator<Verdict<SignerState>> {
  const sql = 'SELECT name, state FROM product WHERE state IS NOT NULL AND name > ? ORDER BY name LIMIT ?';
  for (let last = ''; ;) {
    const page = orFault(path, () => prepare(sql).all(last, PAGE_ROWS));
    for (const { state } of page) yield parseSignerState(state instanceof Uint8Array ? state : new Uint8Array());
    if (page.length < PAGE_ROWS) return;
    last = String(page.at(-1)?.['name']);
    await nextTurn();
  }
}

type Prepare = (sql: string) => StatementSync;
type Opened = { readonly database: DatabaseSync; readonly prepare: Prepare };

/** Statements by their text, each prepared when first used. */
function prepareOnce(database: DatabaseSync): Prepare {
  const known = new Map<string, StatementSync>();
  return (sql) => {
    const statement = known.get(sql) ?? database.prepare(sql);
    known.set(sql, statement);
    return statement;
  };
}

type Columns = {
  readonly meta: (name: 'held' | 'versionFloor') => number | undefined;
  readonly read: (row: Pick<Row, 'product' | 'column'>) => Uint8Array | undefined;
  readonly write: (write: Row & Pick<Write, 'bytes' | 'former'>) => Promise<MemoryWrite>;
};

function memoryOf(product: string, { read, write, meta }: Columns): Omit<SignerMemory, 'exclusively' | 'collect'> {
  const whole = <T>(column: Column, parse: (bytes: Uint8Array) => Verdict<T>): T | undefined => {
    const bytes = read({ product, column });
    const part = bytes && parse(bytes);
    if (part?.ok === false) {
      const what = `the ${column} of ${product} is damaged, restore it from a backup: ${part.detail}`;
      throw new OperationError('FILE_UNREADABLE', what, { retriable: false });
    }
    return part?.value;
  };
  return {
    foundingFloor: () => ({ versionFloor: meta('versionFloor') }),
    read: async () => {
      const state = whole('state', parseSignerState);
      if (state === undefined && meta('held') !== undefined) {
        const what = `the memory was restored from a backup, which does not know ${product}`;
        throw new OperationError('SIGNER_STATE_RESTORED', what, { retriable: false });
      }
      return Promise.resolve(state);
    },
    write: (state, former) =>
      write({
        ...{ column: 'state', product, bytes: encodeSignerState(state), former: former && encodeSignerState(former) },
        ...{ expires: state.standing?.timestampExpires ?? 0, hasPlan: state.standing?.hasPlan ?? true },
      }),
    readLog: async () => Promise.resolve(whole('log', parseLogMemory)),
    writeLog: (log, former) =>
      write({
        ...{ column: 'log', product, bytes: encodeLogMemory(log), former: former && encodeLogMemory(former) },
        ...{ expires: 0, hasPlan: false },
      }),
  };
}

/** Hands writes that arrive within a moment of each other to `commitAll`, together. */
function gatherWrites(commitAll: (writes: readonly Write[]) => void): Columns['write'] {
  let waiting: Write[] = [];
  const flush = async (): Promise<void> => {
    await wait(GATHER_MS);
    const together = waiting;
    waiting = [];
    try {
      commitAll(together);
    } catch (fault) {
      for (const { fail } of together) fail(fault);
    }
  };
  return (write) =>
    new Promise((resolve, fail) => {
      waiting.push({ ...write, resolve, fail });
      if (waiting.length === 1) void flush();
    });
}

/** Carries out `writes` in one transaction; tells each writer once all of it is on the disk. */
function commit({ database, prepare }: Opened, path: string, writes: readonly Write[]): void {
  const outcomes = orFault(path, () => {
    database.exec('BEGIN IMMEDIATE');
    try {
      const done = writes.map((write) => replaceRow(prepare, write));
      database.exec('COMMIT');
      return done;
    } catch (fault) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw fault;
    }
  });
  for (const [i, { resolve, product }] of writes.entries()) {
    const isWritten = outcomes[i] === true;
    const overtaken = `the memory of ${product} was written by another publication meanwhile`;
    resolve(isWritten ? accept(undefined) : reject('CONDITION_FAILED', overtaken));
  }
}

/** Whether the row was what the writer read, or what it writes; then it is what it writes. */
function replaceRow(prepare: Prepare, { column, product, bytes, former, expires, hasPlan }: Write): boolean {
  prepare('INSERT INTO product (name) VALUES (?) ON CONFLICT DO NOTHING').run(product);
  const condition = `name = ? AND (${column} IS ? OR ${column} = ?)`;
  const compared = [product, former ?? null, bytes];
  const replaced =
    column === 'log'
      ? prepare(`UPDATE product SET log = ? WHERE ${condition}`).run(bytes, ...compared)
      : prepare(`UPDATE product SET state = ?, expires = ?, planned = ? WHERE ${condition}`).run(
          ...[bytes, expires, hasPlan ? 1 : 0],
          ...compared,
        );
  return replaced.changes === 1;
}

function readColumn(
  prepare: Prepare,
  path: string,
  { product, column }: Pick<Row, 'product' | 'column'>,
): Uint8Array | undefined {
  const row = orFault(path, () => prepare(`SELECT ${column} AS part FROM product WHERE name = ?`).get(product));
  const part = row?.['part'];
  return part instanceof Uint8Array ? Uint8Array.from(part) : undefined;
}

function readMeta(prepare: Prepare, path: string, name: string): number | undefined {
  const row = orFault(path, () => prepare('SELECT value FROM meta WHERE name = ?').get(name));
  return row === undefined ? undefined : Number(row['value']);
}

/** What SQLite says of a file that is none of its databases (`SQLITE_CORRUPT`, `SQLITE_NOTADB`), in the primary part of its codes. */
const DAMAGED: ReadonlySet<number> = new Set([11, 26]);
const PRIMARY = 0xff;

/** The result of calls of SQLite, or their fault as ours. */
function orFault<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const number = cause instanceof Error && 'errcode' in cause ? Number(cause.errcode) & PRIMARY : 0;
    if (DAMAGED.has(number)) {
      const what = `the database ${path} is damaged, restore it from a backup`;
      throw new OperationError('FILE_UNREADABLE', what, { retriable: false, cause });
    }
    throw new OperationError('FILE_UNWRITABLE', `the database ${path} cannot be used`, { retriable: true, cause });
  }
}
