/**
 * The artifact store over a bucket: MinIO, or any S3. It needs the right to get objects, and no other.
 *
 * - What is replaced under its name is small metadata: it is read whole when it is opened, and so keeps its bytes.
 * - A longer object is read in pieces, each under `If-Match` with the tag that was seen: another object never mixes in.
 * - A slow device holds no connection to the store and no lock inside it: between two pieces nothing is open.
 * - The tag is the store's strong ETag, and the version where the bucket keeps versions.
 */
import assert from 'node:assert';
import { bucketFault, isAbsent, type BucketAnswer, type BucketReader } from '../formats/bucket.ts';
import { OperationError } from '../formats/operation-error.ts';
import type { Artifact, ArtifactStore } from './artifact-store.ts';
import type { ByteRange } from './byte-range.ts';
import { isObjectName, type ObjectName } from './object-name.ts';

/** Memory of one download, and the longest object that is read when it is opened. */
export const PIECE_BYTES = 262_144;
/** How often an object may be replaced between looking and reading before we give up. */
const OPEN_ATTEMPTS_MAX = 3;
const STRONG_ETAG = /^"[\x21\x23-\x7e]{1,256}"$/;

type Seen = { readonly name: ObjectName; readonly etag: string; readonly tag: string; readonly sizeBytes: number };

/** The store in `bucket`. */
export function artifactStoreBucket(bucket: BucketReader): ArtifactStore {
  return {
    tag: async (name) => (await look(bucket, name))?.tag,
    open: async (name) => {
      for (let attempt = 0; attempt < OPEN_ATTEMPTS_MAX; attempt++) {
        const seen = await look(bucket, name);
        if (seen === undefined) return undefined;
        if (seen.sizeBytes > PIECE_BYTES) return artifact(seen, (range) => pieces(bucket, seen, range));
        const bytes = await readPiece(bucket, seen, { start: 0, endExclusive: seen.sizeBytes });
        if (bytes !== 'replaced') return artifact(seen, (range) => held(bytes, range));
      }
      throw new OperationError('FILE_UNREADABLE', `${name} is replaced faster than it can be read`, {
        retriable: true,
      });
    },
  };
}

function artifact(seen: Seen, readRange: (range: ByteRange) => AsyncIterable<Uint8Array>): Artifact {
  const { sizeBytes, tag } = seen;
  return {
    sizeBytes,
    tag,
    read: (range) => readRange(range ?? { start: 0, endExclusive: sizeBytes }),
    close: () => Promise.resolve(),
  };
}

/** What stands under `name` now; undefined where nothing does. */
async function look(bucket: BucketReader, name: ObjectName): Promise<Seen | undefined> {
  assert(isObjectName(name), 'a store is asked for parsed names only');
  const answer = await bucket({ method: 'HEAD', name, bytesMax: 0 });
  if (answer.status === 404) return confirmAbsence(bucket, name, answer);
  const { etag, version, sizeBytes } = answer;
  if (answer.status !== 200 || sizeBytes === undefined || !STRONG_ETAG.test(etag)) throw bucketFault(name, answer);
  return { name, etag, tag: `${etag}${version}`, sizeBytes };
}

/** An answer to HEAD has no body to say that it is the bucket that is missing; then a GET tells. */
async function confirmAbsence(bucket: BucketReader, name: ObjectName, answer: BucketAnswer): Promise<undefined> {
  const range = { range: 'bytes=0-0' };
  const told = answer.errorCode === '' ? await bucket({ method: 'GET', name, headers: range, bytesMax: 1 }) : answer;
  // An object that has appeared meanwhile was absent when we looked.
  const isThere = [200, 206, 416].includes(told.status);
  if (!isThere && !isAbsent(told)) throw bucketFault(name, told);
}

/** The bytes of `range` of what was seen; `replaced` if that no longer stands there. */
async function readPiece(bucket: BucketReader, seen: Seen, range: ByteRange): Promise<Uint8Array | 'replaced'> {
  const { name, etag, sizeBytes } = seen;
  const length = range.endExclusive - range.start;
  if (length === 0) return new Uint8Array();
  const whole = length === sizeBytes;
  const part = whole ? undefined : { range: `bytes=${range.start}-${range.endExclusive - 1}` };
  const answer = await bucket({ method: 'GET', name, headers: { 'if-match': etag, ...part }, bytesMax: length });
  if (answer.status === 412 || isAbsent(answer)) return 'replaced';
  const isAsked = answer.status === (whole ? 200 : 206) && answer.etag === etag && answer.bytes.length === length;
  if (!isAsked) throw bucketFault(name, answer);
  return answer.bytes;
}

async function* pieces(bucket: BucketReader, seen: Seen, range: ByteRange): AsyncGenerator<Uint8Array> {
  for (let at = range.start; at < range.endExclusive; at += PIECE_BYTES) {
    const piece = { start: at, endExclusive: Math.min(at + PIECE_BYTES, range.endExclusive) };
    const bytes = await readPiece(bucket, seen, piece);
    if (bytes === 'replaced') {
      throw new OperationError('FILE_UNREADABLE', `${seen.name} was replaced while it was read`, { retriable: true });
    }
    yield bytes;
  }
}

async function* held(bytes: Uint8Array, range: ByteRange): AsyncGenerator<Uint8Array> {
  if (range.endExclusive > range.start) yield await Promise.resolve(bytes.slice(range.start, range.endExclusive));
}
