/**
 * One digest for all files of a source: the `dirHash` of in-toto, which anybody computes with find, sort and sha256sum.
 *
 * - SHA-256 over one line for each file, `HEX  NAME` and a line feed, in the order of the names' bytes.
 * - It covers names and contents; times, owners and modes do not count.
 * - Source: in-toto attestation framework, `spec/v1/digest_set.md`; the "Hash1" of Go's module checksums, in hex.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { OperationError } from '../../formats/operation-error.ts';
import { accept, type Verdict } from '../../formats/verdict.ts';
import { listSourceFiles } from './source-files.ts';

/**
 * Digests the source in `folder` as `buildTwice` would build it.
 * @param output the file that the build writes, relative to `folder`; it does not count.
 * @returns 64 lower-case hex digits, or `SOURCE_REFUSED`.
 */
export async function digestSource(folder: string, output: string): Promise<Verdict<string, 'SOURCE_REFUSED'>> {
  const files = await listSourceFiles(folder, output);
  return files.ok ? accept(await digestFiles(folder, files.value)) : files;
}

/** The `dirHash` of the named files below `folder`; the names are in order. */
export async function digestFiles(folder: string, files: readonly string[]): Promise<string> {
  const manifest = createHash('sha256');
  for (const name of files) {
    manifest.update(`${await digestFile(join(folder, name))}  ${name}\n`);
  }
  return manifest.digest('hex');
}

/** SHA-256 of the file at `path` in hex, read piece by piece. */
export async function digestFile(path: string): Promise<string> {
  const digest = createHash('sha256');
  try {
    const pieces: AsyncIterable<Uint8Array> = createReadStream(path);
    for await (const piece of pieces) digest.update(piece);
  } catch (cause) {
    throw new OperationError('FILE_UNREADABLE', `${path} cannot be read`, { retriable: false, cause });
  }
  return digest.digest('hex');
}
