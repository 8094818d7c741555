/**
 * A microcontroller whose flash is a file, for devices whose host stands in for one.
 *
 * - The file has the size of the flash; one that is missing is a blank microcontroller.
 * - The folder of the file is the connection: without it the microcontroller does not answer.
 * - Written in place, erased first, as such a flash is: a cut leaves a part of it. Forced to the disk before a write returns.
 */
import { constants } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OperationError } from '../../formats/operation-error.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { ERASED, type ComponentInstaller } from '../boot/installer.ts';

/** The flash of the pilot's microcontrollers, in bytes. */
export const MICROCONTROLLER_BYTES: number = 1_048_576;
const PAGE_BYTES = 65_536;

/** The microcontroller whose flash of `size` bytes is the file `path`. */
export function installerFile(path: string, size: number): ComponentInstaller {
  return {
    size,
    digest: async () => ((await isConnected(path)) ? sha256Hex(await readFlash(path, size)) : undefined),
    write: async ({ bytes }) => {
      if (await isConnected(path)) await writeFlash(path, size, bytes);
    },
  };
}

async function isConnected(path: string): Promise<boolean> {
  try {
    return (await stat(dirname(path))).isDirectory();
  } catch (cause) {
    if (isMissing(cause)) return false;
    throw new OperationError('FILE_UNREADABLE', `microcontroller ${path}`, { retriable: false, cause });
  }
}

async function readFlash(path: string, size: number): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (isMissing(cause)) return new Uint8Array(size).fill(ERASED);
    throw new OperationError('FILE_UNREADABLE', `microcontroller ${path}`, { retriable: false, cause });
  }
}

async function writeFlash(path: string, size: number, image: Uint8Array): Promise<void> {
  try {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      await file.truncate(size);
      for (const bytes of [new Uint8Array(size).fill(ERASED), image]) {
        for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
          await writeWhole(file, bytes.subarray(at, at + PAGE_BYTES), at);
        }
        await file.sync();
      }
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new OperationError('FILE_UNWRITABLE', `microcontroller ${path}`, { retriable: false, cause });
  }
}

async function writeWhole(file: Awaited<ReturnType<typeof open>>, bytes: Uint8Array, at: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, at + written);
    written += bytesWritten;
  }
}

function isMissing(fault: unknown): boolean {
  return fault instanceof Error && 'code' in fault && fault.code === 'ENOENT';
}
