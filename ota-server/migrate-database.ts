/**
 * Brings the tables of a database to what this program needs.
 *
 * - Migrations are numbered by their place in a list that only grows; each is done once, and its digest remembered.
 * - All that are missing happen in one transaction behind one lock: of many processes that start at once, one does them.
 * - Tables of a newer program, or of one whose migrations differ, are left alone: `DATABASE_NEWER`.
 */
import { encodeUtf8 } from '../formats/bytes.ts';
import { OperationError } from '../formats/operation-error.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { textIn, type Database } from './database.ts';

/**
 * `database`, migrated before its first use: opening it needs nobody at the other end, and a database that comes later is as good.
 * Where the tables are newer, every call throws `OperationError` `DATABASE_NEWER`.
 */
export function migratedDatabase(database: Database, migrations: readonly (readonly string[])[]): Database {
  let isReady: Promise<void> | undefined;
  const ready = (): Promise<void> => {
    isReady ??= migrateDatabase(database, migrations).then(
      (done) => {
        if (!done.ok) throw new OperationError(done.code, done.detail, { retriable: false });
      },
      (fault: unknown) => {
        isReady = undefined;
        throw fault;
      },
    );
    return isReady;
  };
  return {
    query: async (sql, parameters) => {
      await ready();
      return database.query(sql, parameters);
    },
    transaction: async (work) => {
      await ready();
      return database.transaction(work);
    },
    close: () => database.close(),
  };
}

/** Any number that nobody else locks in this database. */
const LOCK = 7_029_114_215;

/** Migrates `database` by `migrations`, one or more statements each. @returns how many were missing. */
export function migrateDatabase(
  database: Database,
  migrations: readonly (readonly string[])[],
): Promise<Verdict<number, 'DATABASE_NEWER'>> {
  return database.transaction(async (query) => {
    await query('SELECT pg_advisory_xact_lock($1::bigint)', [LOCK]);
    await query('CREATE TABLE IF NOT EXISTS firmament_migrations (version integer PRIMARY KEY, sha256 text NOT NULL)');
    const done = await query('SELECT sha256 FROM firmament_migrations ORDER BY version');
    const digests = migrations.map((statements) => sha256Hex(encodeUtf8(statements.join('\n'))));
    for (const [index, row] of done.entries()) {
      if (textIn(row, 'sha256') !== digests[index]) {
        return reject('DATABASE_NEWER', `migration ${index + 1} is not one of this program's`);
      }
    }
    for (const [index, statements] of migrations.entries()) {
      if (index < done.length) continue;
      for (const statement of statements) await query(statement);
      await query('INSERT INTO firmament_migrations VALUES ($1::integer, $2::text)', [index + 1, digests[index]]);
    }
    return accept(migrations.length - done.length);
  });
}
