/**
 * Puts a backup back into an empty folder: all of it, or nothing.
 *
 * - It is written into a folder of its own beside, synced, and named in the end, once all of it is what its digest says.
 * - What is put back is marked: no product is signed for before it is resumed, and no identity in the ledgers can be followed.
 * - A cut leaves the empty folder, and perhaps one beside it, `.firmament-*`, which nothing reads.
 */
import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { concatBytes } from '../../formats/bytes.ts';
import type { Instant } from '../../formats/instant.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { accept, reject, type Rejected, type Verdict } from '../../formats/verdict.ts';
import { createFile, makeFolder, MODE_SECRET, syncFolder, temporaryIn } from '../durable-file.ts';
import { readStreamed, streamFile } from '../durable-stream.ts';
import { hostCode } from '../host-fault.ts';
import { encodeDeviceIdentities, parseDeviceIdentities, stepRestored } from '../identity/device-identities.ts';
import { encodeSignerState, parseSignerState } from '../signer-state.ts';
import { parseLogMemory } from '../log-memory.ts';
import { readBackup, type BackupEnd, type ReadPart } from './archive.ts';
import { heldState, holdDatabase } from './database-copy.ts';
import { DATABASE_FILE, KEPT_BYTES_MAX, keptKind, STATE_FILE, type KeptKind } from './kept-files.ts';

export type RestoreInput = {
  readonly file: string;
  /** Where to: an empty folder, or one that is not there yet. */
  readonly folder: string;
  /** The digest that was noted when the backup was made, where it is at hand. */
  readonly sha256: string | undefined;
  readonly now: Instant;
};

/** Restores the backup. Faults of the world throw `OperationError`. */
export async function restoreBackup(input: RestoreInput): Promise<Verdict<BackupEnd>> {
  const folder = resolve(input.folder);
  await demandEmpty(folder);
  const beside = temporaryIn(dirname(folder));
  await makeFolder(beside);
  try {
    let hasMemory = false;
    const read = await readBackup(readStreamed(input.file), (part, createdAt) => {
      if (createdAt > input.now) {
        return Promise.resolve(reject('BACKUP_MISMATCH', 'it was made later than the clock shows now'));
      }
      hasMemory ||= part.name === STATE_FILE || part.name === DATABASE_FILE;
      return restorePart(beside, part);
    });
    if (!read.ok) return read;
    if (!hasMemory) return malformed('it holds no memory of a signer');
    if (input.sha256 !== undefined && read.value.sha256 !== input.sha256) {
      return reject('BACKUP_MISMATCH', `its digest is ${read.value.sha256}`);
    }
    await takeName(beside, folder);
    return read;
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

async function demandEmpty(folder: string): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    if (hostCode(cause) === 'ENOENT') return;
    throw new OperationError('FILE_UNREADABLE', `${folder} cannot be read`, { retriable: true, cause });
  }
  if (names.length > 0) {
    throw new OperationError('FILE_EXISTS', `${folder} is not empty: a backup is never mixed with what stands there`, {
      retriable: false,
    });
  }
}

async function restorePart(folder: string, part: ReadPart): Promise<Verdict<void>> {
  const kind = keptKind(part.name);
  if (kind === undefined) return malformed(`${JSON.stringify(part.name)} belongs into no backup`);
  const path = join(folder, ...part.name.split('/'));
  if (kind === 'database') return restoreDatabase(path, part);
  if (part.length > KEPT_BYTES_MAX) return malformed(`${part.name} is longer than any such file`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of part.body) chunks.push(chunk);
  const bytes = concatBytes(...chunks);
  if (bytes.length < part.length) return malformed(`${part.name} is cut short`);
  const marked = markedBytes(kind, bytes);
  if (!marked.ok) return malformed(`${part.name} is damaged: ${marked.detail}`);
  await createFile(path, { bytes: marked.value, mode: MODE_SECRET });
  return accept(undefined);
}

async function restoreDatabase(path: string, { body, length }: ReadPart): Promise<Verdict<void>> {
  const written = await streamFile(path, { mode: MODE_SECRET, isNew: true }, async (take) => {
    let count = 0;
    for await (const chunk of body) {
      count += chunk.length;
      await take(chunk);
    }
    return count === length ? accept(undefined) : malformed(`${DATABASE_FILE} is cut short`);
  });
  return written.ok ? holdDatabase(path) : written;
}

/** The bytes of a file as they are put back. */
function markedBytes(kind: Exclude<KeptKind, 'database'>, bytes: Uint8Array): Verdict<Uint8Array> {
  switch (kind) {
    case 'state': {
      const state = parseSignerState(bytes);
      return state.ok ? accept(encodeSignerState(heldState(state.value))) : state;
    }
    case 'ledger': {
      const device = parseDeviceIdentities(bytes);
      return device.ok ? accept(encodeDeviceIdentities(stepRestored(device.value))) : device;
    }
    case 'log': {
      const log = parseLogMemory(bytes);
      return log.ok ? accept(bytes) : log;
    }
    case 'book':
      return accept(bytes);
  }
}

function malformed(detail: string): Rejected<'BACKUP_MALFORMED'> {
  return reject('BACKUP_MALFORMED', detail);
}

/** Gives `beside` the name of the empty `folder`. */
async function takeName(beside: string, folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (cause) {
    if (hostCode(cause) !== 'ENOENT') {
      throw new OperationError('FILE_EXISTS', `${folder} is not empty any more`, { retriable: false, cause });
    }
  }
  try {
    await rename(beside, folder);
  } catch (cause) {
    throw new OperationError('FILE_UNWRITABLE', `${folder} cannot be named`, { retriable: true, cause });
  }
  await syncFolder(dirname(folder));
}
