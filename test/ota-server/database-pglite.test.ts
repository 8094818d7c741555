/** The embedded database keeps the contract; what is its own: it lies in a folder, and survives its process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { databasePglite } from '../../ota-server/database-pglite.ts';
import type { Database } from '../../ota-server/database.ts';
import { testAlteredRows } from '../attacks/liar-database.ts';
import { testDatabase } from './database-contract.ts';

let folder: string;
let database: Database;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firmament-pglite-'));
  database = await databasePglite(folder);
});
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

testDatabase(() => Promise.resolve({ database, other: database }));
testAlteredRows(() => Promise.resolve(database));

test('what was written is there when the folder is opened again, and a closed database says that it is gone', async () => {
  await database.query('CREATE TABLE made (id integer)');
  await database.query('INSERT INTO made VALUES (7)');
  await database.close();
  await expect(database.query('SELECT 1')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE', retriable: true });
  database = await databasePglite(folder);
  expect((await database.query('SELECT id FROM made'))[0]?.get('id')).toBe(7);
});
