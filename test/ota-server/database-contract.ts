/** What every database must do: each adapter's test runs this, over one database that it shares. */
import { afterEach, expect, test } from 'vitest';
import { OperationError } from '../../formats/operation-error.ts';
import { accept } from '../../formats/verdict.ts';
import type { DeviceState } from '../../formats/device-state.ts';
import { textIn, type Database } from '../../ota-server/database.ts';
import { MIGRATIONS } from '../../ota-server/database-schema.ts';
import { readInventory, writeInventory } from '../../ota-server/device-inventory.ts';
import { migrateDatabase } from '../../ota-server/migrate-database.ts';
import { proposalStoreSql } from '../../ota-server/proposal-store-sql.ts';
import { testProposalStore } from './proposal-store-contract.ts';
import { sampleState } from './sample-state.ts';

const NOW = Date.UTC(2026, 0, 1);
/** What injects where values are pasted into statements. */
const HOSTILE: readonly string[] = [
  "'; DROP TABLE firmament_devices; --",
  '$1',
  '%s',
  '\\',
  "\\'",
  '"',
  ';',
  '/* */',
  "x' OR '1'='1",
  '{"a":1}',
  "E'\\x27'",
  '$$;DROP TABLE firmament_devices;$$',
];

/** Registers the tests. @param opened the database, and the same one opened again as by another process, where that is possible. */
export function testDatabase(opened: () => Promise<{ readonly database: Database; readonly other: Database }>): void {
  afterEach(async () => {
    const { database } = await opened();
    const tables = [
      'firmament_devices',
      'firmament_proposals',
      'firmament_proposal_tokens',
      'firmament_migrations',
      'made',
    ];
    for (const table of tables) await database.query(`DROP TABLE IF EXISTS ${table}`);
  });
  const migrated = async (): Promise<Database> => {
    const { database } = await opened();
    expect(await migrateDatabase(database, MIGRATIONS)).toMatchObject({ ok: true });
    return database;
  };

  test('a value comes back as it was given, however hostile, and absent stays absent', async () => {
    const { database } = await opened();
    await database.query('CREATE TABLE made (id integer PRIMARY KEY, said text)');
    for (const [id, said] of [...HOSTILE, undefined, '', '💣'].entries()) {
      await database.query('INSERT INTO made VALUES ($1::integer, $2::text)', [id, said]);
      const [row] = await database.query('SELECT said FROM made WHERE id = $1::integer', [id]);
      expect(row?.get('said')).toBe(said);
    }
    expect(await database.query('SELECT said FROM made WHERE said = $1', ["x' OR '1'='1"])).toHaveLength(1);
  });

  test('a transaction that fails leaves nothing, its own fault is passed on, and the next one works', async () => {
    const { database } = await opened();
    await database.query('CREATE TABLE made (id integer PRIMARY KEY)');
    const fault = new Error('for a test');
    const failing = database.transaction(async (query) => {
      await query('INSERT INTO made VALUES (1)');
      throw fault;
    });
    await expect(failing).rejects.toBe(fault);
    const twice = database.transaction(async (query) => {
      await query('INSERT INTO made VALUES (2)');
      await query('INSERT INTO made VALUES (2)');
    });
    await expect(twice).rejects.toMatchObject({ code: 'DATABASE_REFUSED', retriable: false });
    expect(await database.query('SELECT id FROM made')).toEqual([]);
    await database.transaction((query) => query('INSERT INTO made VALUES (3)'));
    expect(await database.query('SELECT id FROM made')).toHaveLength(1);
  });

  test('what it refuses is told by a code, without a word of what was given', async () => {
    const { database } = await opened();
    const fault = await database.query('SELECT $1::integer', ['a secret']).catch((thrown: unknown) => thrown);
    expect(fault).toBeInstanceOf(OperationError);
    expect(fault).toMatchObject({ code: 'DATABASE_REFUSED' });
    expect(fault instanceof Error ? fault.message : '').not.toContain('a secret');
  });

  test('migrations happen once, also where many processes start at once, and what they made stays', async () => {
    const { database, other } = await opened();
    const done = await Promise.all([database, other, database].map((each) => migrateDatabase(each, MIGRATIONS)));
    expect(done.map((one) => (one.ok ? one.value : one.code)).sort()).toEqual([0, 0, MIGRATIONS.length]);
    await writeInventory(database, [{ state: sampleState(1), at: NOW }]);
    expect(await migrateDatabase(database, MIGRATIONS)).toEqual(accept(0));
    expect(await readInventory(database, 9)).toHaveLength(1);
  });

  test('a migration that fails leaves the tables as they were, and is done again', async () => {
    const { database } = await opened();
    const broken = [['CREATE TABLE made (id integer)', 'SELECT 1 FROM nothing']];
    await expect(migrateDatabase(database, broken)).rejects.toMatchObject({ code: 'DATABASE_REFUSED' });
    const whole = [['CREATE TABLE made (id integer)']];
    expect(await migrateDatabase(database, whole)).toEqual(accept(1));
  });

  test('tables of a newer program, or of one with other migrations, are left alone', async () => {
    const database = await migrated();
    expect(await migrateDatabase(database, MIGRATIONS.slice(0, 1))).toMatchObject({ code: 'DATABASE_NEWER' });
    const others = [['SELECT 1'], ...MIGRATIONS.slice(1)];
    expect(await migrateDatabase(database, others)).toMatchObject({ code: 'DATABASE_NEWER' });
  });

  test('the inventory keeps the newest state of each device, whatever it calls itself', async () => {
    const database = await migrated();
    const states: readonly DeviceState[] = HOSTILE.map((name, index) => ({ ...sampleState(index), name }));
    expect(
      await writeInventory(
        database,
        states.map((state) => ({ state, at: NOW })),
      ),
    ).toBe(HOSTILE.length);
    const rows = await readInventory(database, 99);
    expect(rows.map(({ name }) => name).sort()).toEqual(HOSTILE.toSorted());
    const [first] = states;
    if (first === undefined) throw new Error('there is a state');
    const later = { state: { ...first, name: 'later', identity: undefined, code: undefined }, at: NOW + 1000 };
    expect(await writeInventory(database, [later])).toBe(1);
    expect(await writeInventory(database, [{ state: first, at: NOW }])).toBe(0);
    const [newest] = await readInventory(database, 1);
    expect(newest).toMatchObject({
      name: 'later',
      first_seen: '2026-01-01T00:00:00Z',
      last_seen: '2026-01-01T00:00:01Z',
    });
    expect([newest?.identity, newest?.code]).toEqual([undefined, undefined]);
  });

  test('the inventory holds as many devices as it may, goes on with those, and takes no more', async () => {
    const database = await migrated();
    const at = NOW;
    const of = (...indices: number[]): Parameters<typeof writeInventory>[1] =>
      indices.map((index) => ({ state: sampleState(index), at }));
    expect(await writeInventory(database, of(1, 2), 2)).toBe(2);
    expect(await writeInventory(database, of(2, 3), 2)).toBe(1);
    expect((await readInventory(database, 9)).length).toBe(2);
  });

  test('a row of the table is text in every column, or absent', async () => {
    const database = await migrated();
    await writeInventory(database, [{ state: sampleState(1), at: NOW }]);
    const [row = new Map<string, unknown>()] = await database.query('SELECT * FROM firmament_devices');
    for (const name of row.keys()) expect(textIn(row, name), name).toBe(row.get(name));
  });

  testProposalStore(async () => {
    const store = proposalStoreSql(await migrated());
    const { other } = await opened();
    return { store, reopen: () => proposalStoreSql(other) };
  });
}
