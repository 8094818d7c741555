/** What a backup holds, and what is put back: all of it or nothing, marked, into an empty folder alone, through a cut at every step. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { adoptProduct } from '../../../signer/backup/adopt-product.ts';
import { makeBackup } from '../../../signer/backup/make-backup.ts';
import { writeBackup, type BackupPart } from '../../../signer/backup/archive.ts';
import { restoreBackup } from '../../../signer/backup/restore-backup.ts';
import { bookStoreFolder } from '../../../signer/book-store-folder.ts';
import {
  followedBy,
  noIdentities,
  stepIssued,
  useIdentity,
  type DeviceIdentities,
} from '../../../signer/identity/device-identities.ts';
import { identityLedgerFolder } from '../../../signer/identity/identity-ledger.ts';
import { signerMemoryFile } from '../../../signer/signer-memory-file.ts';
import { openStateDatabase } from '../../../signer/signer-state-database.ts';
import { demandReleased, type SignerState } from '../../../signer/signer-state.ts';
import { asDaemon } from '../../../signer/state-owner.ts';
import { accepted } from '../../accepted.ts';
import { PROJECT } from '../../results.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const NOW = Date.UTC(2026, 0, 5);
const DEVICE = 'ab'.repeat(32);
const COUNTERS = new Map([['gateway', 4]]);

function stateOf(product: string): SignerState {
  const digests = { rootOneSha256: 'ab'.repeat(32), snapshotSha256: 'cd'.repeat(32) };
  return { product, ...digests, timestampVersion: 7, snapshotVersion: 3 };
}
const LOG = { origin: 'log.example/gateway', size: 3, rootHash: new Uint8Array(32).fill(7) };
const issued = (name: string): { certificate: string; publicKey: string; notAfter: number } => ({
  ...{ certificate: name.repeat(32), publicKey: name.repeat(32), notAfter: NOW + 3_600_000 },
});

/** A device that uses its second identity and has been issued a third. */
function livedDevice(): DeviceIdentities {
  const proven = { followed: undefined, securityCounters: COUNTERS };
  const first = accepted(useIdentity(stepIssued(noIdentities(DEVICE), issued('01'), proven), '01'.repeat(32)));
  const second = stepIssued(first, issued('02'), { ...proven, followed: '01'.repeat(32) });
  const used = accepted(useIdentity(second, '02'.repeat(32)));
  return stepIssued(used, issued('03'), { ...proven, followed: '02'.repeat(32) });
}

/** The folder of a signer of one product, or of a deployment, with what must not be in a backup beside it. */
async function signerFolder(isDeployment: boolean): Promise<string> {
  const folder = join(temporaryFolder('backup'), 'signer');
  if (isDeployment) {
    const database = await openStateDatabase(join(folder, 'state.db'));
    for (const product of ['gateway', 'hub']) {
      accepted(await database.memoryOf(product).write(stateOf(product), undefined));
      accepted(await database.memoryOf(product).writeLog(LOG, undefined));
    }
    // Open while it is backed up, as a daemon has it.
    onTestFinished(() => database.close());
  } else {
    const memory = signerMemoryFile(join(folder, 'state.json'));
    accepted(await memory.exclusively(() => memory.write(stateOf('gateway'), undefined)));
    accepted(await memory.writeLog(LOG, undefined));
  }
  const inside = isDeployment ? 'gateway' : '.';
  await bookStoreFolder(join(folder, 'books', inside)).keep('stable/abc/word-0', encodeUtf8('said'));
  const ledger = identityLedgerFolder(join(folder, 'identities', inside));
  await ledger.exclusively(() => ledger.write(livedDevice()));
  await writeFile(join(folder, 'online.age'), 'a key');
  await writeFile(join(folder, 'books', '.firmament-of-a-cut'), 'half');
  return folder;
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)).sort();
}

/** What stood there after each cut. */
type Cuts = Record<'restored' | 'made', readonly (readonly string[] | null)[]> &
  Record<'moved' | 'finished', readonly string[]>;

/** Backs up `folder`, and says where. */
async function backedUp(folder: string): Promise<{ readonly file: string; readonly sha256: string }> {
  const file = join(folder, '..', 'backups', 'one.backup');
  return { file, ...accepted(await makeBackup({ folder, out: file }, NOW)) };
}

const restoreTo = (file: string, folder: string, more = {}): ReturnType<typeof restoreBackup> =>
  restoreBackup({ file, folder, sha256: undefined, now: NOW, ...more });

