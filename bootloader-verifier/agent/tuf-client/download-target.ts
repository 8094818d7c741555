/**
 * Fetches one target (5.7).
 *
 * - It is verified while it streams, into a file beside its place: what is not the signed file never has its name.
 * - What is there and valid is not fetched again.
 * - No more bytes are read than were signed. Length and every known digest must fit; where no digest is known, nothing does.
 * - Its name is a path relative to an address (4.5): see `targetPath`. A name that would climb has no address.
 */
import { createHash, type Hash } from 'node:crypto';
import { join } from 'node:path';
import type { TargetFile } from '../../../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../../../formats/verdict.ts';
import { withPlainFile, type PlainFile } from '../plain-file.ts';
import { discard, unexpectedStatus, type Fetcher } from './fetcher.ts';
import { writeWhole } from './metadata-folder.ts';
import { targetFileName, targetPath } from './stored-name.ts';

/** So much of a file that is there is read at once. */
const PIECE_BYTES = 65_536;

export type DownloadCode = 'IMAGE_HASH_MISMATCH' | 'IMAGE_LENGTH_MISMATCH' | 'TARGET_NAME_REFUSED' | 'NOT_FOUND';

export type Download = {
  readonly fetcher: Fetcher;
  /** The address of the targets, with a slash at its end. */
  readonly baseUrl: string;
  readonly folder: string;
  readonly pid: number;
  /** Whether the digest of a target stands before its file name (6.2). */
  readonly isConsistent: boolean;
};
type Target = TargetFile & { readonly name: string };

/** Downloads `target` unless it is there already. Answers its path. */
export async function downloadTarget(download: Download, target: Target): Promise<Verdict<string, DownloadCode>> {
  const path = join(download.folder, targetFileName(target.name));
  if (await isValid(path, target)) return accept(path);
  const url = addressOf(download, target);
  if (url === undefined) {
    return reject('TARGET_NAME_REFUSED', `${JSON.stringify(target.name)} is no path relative to an address`);
  }
  const { status, body } = await download.fetcher(url);
  if (status !== 200) {
    await discard(body);
    if (status === 404) return reject('NOT_FOUND', `${url} is not there`);
    throw unexpectedStatus(url, status);
  }
  const place = { folder: download.folder, name: targetFileName(target.name), pid: download.pid };
  let verdict: Verdict<void, DownloadCode> = accept(undefined);
  await writeWhole(place, async (take) => {
    verdict = await verifyStream(body, target, take);
    return verdict.ok;
  });
  return verdict.ok ? accept(path) : verdict;
}

/** Whether the signed file itself stands at `path`, and no link to it. */
function isValid(path: string, target: Target): Promise<boolean> {
  return withPlainFile(path, async (file) => {
    if (file?.length !== target.length) return false;
    return (await verifyStream(piecesOf(file), target, () => Promise.resolve())).ok;
  });
}

async function* piecesOf({ length, read }: PlainFile): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; at += PIECE_BYTES) yield await read(at, PIECE_BYTES);
}

/** Hands each chunk of `body` on, as long as it may belong to the signed file, and says at the end whether all of it was. */
async function verifyStream(
  body: AsyncIterable<Uint8Array>,
  target: Target,
  take: (chunk: Uint8Array) => Promise<void>,
): Promise<Verdict<void, 'IMAGE_HASH_MISMATCH' | 'IMAGE_LENGTH_MISMATCH'>> {
  const name = JSON.stringify(target.name);
  const hashes = (['sha256', 'sha512'] as const).flatMap((algorithm): readonly (readonly [Hash, string])[] => {
    const hex = target[algorithm];
    return hex === undefined ? [] : [[createHash(algorithm), hex]];
  });
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > target.length) {
      return reject('IMAGE_LENGTH_MISMATCH', `${name}: more than the ${target.length} bytes that were signed`);
    }
    for (const [hash] of hashes) hash.update(chunk);
    await take(chunk);
  }
  if (sizeBytes < target.length) {
    return reject('IMAGE_LENGTH_MISMATCH', `${name}: ${sizeBytes} bytes, ${target.length} were signed`);
  }
  return hashes.length > 0 && hashes.every(([hash, hex]) => hash.digest('hex') === hex)
    ? accept(undefined)
    : reject('IMAGE_HASH_MISMATCH', `${name} is not the file that was signed`);
}

/** The address of `target`, or undefined where its name is no path below another. */
function addressOf({ baseUrl, isConsistent }: Download, target: Target): string | undefined {
  const path = targetPath(target.name);
  if (path === undefined) return undefined;
  const digest = target.sha256 ?? target.sha512;
  const file = path.lastIndexOf('/') + 1;
  const prefix = isConsistent && digest !== undefined ? `${digest}.` : '';
  return `${baseUrl}${path.slice(0, file)}${prefix}${path.slice(file)}`;
}
