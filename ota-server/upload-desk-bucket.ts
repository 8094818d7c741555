/**
 * The desk over a bucket: clients put the bytes into the store themselves, at addresses that are good for nothing else.
 *
 * - The user of the desk may put and get below `incoming/`, and nothing more: what it signs reaches no published object.
 * - The store counts and digests what arrives, and refuses to replace; `look` reads the object all the same, in pieces under
 *   `If-Match`, and believes no checksum that the store tells.
 */
import { createHash } from 'node:crypto';
import { bucketFault, isAbsent, type BucketReader } from '../formats/bucket.ts';
import { encodeBase64, parseHex } from '../formats/bytes.ts';
import { OperationError } from '../formats/operation-error.ts';
import { presignAddress, type PresignAccess } from './presigned-put.ts';
import type { UploadDesk } from './upload-desk.ts';

const PIECE_BYTES = 4_194_304;

/** The desk in `bucket`, whose addresses are signed with `access`. */
export function uploadDeskBucket(
  bucket: BucketReader,
  access: PresignAccess & { readonly bucket: string },
): UploadDesk {
  return {
    invite: ({ name, length, sha256, until }, now) => {
      const fields = new Map([
        ['content-length', String(length)],
        ['if-none-match', '*'],
        ['x-amz-checksum-sha256', encodeBase64(parseHex(sha256) ?? new Uint8Array())],
      ]);
      const expiresSeconds = Math.max(1, Math.floor((until - now) / 1000));
      const path = `/${access.bucket}/${name}`;
      return { url: presignAddress(access, { method: 'PUT', path, fields, expiresSeconds }, now), fields };
    },
    look: (name, lengthMax) => digestObject(bucket, name, lengthMax),
  };
}

/** Length and SHA-256 of an object; one that is longer than `lengthMax` is not read, and its digest is none. */
async function digestObject(
  bucket: BucketReader,
  name: string,
  lengthMax: number,
): Promise<{ readonly length: number; readonly sha256: string } | undefined> {
  const hash = createHash('sha256');
  let etag: string | undefined;
  let length = 0;
  for (;;) {
    // One byte more than is left tells a longer object from one that ends here.
    const bytesMax = Math.min(PIECE_BYTES, lengthMax + 1 - length);
    const headers = {
      range: `bytes=${length}-${length + bytesMax - 1}`,
      ...(etag !== undefined && { 'if-match': etag }),
    };
    const answer = await bucket({ method: 'GET', name, headers, bytesMax });
    if (etag === undefined && isAbsent(answer)) return undefined;
    if (answer.status === 416) return { length, sha256: hash.digest('hex') };
    if (answer.status === 412) throw replaced(name);
    if (answer.status !== 206 || answer.etag === '') throw bucketFault(name, answer);
    etag = answer.etag;
    hash.update(answer.bytes);
    length += answer.bytes.length;
    if (length > lengthMax) return { length, sha256: '' };
    if (answer.bytes.length < bytesMax) return { length, sha256: hash.digest('hex') };
  }
}

function replaced(name: string): OperationError {
  return new OperationError('FILE_UNREADABLE', `${name} was replaced while it was read`, { retriable: true });
}
