/**
 * Port: one request to a bucket of an object store that speaks S3, as publisher and server make it.
 *
 * - The object's name is its key. Conditions are those of RFC 9110 (`if-match`, `if-none-match`), which S3 takes for PUT as for GET.
 * - Whatever the store says with a status is an answer. What breaks off, comes too late or is too long throws `OperationError`.
 * - A PUT that throws may have been done, or be done yet: its sender looks.
 * - A bucket that is missing, or shut to us, never looks like an object that is absent.
 * - Followed: Amazon S3 API reference, GetObject, HeadObject, PutObject and its error codes.
 */
import { parseUtf8 } from './bytes.ts';
import { OperationError } from './operation-error.ts';

export type BucketRead = {
  readonly method: 'GET' | 'HEAD';
  readonly name: string;
  /** Conditions and ranges, by field names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The longest body that is read where the object is brought. */
  readonly bytesMax: number;
};
export type BucketWrite = {
  readonly method: 'PUT';
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};
export type BucketAnswer = {
  readonly status: number;
  /** As it was received, in its quotes; empty where there is none. */
  readonly etag: string;
  /** The version of the object, where the bucket keeps versions; else empty. */
  readonly version: string;
  /** What Content-Length says: of a HEAD the length of the object; undefined where nothing is said. */
  readonly sizeBytes: number | undefined;
  /** The S3 error code, like `NoSuchKey`; empty where none is said, as in most answers to HEAD. */
  readonly errorCode: string;
  readonly bytes: Uint8Array;
};

/** A bucket that can only be read. */
export type BucketReader = (request: BucketRead) => Promise<BucketAnswer>;
export type Bucket = (request: BucketRead | BucketWrite) => Promise<BucketAnswer>;

/** The S3 error code in the body of an answer, if there is one. */
export function bucketErrorCode(body: Uint8Array): string | undefined {
  return /<Code>([A-Za-z]{1,64})<\/Code>/.exec(parseUtf8(body) ?? '')?.[1];
}

/** Whether `answer` says that the bucket has no such object; a missing bucket is another matter. */
export function isAbsent({ status, errorCode }: BucketAnswer): boolean {
  return status === 404 && errorCode === 'NoSuchKey';
}

/** The fault of an answer that its request has no use for: `STORE_ACCESS_DENIED`, or `RESPONSE_UNEXPECTED`. */
export function bucketFault(name: string, { status, errorCode }: BucketAnswer): OperationError {
  const detail = `${name}: the store answers ${status} ${errorCode}`.trimEnd();
  if (status === 401 || status === 403) return new OperationError('STORE_ACCESS_DENIED', detail, { retriable: false });
  // 409: another write of the same object was under way; S3 asks for the same request once more.
  const retriable = status >= 500 || status === 409 || status === 429;
  return new OperationError('RESPONSE_UNEXPECTED', detail, { retriable });
}
