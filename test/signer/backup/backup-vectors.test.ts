/** The vectors of backups: the sample is put back, and each fault is refused by the code that it says, with nothing put back. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeUtf8, parseBase64 } from '../../../formats/bytes.ts';
import type { Verdict } from '../../../formats/verdict.ts';
import { restoreBackup } from '../../../signer/backup/restore-backup.ts';
import { signerMemoryFile } from '../../../signer/signer-memory-file.ts';
import { accepted } from '../../accepted.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { BACKUP_VECTORS, backupVectorFiles, SAMPLE_CREATED, type RefusedBackup } from './backup-vectors.ts';

const stored = (name: string): Uint8Array => Uint8Array.from(readFileSync(`${BACKUP_VECTORS}${name}`));

/** Restores `backup`. @returns what became of it, and where to. */
async function restored(backup: Uint8Array): Promise<{ readonly verdict: Verdict<unknown>; readonly folder: string }> {
  const at = temporaryFolder('backup-vectors');
  const [file, folder] = [join(at, 'file'), join(at, 'signer')];
  writeFileSync(file, backup);
  return { verdict: await restoreBackup({ file, folder, sha256: undefined, now: SAMPLE_CREATED }), folder };
}

test('the files are written by the encoders, byte for byte, and nothing else stands beside them', async () => {
  const made = await backupVectorFiles();
  expect(readdirSync(BACKUP_VECTORS).sort()).toEqual([...made.keys()].sort());
  for (const [name, content] of made) {
    const bytes = typeof content === 'string' ? encodeUtf8(content) : content;
    expect(Buffer.compare(stored(name), bytes), name).toBe(0);
  }
});

test('the sample is put back whole, and says that it was restored', async () => {
  const { verdict, folder } = await restored(stored('sample.backup'));
  expect(accepted(verdict)).toMatchObject({ createdAt: SAMPLE_CREATED, parts: 3 });
  const memory = signerMemoryFile(join(folder, 'state.json'));
  expect(await memory.read()).toMatchObject({ timestampVersion: 7, snapshotVersion: 3, held: 'restored' });
  expect(await memory.readLog()).toMatchObject({ origin: 'log.example/gateway', size: 3 });
  expect(readFileSync(join(folder, 'books/devices/manifest-0'), 'utf8')).toBe('a manifest');
});

test('each fault is refused by the code that it says, and nothing is put back', async () => {
  const refused = JSON.parse(readFileSync(`${BACKUP_VECTORS}refused.json`, 'utf8')) as readonly RefusedBackup[];
  for (const { says, code, backup } of refused) {
    const { verdict, folder } = await restored(parseBase64(backup) ?? expect.unreachable());
    expect(verdict, says).toMatchObject({ ok: false, code });
    expect(existsSync(folder), says).toBe(false);
  }
});
