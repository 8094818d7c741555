/**
 * Port: a database that speaks PostgreSQL's SQL. It is trusted with inventory and copies, with no integrity of releases.
 *
 * - Values travel as parameters, never in the text of a statement: `sql` is written in our source and nowhere else.
 * - A transaction happens as a whole or not at all. It sees what others have committed meanwhile: what must be one of many leans on a
 *   unique key or a lock of the database, not on what was read.
 * - Absent is undefined, in parameters and in rows.
 * - A database that is gone throws `OperationError` `DATABASE_UNAVAILABLE`, which may be tried again; what it refuses is
 *   `DATABASE_REFUSED`. Neither repeats a parameter or a credential.
 */
export type SqlValue = string | number | boolean | undefined;
export type Row = ReadonlyMap<string, unknown>;
export type Query = (sql: string, parameters?: readonly SqlValue[]) => Promise<readonly Row[]>;

export type Database = {
  readonly query: Query;
  /** Does `work` in one transaction, which ends with it; a fault of `work` leaves nothing of it. */
  readonly transaction: <T>(work: (query: Query) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
};

/** The text in the column `name` of `row`; undefined where there is none. */
export function textIn(row: Row, name: string): string | undefined {
  const value = row.get(name);
  return typeof value === 'string' ? value : undefined;
}