test('of one product it holds memory, books and ledger, no key, no lock and nothing half; its owner alone reads it', async () => {
  const folder = await signerFolder(false);
  const { file, sha256 } = await backedUp(folder);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(folder, '..', 'backups'))).toEqual(['one.backup']);
  const to = join(folder, '..', 'restored');
  accepted(await restoreTo(file, to, { sha256 }));
  expect(await filesBelow(to)).toEqual([
    'books/stable/abc/word-0',
    `identities/devices/${DEVICE}.json`,
    'state.json',
    'state.json.log',
  ]);
  const memory = signerMemoryFile(join(to, 'state.json'));
  expect(await memory.read()).toEqual({ ...stateOf('gateway'), held: 'restored' });
  expect(await memory.readLog()).toEqual(LOG);
  expect(new TextDecoder().decode(await readFile(join(to, 'books/stable/abc/word-0')))).toBe('said');
  for (const name of await filesBelow(to)) expect((await stat(join(to, name))).mode & 0o777, name).toBe(0o600);
});

test('of a deployment it is one moment of the database, every product of it is held, and so is any that it does not know', async () => {
  const folder = await signerFolder(true);
  const { file } = await backedUp(folder);
  const to = join(folder, '..', 'restored');
  accepted(await restoreTo(file, to));
  expect(await filesBelow(to)).toEqual([
    'books/gateway/stable/abc/word-0',
    `identities/gateway/devices/${DEVICE}.json`,
    'state.db',
  ]);
  const database = await openStateDatabase(join(to, 'state.db'));
  onTestFinished(() => database.close());
  for (const product of ['gateway', 'hub']) {
    expect(await database.memoryOf(product).read()).toEqual({ ...stateOf(product), held: 'restored' });
    expect(await database.memoryOf(product).readLog()).toEqual(LOG);
  }
  await expect(database.memoryOf('pump').read()).rejects.toMatchObject({ code: 'SIGNER_STATE_RESTORED' });
  database.release(1000);
  expect(await database.memoryOf('pump').read()).toBeUndefined();
  expect(database.memoryOf('pump').foundingFloor?.()).toEqual({ versionFloor: 1000 });
});

test('no identity of a restored ledger can be followed or used; forks, ends and counters stay, and the device enrols anew', async () => {
  const folder = await signerFolder(false);
  const { file } = await backedUp(folder);
  const to = join(folder, '..', 'restored');
  accepted(await restoreTo(file, to));
  const device = await identityLedgerFolder(join(to, 'identities')).read(DEVICE);
  const follow = (predecessor: string): unknown =>
    followedBy(device, { purpose: 'rotate', predecessor, publicKey: '09'.repeat(32) }, NOW);
  for (const name of ['02', '03']) {
    expect(follow(name.repeat(32)), name).toMatchObject({ code: 'IDENTITY_UNKNOWN' });
    expect(useIdentity(device, name.repeat(32)), name).toMatchObject({ code: 'IDENTITY_UNKNOWN' });
  }
  // What had ended before the backup is still known as that: whoever follows it has a copy.
  expect(follow('01'.repeat(32))).toMatchObject({ ok: true, value: { isFork: true } });
  expect(useIdentity(device, '01'.repeat(32))).toMatchObject({ code: 'IDENTITY_ENDED' });
  const enrolment = { purpose: 'enrol' as const, predecessor: undefined, publicKey: '09'.repeat(32) };
  expect(followedBy(device, enrolment, NOW)).toMatchObject({ ok: true, value: { isFork: false } });
  expect(device.securityCounters).toEqual(COUNTERS);
});

test('a folder that is not empty, another digest, a clock that is behind, and what is no backup change nothing', async () => {
  const folder = await signerFolder(false);
  const { file } = await backedUp(folder);
  const to = join(folder, '..', 'restored');
  await mkdir(to);
  await writeFile(join(to, 'notes'), '');
  await expect(restoreTo(file, to)).rejects.toMatchObject({ code: 'FILE_EXISTS' });
  await rm(join(to, 'notes'));
  expect(await restoreTo(file, to, { sha256: '00'.repeat(32) })).toMatchObject({ code: 'BACKUP_MISMATCH' });
  expect(await restoreTo(file, to, { now: NOW - 1000 })).toMatchObject({ code: 'BACKUP_MISMATCH' });
  const whole = await readFile(file);
  for (const bytes of [whole.subarray(0, -40), Buffer.from('{}'), Buffer.alloc(0)]) {
    await writeFile(join(folder, 'other'), bytes);
    expect(await restoreTo(join(folder, 'other'), to)).toMatchObject({ code: 'BACKUP_MALFORMED' });
  }
  expect(await readdir(to)).toEqual([]);
  expect((await readdir(join(folder, '..'))).sort()).toEqual(['backups', 'restored', 'signer']);
  await expect(makeBackup({ folder, out: file }, NOW)).rejects.toMatchObject({ code: 'FILE_EXISTS' });
  expect(await readFile(file)).toEqual(whole);
  const empty = join(folder, '..', 'empty');
  await mkdir(empty);
  expect(await makeBackup({ folder: empty, out: `${file}.2` }, NOW)).toMatchObject({ code: 'SIGNER_STATE_MISSING' });
});

