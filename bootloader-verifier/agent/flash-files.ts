/**
 * Flash in a folder: one file a region, for devices whose host has a file system.
 *
 * - A write is forced to the disk before it returns, and the folder too when a file was new.
 * - Bytes that were never written read as zero.
 * - The system's flash refuses to write `protected`, `factory` and `identity`, and to read `identity`. All three are files of one user:
 *   what keeps the system from the secret is this code, not the machine, and therefore such a device is of class `claimed`.
 */
import assert from 'node:assert/strict';
import { constants } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationError } from '../../formats/operation-error.ts';
import { FLASH_LAYOUT, mayRead, MAY_WRITE, type Flash, type FlashRights, type Region } from '../boot/flash.ts';

/** The flash in `folder`, which is made if it is missing, with the rights of one of its writers. */
export function flashFiles(folder: string, rights: FlashRights): Flash {
  return {
    sizeOf: (region) => FLASH_LAYOUT[region],
    read: async (region, offset, length) => {
      assert(mayRead(rights, region), `${rights} may not read ${region}`);
      assert(offset >= 0 && length >= 0 && offset + length <= FLASH_LAYOUT[region], 'read within the region');
      return readRegion(join(folder, region), offset, length);
    },
    write: async (region, offset, bytes) => {
      assert(MAY_WRITE[rights].includes(region), `${rights} may not write ${region}`);
      assert(offset >= 0 && offset + bytes.length <= FLASH_LAYOUT[region], 'write within the region');
      await writeRegion(folder, region, { offset, bytes });
    },
  };
}

async function readRegion(path: string, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const file = await openIfPresent(path);
  if (file === undefined) return bytes;
  try {
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes;
  } catch (cause) {
    throw new OperationError('FILE_UNREADABLE', `flash file ${path}`, { retriable: false, cause });
  } finally {
    await file.close();
  }
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new OperationError('FILE_UNREADABLE', `flash file ${path}`, { retriable: false, cause });
  }
}

async function writeRegion(
  folder: string,
  region: Region,
  { offset, bytes }: { readonly offset: number; readonly bytes: Uint8Array },
): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    const file = await open(join(folder, region), constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      let written = 0;
      while (written < bytes.length) {
        const { bytesWritten } = await file.write(bytes, written, bytes.length - written, offset + written);
        written += bytesWritten;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await syncFolder(folder);
  } catch (cause) {
    throw new OperationError('FILE_UNWRITABLE', `flash region ${region}`, { retriable: false, cause });
  }
}

/** Makes durable which names stand in `folder`. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
