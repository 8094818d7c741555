/** The memory of many products in one database: durable, one writer a state, and nothing that reads as nothing. */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { openStateDatabase, type StateDatabase } from '../../signer/signer-state-database.ts';
import type { SignerMemory, SignerState } from '../../signer/signer-state.ts';
import { accepted } from '../accepted.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { testSignerMemory } from './signer-memory-contract.ts';

let folder: string;
let path: string;
let database: StateDatabase;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firmament-database-'));
  path = join(folder, 'signer', 'state.db');
  database = await openStateDatabase(path);
});

afterEach(async () => {
  database.close();
  await rm(folder, { recursive: true });
});

testSignerMemory(() => {
  const path = join(temporaryFolder('state-database'), 'state.db');
  const open = async (): Promise<SignerMemory> => {
    const opened = await openStateDatabase(path);
    onTestFinished(() => opened.close());
    return opened.memoryOf('gateway');
  };
  return Promise.resolve(open);
});

function stateOf(product: string, timestampVersion: number, timestampExpires = 0): SignerState {
  const standing = {
    ...{ rootVersion: 1, rootSha256: 'ef'.repeat(32), snapshotLength: 700, hasPlan: product === 'planned' },
    ...{ snapshotExpires: 0, targetsExpires: 0, timestampExpires },
  };
  const digests = { rootOneSha256: 'ab'.repeat(32), snapshotSha256: 'cd'.repeat(32) };
  return { product, ...digests, timestampVersion, snapshotVersion: 1, standing };
}

test('what was written is read, also by another process over the same file, which its owner alone can read', async () => {
  const state = stateOf('gateway', 1);
  const log = { origin: 'log.example/gateway', size: 3, rootHash: new Uint8Array(32).fill(7) };
  accepted(await database.memoryOf('gateway').write(state, undefined));
  accepted(await database.memoryOf('gateway').writeLog(log, undefined));
  const other = await openStateDatabase(path);
  expect(await other.memoryOf('gateway').read()).toEqual(state);
  expect(await other.memoryOf('gateway').readLog()).toEqual(log);
  expect(await other.memoryOf('hub').read()).toBeUndefined();
  other.close();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('of two that write over the same state one is told, whichever process it is, and changes nothing', async () => {
  const other = await openStateDatabase(path);
  accepted(await database.memoryOf('gateway').write(stateOf('gateway', 1), undefined));
  const overtaken = await other.memoryOf('gateway').write(stateOf('gateway', 2), undefined);
  expect(overtaken).toMatchObject({ ok: false, code: 'CONDITION_FAILED' });
  const both = await Promise.all([
    database.memoryOf('gateway').write(stateOf('gateway', 2), stateOf('gateway', 1)),
    other.memoryOf('gateway').write(stateOf('gateway', 3), stateOf('gateway', 1)),
  ]);
  expect(both.filter(({ ok }) => ok)).toHaveLength(1);
  expect((await database.memoryOf('gateway').read())?.timestampVersion).toBe(both[0].ok ? 2 : 3);
  other.close();
});

test('writes that wait together share one commit, and one that is overtaken spoils no other of it', async () => {
  accepted(await database.memoryOf('gateway').write(stateOf('gateway', 1), undefined));
  const products = Array.from({ length: 100 }, (_, i) => `product-${i}`);
  const before = database.counts();
  const done = await Promise.all([
    ...products.map((product) => database.memoryOf(product).write(stateOf(product, 1), undefined)),
    database.memoryOf('gateway').write(stateOf('gateway', 9), undefined),
  ]);
  expect(database.counts()).toEqual({ writes: before.writes + 101, commits: before.commits + 1 });
  expect(done.map(({ ok }) => ok)).toEqual([...products.map(() => true), false]);
  expect(database.products()).toHaveLength(101);
  expect((await database.memoryOf('gateway').read())?.timestampVersion).toBe(1);
});

test('products are found by the end of their timestamp, and by their plan', async () => {
  for (const [product, expires] of [
    ['late', 3000],
    ['planned', 2000],
    ['early', 1000],
  ] as const) {
    accepted(await database.memoryOf(product).write(stateOf(product, 1, expires), undefined));
  }
  expect(database.endingUntil(2000, 10)).toEqual(['early', 'planned']);
  expect(database.endingUntil(9000, 2)).toEqual(['early', 'planned']);
  expect(database.planned()).toEqual(['planned']);
});

test('a damaged row is a fault and never reads as nothing', async () => {
  accepted(await database.memoryOf('gateway').write(stateOf('gateway', 1), undefined));
  const raw = new DatabaseSync(path);
  raw.prepare('UPDATE product SET state = ?').run(new Uint8Array([1]));
  raw.close();
  await expect(database.memoryOf('gateway').read()).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
});

test('a database that was cut, or is none, is damage and no lack of room or rights: it is restored, not made room for', async () => {
  const folder = temporaryFolder('cut-database');
  const cut = join(folder, 'cut.db');
  const whole = await openStateDatabase(cut);
  accepted(await whole.memoryOf('gateway').write(stateOf('gateway', 1), undefined));
  whole.close();
  const none = join(folder, 'none.db');
  writeFileSync(none, 'x'.repeat(8_192));
  writeFileSync(cut, readFileSync(cut).subarray(0, 5_000));
  for (const file of [none, cut]) {
    const looked = openStateDatabase(file).then((opened) => opened.memoryOf('gateway').read());
    await expect(looked, file).rejects.toMatchObject({ code: 'FILE_UNREADABLE', message: /damaged/ });
  }
});
