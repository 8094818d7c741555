/** A real PostgreSQL keeps the contract of databases, refuses who has no password, and is waited for when it is gone. */
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { databasePostgres, POSTGRES_LIMITS, type PostgresAddress } from '../../../ota-server/database-postgres.ts';
import type { Database } from '../../../ota-server/database.ts';
import { testDatabase } from '../../ota-server/database-contract.ts';
import { startPostgres, USER, type PostgresServer } from './postgres-server.ts';

/** More than Node lets listen to one emitter unwarned. */
const TRANSACTIONS = 12;

let server: PostgresServer;
let database: Database;
let other: Database;
const plain = { database: 'firmament', tls: false };
const address = (): PostgresAddress => ({ ...plain, host: '127.0.0.1', port: server.port });

beforeAll(async () => {
  server = await startPostgres();
  database = databasePostgres(address(), USER, POSTGRES_LIMITS);
  // The other process comes by the socket.
  other = databasePostgres({ ...plain, host: server.socket, port: server.port }, USER, POSTGRES_LIMITS);
});
afterAll(async () => {
  await Promise.all([database.close(), other.close()]);
  await server.stop();
});

testDatabase(() => Promise.resolve({ database, other }));

test('a wrong password is refused, and neither password nor user stands in the fault', async () => {
  const stranger = databasePostgres(address(), { ...USER, password: 'guessed' }, POSTGRES_LIMITS);
  const fault = await stranger.query('SELECT 1').catch((thrown: unknown) => thrown);
  expect(fault).toMatchObject({ code: 'DATABASE_REFUSED', retriable: false });
  expect(String(fault)).not.toMatch(/guessed|firmament/);
  await stranger.close();
});

test('killed in the middle of a transaction it leaves nothing of it; the same connections serve once it is back', async () => {
  await database.query('CREATE TABLE made (id integer)');
  await database.query('INSERT INTO made VALUES (1)');
  const cut = database.transaction(async (query) => {
    await query('INSERT INTO made VALUES (2)');
    await server.kill();
    await query('INSERT INTO made VALUES (3)');
  });
  await expect(cut).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE', retriable: true });
  await expect(database.query('SELECT 1')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  await server.start();
  await expect
    .poll(
      () =>
        database.query('SELECT id FROM made').then(
          (rows) => rows.length,
          () => 0,
        ),
      { timeout: 30_000 },
    )
    .toBe(1);
});

test('any number of transactions over one connection leave nothing on it', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  const narrow = databasePostgres(address(), USER, { ...POSTGRES_LIMITS, connectionsMax: 1 });
  for (let i = 0; i < TRANSACTIONS; i++) await narrow.transaction((query) => query('SELECT 1'));
  await narrow.close();
  // Warnings are told in a turn of their own.
  await setImmediate();
  process.off('warning', note);
  expect(warnings.map(String)).toEqual([]);
});

test('a statement that takes too long is given up, and holds up nobody', async () => {
  const limits = { ...POSTGRES_LIMITS, statementMsMax: 200 };
  const hasty = databasePostgres(address(), USER, limits);
  await expect(hasty.query('SELECT pg_sleep(60)')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  expect(await hasty.query('SELECT 1')).toHaveLength(1);
  await hasty.close();
});
