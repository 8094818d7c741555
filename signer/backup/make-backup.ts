/**
 * Makes a backup of all that a signer may not lose, while it works.
 *
 * - The memory is taken first, the log of one product after its state: so the log is no older than what the state has published.
 * - What lies beside it is taken afterwards: what the memory implies, a frozen expected set above all, stands there by then. Each
 *   file is replaced as a whole or never, so each is of one moment.
 * - Keys are not in it: they never change, and the file is to lie where no key should.
 * - It gets its name once it is whole and synced; nothing is ever overwritten.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Instant } from '../../formats/instant.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { makeFolder, MODE_SECRET, readFileBounded } from '../durable-file.ts';
import { readStreamed, streamFile } from '../durable-stream.ts';
import { hostCode } from '../host-fault.ts';
import { writeBackup, type BackupEnd, type BackupPart } from './archive.ts';
import { copyDatabase } from './database-copy.ts';
import { DATABASE_FILE, KEPT_BYTES_MAX, keptBeside, LOG_FILE, STATE_FILE } from './kept-files.ts';

/** Backs up the signer's folder `folder` into the new file `out`. */
export async function makeBackup(
  { folder, out }: { readonly folder: string; readonly out: string },
  now: Instant,
): Promise<Verdict<BackupEnd>> {
  await makeFolder(dirname(out));
  // Its owner's alone: SQLite makes its copy with the rights of any file.
  const scratch = await mkdtemp(join(dirname(out), '.firmament-'));
  try {
    const memory = await readMemory(folder, scratch);
    if (memory.length === 0) return reject('SIGNER_STATE_MISSING', `${folder} holds no memory of a signer`);
    return await streamFile(out, { mode: MODE_SECRET, isNew: true }, async (take) =>
      accept(await writeBackup({ createdAt: now, parts: partsOf(folder, memory) }, take)),
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function readMemory(folder: string, scratch: string): Promise<readonly BackupPart[]> {
  const parts: BackupPart[] = [];
  for (const name of [STATE_FILE, LOG_FILE]) {
    const bytes = await readFileBounded(join(folder, name), KEPT_BYTES_MAX);
    if (bytes !== undefined) parts.push(partOf(name, bytes));
  }
  const path = join(folder, DATABASE_FILE);
  if ((await sizeOf(path)) === undefined) return parts;
  const copy = join(scratch, DATABASE_FILE);
  copyDatabase(path, copy);
  return [...parts, { name: DATABASE_FILE, length: (await sizeOf(copy)) ?? 0, body: readStreamed(copy) }];
}

async function* partsOf(folder: string, memory: readonly BackupPart[]): AsyncGenerator<BackupPart> {
  yield* memory;
  for await (const name of keptBeside(folder)) {
    const bytes = await readFileBounded(join(folder, ...name.split('/')), KEPT_BYTES_MAX);
    if (bytes !== undefined) yield partOf(name, bytes);
  }
}

function partOf(name: string, bytes: Uint8Array): BackupPart {
  return { name, length: bytes.length, body: once(bytes) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    if (hostCode(cause) === 'ENOENT') return undefined;
    throw new OperationError('FILE_UNREADABLE', `${path} cannot be read`, { retriable: true, cause });
  }
}
