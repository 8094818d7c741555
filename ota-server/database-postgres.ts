/**
 * A database in a PostgreSQL of the operator's, which many processes share.
 *
 * - Connections are bounded in number, and each wait for one, and each statement, in time: a database that hangs holds up nobody.
 * - A connection that breaks is replaced by the next call; a lost statement is told as such, never repeated by itself.
 */
import { Pool } from 'pg';
import { OperationError } from '../formats/operation-error.ts';
import type { Database, Query, Row } from './database.ts';

export type PostgresAddress = {
  /** A name, an address, or the folder of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly tls: boolean;
};
export type PostgresCredentials = { readonly user: string; readonly password: string };
export type PostgresLimits = {
  readonly connectionsMax: number;
  readonly connectMsMax: number;
  readonly statementMsMax: number;
};

export const POSTGRES_LIMITS: PostgresLimits = { connectionsMax: 8, connectMsMax: 3_000, statementMsMax: 10_000 };
/** Classes of codes that tell of the connection, of a race, the resources or the operator, not of the statement. */
const UNAVAILABLE = /^(08|40|53|57|58|XX)/;

/** The database at `address`; nothing is connected before it is asked for. */
export function databasePostgres(
  address: PostgresAddress,
  credentials: PostgresCredentials,
  limits: PostgresLimits,
): Database {
  const { host, port, database, tls } = address;
  const pool = new Pool({
    ...{ host, port, database, ...credentials, ssl: tls },
    max: limits.connectionsMax,
    connectionTimeoutMillis: limits.connectMsMax,
    statement_timeout: limits.statementMsMax,
    query_timeout: limits.statementMsMax + limits.connectMsMax,
    application_name: 'firmament',
  });
  // A connection that breaks while nobody uses it is told here; the next call makes another.
  pool.on('error', () => undefined);
  return {
    query: queryOn(pool),
    transaction: (work) => inTransaction(pool, work),
    close: () => pool.end(),
  };
}

async function inTransaction<T>(pool: Pool, work: (query: Query) => Promise<T>): Promise<T> {
  const client = await guarded(() => pool.connect());
  // A connection that breaks is told by the call that meets it.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  let isWhole = false;
  try {
    const query = queryOn(client);
    await query('BEGIN');
    const done = await work(query);
    await query('COMMIT');
    isWhole = true;
    return done;
  } finally {
    client.off('error', ignore);
    // A connection in whatever other state is closed, and what was begun on it with it.
    client.release(!isWhole);
  }
}

function queryOn(at: Pick<Pool, 'query'>): Query {
  return async (sql, parameters = []) => {
    const { rows } = await guarded(() => at.query<Record<string, unknown>>(sql, [...parameters]));
    return rows.map(rowOf);
  };
}

function rowOf(row: Readonly<Record<string, unknown>>): Row {
  return new Map(Object.entries(row).map(([name, value]) => [name, value ?? undefined]));
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = codeOf(cause);
    // What the database itself answers has a severity; the system's own faults have codes, too.
    const isAnswer = cause instanceof Error && 'severity' in cause;
    const isRefused = isAnswer && code !== undefined && !UNAVAILABLE.test(code);
    throw isRefused
      ? new OperationError('DATABASE_REFUSED', `PostgreSQL answers ${code}`, { retriable: false, cause })
      : new OperationError('DATABASE_UNAVAILABLE', 'PostgreSQL does not answer', { retriable: true, cause });
  }
}

function codeOf(fault: unknown): string | undefined {
  return fault instanceof Error && 'code' in fault && typeof fault.code === 'string' ? fault.code : undefined;
}
