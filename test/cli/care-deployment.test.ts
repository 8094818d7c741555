/** Operators keep a whole deployment whole with `firmament` alone: every product of its memory, one after the other. */
import { copyFile, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { objectStoreFolder } from '../../signer/object-store-folder.ts';
import { openStateDatabase } from '../../signer/signer-state-database.ts';
import { accepted } from '../accepted.ts';
import { LOGGED } from '../logged-repository.ts';
import { makeTinyRepository } from '../tiny-repository.ts';
import { publishAll } from '../signer/publishing.ts';
import { firmament } from './run-firmament.ts';

const PRODUCTS = ['gateway', 'hub', 'meter'];
let folder = '';
const at = (...names: readonly string[]): string => join(folder, ...names);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firmament-care-all-'));
  const database = await openStateDatabase(at('state.db'));
  for (const product of PRODUCTS) {
    const repository = await makeTinyRepository({ product, now: Date.now(), log: LOGGED });
    const publisher = { store: objectStoreFolder(at('store')), memory: database.memoryOf(product) };
    accepted(await publishAll(repository, publisher));
    await writeFile(at(`${product}.root.json`), repository.factory.root);
  }
  database.close();
});
afterAll(() => rm(folder, { recursive: true }));

const fsck = (...more: readonly string[]): ReturnType<typeof firmament> =>
  firmament('fsck', '--store', at('store'), '--state', at('state.db'), ...more);

test('fsck walks all products that the memory knows, or one by name or by its root 1', async () => {
  const all = await fsck();
  expect(all.answer, all.stderr).toMatchObject({ ok: true, products: 3, damaged: 0, warnings: 0 });
  const byName = await fsck('--product', 'hub');
  expect(byName.answer, byName.stderr).toMatchObject({ ok: true, product: 'hub', roots: 1, logSize: 3 });
  const byRoot = await fsck('--root-one', at('meter.root.json'));
  expect(byRoot.answer, byRoot.stderr).toMatchObject({ ok: true, product: 'meter' });
  expect((await fsck('--product', 'pump')).answer['code']).toBe('SIGNER_STATE_MISSING');
  expect((await fsck('--root-one', at('gateway.root.json'), '--product', 'hub')).exit).toBe(64);
  const nowhere = await firmament('fsck', '--store', at('store'), '--state', at('other.db'));
  expect(nowhere.answer['code']).toBe('FILE_UNREADABLE');
  expect(await readdir(folder)).not.toContain('other.db');
});

test('fsck names every product that is damaged, whose memory is damaged, or that the memory does not know', async () => {
  const timestamp = at('store', 'hub', 'metadata', 'timestamp.json');
  await copyFile(timestamp, at('kept'));
  await writeFile(timestamp, '{}');
  await mkdir(at('store', 'pump', 'metadata'), { recursive: true });
  await writeFile(at('store', 'pump', 'metadata', '1.root.json'), '{}');
  const database = new DatabaseSync(at('state.db'));
  const row = database.prepare('SELECT state FROM product WHERE name = ?').get('meter');
  database.prepare('UPDATE product SET state = ? WHERE name = ?').run(Uint8Array.of(1), 'meter');
  const damaged = await fsck();
  database.prepare('UPDATE product SET state = ? WHERE name = ?').run(row?.['state'] ?? null, 'meter');
  database.close();
  await copyFile(at('kept'), timestamp);
  await rm(at('store', 'pump'), { recursive: true });
  expect(damaged.exit).toBe(1);
  expect(damaged.answer['code']).toBe('REPOSITORY_DAMAGED');
  expect(damaged.answer['detail']).toMatch(/2 products damaged, [0-9]+ warnings: hub meter$/);
  expect(damaged.stderr).toContain('damage SHAPE_MALFORMED hub/metadata/timestamp.json');
  expect(damaged.stderr).toContain('meter: FILE_UNREADABLE');
  expect(damaged.stderr).toContain('pump: SIGNER_STATE_MISSING');
});

test('gc collects every product; from one that is damaged nothing goes, and the others are collected all the same', async () => {
  for (const product of PRODUCTS) {
    const leftover = at('store', product, 'metadata', '.firmament-of-a-cut');
    await writeFile(leftover, '');
    await utimes(leftover, 0, 0);
  }
  const gc = (...more: readonly string[]): ReturnType<typeof firmament> =>
    firmament('gc', '--store', at('store'), '--state', at('state.db'), ...more);
  expect((await gc()).answer).toMatchObject({ ok: true, products: 3, garbage: 3, removed: 0 });
  const timestamp = at('store', 'hub', 'metadata', 'timestamp.json');
  await copyFile(timestamp, at('kept'));
  await writeFile(timestamp, '{}');
  const part = await gc('--delete');
  expect(part.answer['code']).toBe('REPOSITORY_DAMAGED');
  expect(part.answer['detail']).toMatch(/2 removed; nothing was removed from 1 products: hub$/);
  await copyFile(at('kept'), timestamp);
  expect((await gc('--delete')).answer).toMatchObject({ ok: true, garbage: 1, removed: 1 });
  expect((await gc('--delete', '--product', 'hub')).answer).toMatchObject({ ok: true, removed: 0 });
  expect((await fsck()).answer).toMatchObject({ ok: true, damaged: 0, warnings: 0 });
});
