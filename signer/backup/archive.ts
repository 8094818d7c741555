/**
 * A backup as one file: parts one after the other, and behind them the SHA-256 of all of it.
 *
 * - Read and written as a stream: what is held is one head of a part.
 * - Every length is told before its bytes; a file that was cut, altered, or is none of ours is refused, and nothing may follow its end.
 * - The digest tells accidents, not attackers: whoever can write a backup can write another one. It is noted elsewhere, and asked for.
 * - Specified in `docs/formats/backup.md`.
 */
import { createHash, type Hash } from 'node:crypto';
import { concatBytes, encodeHex, encodeUtf8, equalBytes } from '../../formats/bytes.ts';
import { decodeJson, integer, literal, object, refine, text, type Decoder } from '../../formats/decode.ts';
import { encodeCanonicalJson } from '../../formats/canonical-json.ts';
import { encodeInstant, instantDecoder, type Instant } from '../../formats/instant.ts';
import type { JsonValue } from '../../formats/json.ts';
import { accept, reject, type Rejected, type Verdict } from '../../formats/verdict.ts';

export type BackupPart = { readonly name: string; readonly length: number; readonly body: AsyncIterable<Uint8Array> };
export type ReadPart = { readonly name: string; readonly length: number; readonly body: AsyncIterable<Uint8Array> };
export type BackupEnd = { readonly createdAt: Instant; readonly sha256: string; readonly parts: number };

/** What every backup begins with. */
const MAGIC = encodeUtf8('firmament backup v1\n');
const HEAD_BYTES_MAX = 1024;
const LENGTH_BYTES = 4;
const DIGEST_BYTES = 32;
const PART_BYTES_MAX = 2 ** 40;
const PARTS_MAX = 2 ** 24;

const firstDecoder: Decoder<Instant> = refine(
  object('refused', { version: literal(1), createdAt: instantDecoder }),
  ({ createdAt }) => accept(createdAt),
);
const partDecoder = object('refused', { name: text(512), length: integer(0, PART_BYTES_MAX) });

/**
 * Writes a backup chunk by chunk. A body that is longer or shorter than its part says is ours, and ends it.
 * @returns the digest of it, in hex.
 */
export async function writeBackup(
  { createdAt, parts }: { readonly createdAt: Instant; readonly parts: AsyncIterable<BackupPart> },
  take: (chunk: Uint8Array) => Promise<void>,
): Promise<BackupEnd> {
  const hash = createHash('sha256');
  const emit = async (chunk: Uint8Array): Promise<void> => {
    hash.update(chunk);
    await take(chunk);
  };
  await emit(MAGIC);
  await emit(encodeHead([['createdAt', encodeInstant(createdAt)], ['version', 1]])); // prettier-ignore
  let count = 0;
  for await (const { name, length, body } of parts) {
    count++;
    await emit(encodeHead([['length', length], ['name', name]])); // prettier-ignore
    let left = length;
    for await (const chunk of body) {
      left -= chunk.length;
      if (left >= 0) await emit(chunk);
    }
    if (left !== 0) throw new Error(`${name} was told as ${length} bytes, and has ${length - left}`);
  }
  await emit(new Uint8Array(LENGTH_BYTES));
  const digest = hash.digest();
  await take(Uint8Array.from(digest));
  return { createdAt, sha256: encodeHex(Uint8Array.from(digest)), parts: count };
}

function encodeHead(members: readonly (readonly [string, JsonValue])[]): Uint8Array {
  const head = encodeCanonicalJson(new Map(members));
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, head.length);
  return concatBytes(length, head);
}

type Malformed = 'BACKUP_MALFORMED';

