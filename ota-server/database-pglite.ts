/**
 * The embedded database: PostgreSQL inside this process, over a folder that this process alone owns.
 *
 * - Whoever opens it holds the folder's lock meanwhile (`cli/database-option.ts`); two processes would destroy it.
 * - It syncs before it says that something is kept.
 */
import { PGlite, type Transaction } from '@electric-sql/pglite';
import { OperationError } from '../formats/operation-error.ts';
import type { Database, Query, Row, SqlValue } from './database.ts';

/** Opens the database in `folder`, which is made if it is not there; undefined keeps it in memory. */
export async function databasePglite(folder: string | undefined): Promise<Database> {
  const opened = await guarded(() => (folder === undefined ? PGlite.create() : PGlite.create(folder)));
  return {
    query: queryOn(opened),
    transaction: async (work) => {
      let failed: unknown;
      return guarded(
        () =>
          opened.transaction((inner) =>
            work(queryOn(inner)).catch((fault: unknown) => {
              failed = fault;
              throw fault;
            }),
          ),
        () => failed,
      );
    },
    close: () => guarded(() => opened.close()),
  };
}

function queryOn(at: Pick<Transaction, 'query'>): Query {
  return async (sql, parameters = []) => {
    const { rows } = await guarded(() => at.query<Record<string, unknown>>(sql, parameters.map(orNull)));
    return rows.map(rowOf);
  };
}

/** Absence as SQL has it. */
function orNull(value: SqlValue): unknown {
  return value ?? null;
}

function rowOf(row: Readonly<Record<string, unknown>>): Row {
  return new Map(Object.entries(row).map(([name, value]) => [name, value ?? undefined]));
}

/** @param own a fault of the caller's, which is passed on as it is. */
async function guarded<T>(work: () => Promise<T>, own: () => unknown = () => undefined): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof OperationError || (own() !== undefined && own() === cause)) throw cause;
    // What the database itself answers has a severity; the system's own faults have none.
    const isRefused = cause instanceof Error && 'severity' in cause;
    throw isRefused
      ? new OperationError('DATABASE_REFUSED', 'the embedded database refuses a statement', { retriable: false, cause })
      : new OperationError('DATABASE_UNAVAILABLE', 'the embedded database cannot be used', { retriable: true, cause });
  }
}