test.each([
  ['a name outside', '../state.json', '{}'],
  ['a key', 'online.age', 'a key'],
  ['a lock', 'identities/lock', ''],
  ['a damaged state', 'state.json', '{}'],
  ['a damaged log', 'state.json.log', '{}'],
  ['a damaged ledger', `identities/devices/${DEVICE}.json`, '{}'],
  ['a database that is none', 'state.db', 'SQLite format 3'],
  ['no memory', 'books/stable/abc/word-0', ''],
])('a backup with %s is refused as a whole, whatever its digest says', async (_, name, content) => {
  const folder = temporaryFolder('backup');
  const bytes = encodeUtf8(content);
  const parts = async function* (): AsyncGenerator<BackupPart> {
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(bytes);
    };
    yield await Promise.resolve({ name, length: bytes.length, body: body() });
  };
  const taken: Uint8Array[] = [];
  await writeBackup({ createdAt: NOW, parts: parts() }, (chunk) => Promise.resolve(void taken.push(chunk)));
  await writeFile(join(folder, 'made'), Buffer.concat(taken));
  expect(await restoreTo(join(folder, 'made'), join(folder, 'to'))).toMatchObject({ code: 'BACKUP_MALFORMED' });
  expect(await readdir(folder)).toEqual(['made']);
});

test('a database with a damaged row is refused', async () => {
  const folder = await signerFolder(true);
  const raw = new DatabaseSync(join(folder, 'state.db'));
  raw.prepare('UPDATE product SET state = ?').run(Uint8Array.of(1));
  raw.close();
  const { file } = await backedUp(folder);
  expect(await restoreTo(file, join(folder, '..', 'to'))).toMatchObject({ code: 'BACKUP_MALFORMED' });
});

test('the power cut at every call to the file system leaves no backup or a whole one, an empty folder or a whole one, and one memory that signs', async () => {
  const [folder, alone] = [await signerFolder(true), await signerFolder(false)];
  const { file } = await backedUp(folder);
  const told = await promisify(execFile)(process.execPath, [
    join(PROJECT, 'test', 'signer', 'backup', 'cut-everywhere.ts'),
    ...[folder, file, alone],
  ]);
  const cuts = JSON.parse(told.stdout) as Cuts;
  for (const outcomes of [cuts.restored, cuts.made]) {
    const whole = outcomes.at(-1);
    expect(whole).toContain('state.db');
    const others = outcomes.filter((names) => names !== null && names.length > 0);
    for (const names of others) expect(names).toEqual(whole);
    expect(outcomes.length - others.length, 'cuts that left nothing').toBeGreaterThan(8);
  }
  expect(new Set(cuts.moved)).toEqual(new Set(['file', '', 'deployment']));
  const whole = `deployment: books/gateway/stable/abc/word-0 identities/gateway/devices/${DEVICE}.json`;
  expect(new Set(cuts.finished)).toEqual(new Set([whole]));
});

test('a signer that has moved, or is on its way, signs nothing, and what the deployment publishes already is not overwritten', async () => {
  const [folder, alone] = [await signerFolder(true), await signerFolder(false)];
  const database = await openStateDatabase(join(folder, 'state.db'));
  onTestFinished(() => database.close());
  const adopt = (): ReturnType<typeof adoptProduct> =>
    adoptProduct({ from: alone, to: folder, memoryOf: database.memoryOf });
  expect(await adopt()).toMatchObject({ code: 'REPOSITORY_CONFLICT' });
  const file = signerMemoryFile(join(alone, 'state.json'));
  const state = stateOf('pump');
  accepted(await file.write(state, stateOf('gateway')));
  await asDaemon(join(alone, 'state.json'), async () => {
    await expect(adopt()).rejects.toMatchObject({ code: 'SIGNER_RUNNING' });
  });
  expect(accepted(await adopt())).toEqual(state);
  expect(await database.memoryOf('pump').read()).toEqual(state);
  expect(await database.memoryOf('pump').readLog()).toEqual(LOG);
  expect(demandReleased(await file.read())).toMatchObject({ code: 'SIGNER_STATE_MOVED' });
  expect(demandReleased({ ...state, held: 'arriving' })).toMatchObject({ code: 'SIGNER_STATE_MOVED' });
  expect(await adopt()).toMatchObject({ code: 'SIGNER_STATE_MOVED' });
  // Also a backup of it does not bring it back.
  const out = join(alone, '..', 'moved.backup');
  accepted(await makeBackup({ folder: alone, out }, NOW));
  accepted(await restoreTo(out, join(alone, '..', 'again')));
  expect((await signerMemoryFile(join(alone, '..', 'again', 'state.json')).read())?.held).toBe('moved');
});
