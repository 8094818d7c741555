/**
 * `--database` and `--database-credentials`: where inventory is kept.
 *
 * - `pglite:FOLDER` is embedded, and owned by one process: a second one is told `LOCK_HELD` at once.
 * - `postgres://HOST[:PORT]/NAME`, with `?tls=yes`, or `postgres:///NAME?socket=FOLDER`. It carries no user and no password: the command
 *   line is seen by others. They stand in a file, `{"user":"…","password":"…"}`, that only its owner can read.
 * - The libraries of both are loaded only where they are named.
 */
import { join } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { object, text, type Decoder } from '../formats/decode.ts';
import { OperationError } from '../formats/operation-error.ts';
import { reject, type Verdict } from '../formats/verdict.ts';
import type { PostgresAddress, PostgresCredentials } from '../ota-server/database-postgres.ts';
import type { Database } from '../ota-server/database.ts';
import { MIGRATIONS } from '../ota-server/database-schema.ts';
import { migratedDatabase } from '../ota-server/migrate-database.ts';
import { whileLocked } from '../signer/lock-file.ts';
import { CREDENTIAL, readCredentials } from './store-credentials.ts';

export type DatabaseAddress = { readonly folder: string } | { readonly postgres: PostgresAddress };
export type DatabaseOptions = { readonly database?: DatabaseAddress; readonly databaseCredentials?: string };

const PGLITE = 'pglite:';
const FORM = 'pglite:FOLDER, postgres://HOST:PORT/NAME or postgres:///NAME?socket=FOLDER is expected';
const NAME = /^\/([A-Za-z0-9_][A-Za-z0-9_-]{0,62})$/;
const POSTGRES_PORT = 5_432;
const credentialsDecoder: Decoder<PostgresCredentials> = object('refused', {
  user: text(63, CREDENTIAL),
  password: text(256, CREDENTIAL),
});

/** Adds both options to `command`. */
export function addDatabaseOptions(command: Command): Command {
  return command
    .option(
      '--database <where>',
      'what devices say of themselves: pglite:FOLDER, or postgres://HOST:PORT/NAME',
      databaseValue,
    )
    .option('--database-credentials <file>', 'for PostgreSQL: {"user":"…","password":"…"}, readable by you alone');
}

/** The address in `value`. @throws InvalidArgumentError if it is none. */
export function databaseValue(value: string): DatabaseAddress {
  if (value.startsWith(PGLITE) && value.length > PGLITE.length) return { folder: value.slice(PGLITE.length) };
  const url = /^postgres(ql)?:\/\//.test(value) && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined) throw new InvalidArgumentError(FORM);
  if (url.username !== '' || url.password !== '') throw new InvalidArgumentError('an address carries no credentials');
  const database = NAME.exec(url.pathname)?.[1];
  const { socket, tls, ...others } = Object.fromEntries(url.searchParams);
  const isPlain = Object.keys(others).length === 0 && url.hash === '' && (tls === undefined || tls === 'yes');
  const host = url.hostname === '' ? socket : url.hostname.replace(/^\[|\]$/g, '');
  const isOne = (url.hostname === '') !== (socket === undefined);
  if (database === undefined || host === undefined || !isPlain || !isOne) throw new InvalidArgumentError(FORM);
  const port = url.port === '' ? POSTGRES_PORT : Number(url.port);
  return { postgres: { host, port, database, tls: tls === 'yes' } };
}

/** Does `work` with the database that `options` name, or with none; closes it afterwards. */
export async function withDatabase<T>(
  options: DatabaseOptions,
  work: (database: Database | undefined) => Promise<Verdict<T>>,
): Promise<Verdict<T>> {
  const { database: address, databaseCredentials } = options;
  if (address === undefined) return work(undefined);
  if ('folder' in address) {
    const { databasePglite } = await import('../ota-server/database-pglite.ts');
    const { folder } = address;
    const use = async (): Promise<Verdict<T>> => using(await databasePglite(join(folder, 'data')), work);
    return whileLocked(join(folder, 'owner.lock'), use, { looksMax: 0, held: ownedBy });
  }
  const credentials = await readDatabaseCredentials(databaseCredentials);
  if (!credentials.ok) return credentials;
  const { databasePostgres, POSTGRES_LIMITS } = await import('../ota-server/database-postgres.ts');
  return using(databasePostgres(address.postgres, credentials.value, POSTGRES_LIMITS), work);
}

async function using<T>(opened: Database, work: (database: Database) => Promise<Verdict<T>>): Promise<Verdict<T>> {
  try {
    return await work(migratedDatabase(opened, MIGRATIONS));
  } finally {
    await opened.close();
  }
}

function ownedBy(path: string): OperationError {
  const detail = `${path} is held: one process owns an embedded database; stop it, or use PostgreSQL`;
  return new OperationError('LOCK_HELD', detail, { retriable: true });
}

/** The credentials in `file`, or `CREDENTIALS_REFUSED`, which never shows what stands there. */
async function readDatabaseCredentials(
  file: string | undefined,
): Promise<Verdict<PostgresCredentials, 'CREDENTIALS_REFUSED'>> {
  if (file === undefined) return reject('CREDENTIALS_REFUSED', 'PostgreSQL needs --database-credentials FILE');
  return readCredentials(file, credentialsDecoder, '{"user":"…","password":"…"}');
}