/** Reads a backup; `onPart` takes each part, all of whose body it reads, and may refuse it. */
export async function readBackup(
  file: AsyncIterable<Uint8Array>,
  onPart: (part: ReadPart, createdAt: Instant) => Promise<Verdict<void>>,
): Promise<Verdict<BackupEnd>> {
  const reader = readerOver(file);
  const magic = await reader.take(MAGIC.length);
  if (magic === undefined || !equalBytes(magic, MAGIC)) return malformed('it does not begin like one');
  const first = await readHead(reader, firstDecoder);
  if (!first.ok) return first;
  if (first.value === undefined) return malformed('it says nothing of itself');
  const createdAt = first.value;
  const names = new Set<string>();
  for (;;) {
    const head = await readHead(reader, partDecoder);
    if (!head.ok) return head;
    if (head.value === undefined) break;
    const { name, length } = head.value;
    if (names.has(name) || names.size === PARTS_MAX) return malformed(`${name} comes twice, or is one too many`);
    names.add(name);
    const body = reader.pass(length);
    const taken = await onPart({ name, length, body: body.chunks }, createdAt);
    if (!taken.ok) return taken;
    if (body.left() > 0) return malformed(`${name} is cut short`);
  }
  return readEnd(reader, { createdAt, parts: names.size });
}

async function readEnd(
  reader: Reader,
  { createdAt, parts }: Pick<BackupEnd, 'createdAt' | 'parts'>,
): Promise<Verdict<BackupEnd, Malformed>> {
  const expected = reader.digest();
  const digest = await reader.take(DIGEST_BYTES);
  if (digest === undefined) return malformed('it is cut short');
  if (!equalBytes(digest, expected)) return malformed('its digest is not that of its content');
  if ((await reader.take(1)) !== undefined) return malformed('something follows its end');
  return accept({ createdAt, sha256: encodeHex(digest), parts });
}

function malformed(detail: string): Rejected<Malformed> {
  return reject('BACKUP_MALFORMED', detail);
}

/** A head; undefined where there is none any more. */
async function readHead<T>(reader: Reader, decoder: Decoder<T>): Promise<Verdict<T | undefined, Malformed>> {
  const told = await reader.take(LENGTH_BYTES);
  if (told === undefined) return malformed('it is cut short');
  const length = new DataView(told.buffer, told.byteOffset).getUint32(0);
  if (length === 0) return accept(undefined);
  const bytes = length > HEAD_BYTES_MAX ? undefined : await reader.take(length);
  const head = bytes && decodeJson(bytes, HEAD_BYTES_MAX, decoder);
  return head?.ok === true ? head : malformed(`a head of ${length} bytes is none of ours`);
}

type Reader = {
  /** So many bytes, or undefined where the file ends before. */
  readonly take: (count: number) => Promise<Uint8Array | undefined>;
  /** The next `count` bytes as they come, and how many of them have not come. */
  readonly pass: (count: number) => { readonly chunks: AsyncIterable<Uint8Array>; readonly left: () => number };
  /** Of all that was read. */
  readonly digest: () => Uint8Array;
};

function readerOver(file: AsyncIterable<Uint8Array>): Reader {
  const source = file[Symbol.asyncIterator]();
  const hash: Hash = createHash('sha256');
  let held = new Uint8Array();
  const next = async (countMax: number): Promise<Uint8Array | undefined> => {
    while (held.length === 0) {
      const read = await source.next();
      if (read.done === true) return undefined;
      held = Uint8Array.from(read.value);
    }
    const chunk = held.slice(0, countMax);
    held = held.slice(countMax);
    hash.update(chunk);
    return chunk;
  };
  const pass: Reader['pass'] = (count) => {
    let left = count;
    return {
      left: () => left,
      chunks: (async function* () {
        while (left > 0) {
          const chunk = await next(left);
          if (chunk === undefined) return;
          left -= chunk.length;
          yield chunk;
        }
      })(),
    };
  };
  return {
    pass,
    take: async (count) => {
      const { chunks, left } = pass(count);
      const taken: Uint8Array[] = [];
      for await (const chunk of chunks) taken.push(chunk);
      return left() > 0 ? undefined : concatBytes(...taken);
    },
    digest: () => Uint8Array.from(hash.copy().digest()),
  };
}
