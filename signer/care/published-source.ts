/**
 * Port: a published repository as anybody sees it, in a store or behind a server; only to be read, and never believed.
 *
 * - Names are whole: `PRODUCT/metadata/timestamp.json`.
 * - A limit holds while bytes stream: at most so many, and one chunk, are ever held.
 */
import { createHash } from 'node:crypto';
import { concatBytes } from '../../formats/bytes.ts';
import type { Code } from '../../formats/codes.ts';
import type { Instant } from '../../formats/instant.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';

export type PublishedSource = {
  /** The bytes of an object in their order, or undefined where there is none. Each that is opened is read or left at its first chunk. */
  readonly open: (name: string) => Promise<AsyncIterable<Uint8Array> | undefined>;
};
export type ListedObject = {
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedAt: Instant;
  /** It is none: a folder has its name. */
  readonly isFolder?: true;
};
/** Port: what stands in a store below a folder. */
export type ObjectList = {
  /** Every object whose name begins with `prefix`, in no order; also what is none of ours. */
  readonly list: (prefix: string) => AsyncIterable<ListedObject>;
};

/** Port: the right to remove, which no publisher has. */
export type ObjectRemover = {
  /** Removes an object; one that is gone already is as good. */
  readonly remove: (name: string) => Promise<void>;
};

/** The object `name`, undefined where there is none; `METADATA_TOO_LARGE` if it is longer than `bytesMax`. */
export async function readObject(
  source: PublishedSource,
  name: string,
  bytesMax: number,
): Promise<Verdict<Uint8Array | undefined, 'METADATA_TOO_LARGE'>> {
  const body = await source.open(name);
  if (body === undefined) return accept(undefined);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > bytesMax) return reject('METADATA_TOO_LARGE', `more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return accept(concatBytes(...chunks));
}

/**
 * What `look` says of an object. One that lies there and cannot be read, a link, a pipe or a folder in its place or a bad block of the disk,
 * is told like one that is refused, by its name: it hides no other from whoever looks at all of them.
 */
export async function orUnreadable<T, C extends Code>(
  look: () => Promise<Verdict<T, C>>,
): Promise<Verdict<T, C | 'FILE_UNREADABLE'>> {
  try {
    return await look();
  } catch (fault) {
    if (!(fault instanceof OperationError) || fault.code !== 'FILE_UNREADABLE') throw fault;
    return reject('FILE_UNREADABLE', fault.message);
  }
}

export type ExpectedContent = { readonly length?: number | undefined; readonly sha256: string };

/**
 * Hands on the chunks of `body`, and says at the end whether they were what is expected.
 * @param take gets every chunk within the expected length; none beyond it is asked for.
 */
export async function judgeContent(
  body: AsyncIterable<Uint8Array>,
  expected: ExpectedContent,
  take: (chunk: Uint8Array) => Promise<void> = () => Promise.resolve(),
): Promise<Verdict<void, 'IMAGE_LENGTH_MISMATCH' | 'IMAGE_HASH_MISMATCH'>> {
  const hash = createHash('sha256');
  const { length = Number.MAX_SAFE_INTEGER, sha256 } = expected;
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > length) return reject('IMAGE_LENGTH_MISMATCH', `more than the ${length} bytes that were signed`);
    hash.update(chunk);
    await take(chunk);
  }
  if (expected.length !== undefined && sizeBytes < expected.length) {
    return reject('IMAGE_LENGTH_MISMATCH', `${sizeBytes} bytes, ${expected.length} were signed`);
  }
  return hash.digest('hex') === sha256
    ? accept(undefined)
    : reject('IMAGE_HASH_MISMATCH', 'not the bytes that were signed');
}
