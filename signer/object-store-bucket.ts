/**
 * The object store over a bucket: MinIO, or any S3 that honours conditions on PUT.
 *
 * - One PUT an object, never in parts: the condition and the bytes arrive together, and an object appears as a whole.
 * - `create-only` is `If-None-Match: *`, `replaces` is `If-Match`: the store itself orders publishers.
 * - A PUT whose answer was lost is settled by reading back: our bytes mean done. What stays open throws, and running again is safe.
 */
import assert from 'node:assert';
import { bucketFault, isAbsent, type Bucket, type BucketAnswer } from '../formats/bucket.ts';
import { equalBytes } from '../formats/bytes.ts';
import { OperationError } from '../formats/operation-error.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import type { ObjectStore, PutCondition, StoredObject } from './object-store.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;
/** Longest key of S3, in bytes. */
const NAME_LENGTH_MAX = 1024;

type Sent = { readonly name: string; readonly bytes: Uint8Array; readonly condition: PutCondition };
type Outcome = Verdict<void, 'CONDITION_FAILED'>;

/** The store in `bucket`. */
export function objectStoreBucket(bucket: Bucket): ObjectStore {
  return {
    get: (name, bytesMax) => read(bucket, name, bytesMax),
    put: (name, bytes, condition) => write(bucket, { name, bytes, condition }),
  };
}

async function read(bucket: Bucket, name: string, bytesMax: number): Promise<StoredObject | undefined> {
  assertName(name);
  const answer = await bucket({ method: 'GET', name, bytesMax });
  if (isAbsent(answer)) return undefined;
  if (answer.status !== 200 || answer.etag === '') throw bucketFault(name, answer);
  return { bytes: answer.bytes, etag: answer.etag };
}

async function write(bucket: Bucket, sent: Sent): Promise<Outcome> {
  const { name, bytes, condition } = sent;
  assertName(name);
  const headers = condition === 'create-only' ? { 'if-none-match': '*' } : { 'if-match': condition.replaces };
  const answer = await orLost(bucket({ method: 'PUT', name, headers, body: bytes.slice() }));
  if (answer instanceof OperationError) return settle(bucket, sent, answer);
  if (answer.status === 200) return accept(undefined);
  if (answer.status === 412 || isAbsent(answer)) return reject('CONDITION_FAILED', `${name} is not as expected`);
  const fault = bucketFault(name, answer);
  if (answer.status >= 500) return settle(bucket, sent, fault);
  throw fault;
}

/** The answer to a PUT, or the fault that leaves open whether it was done. */
async function orLost(answer: Promise<BucketAnswer>): Promise<BucketAnswer | OperationError> {
  try {
    return await answer;
  } catch (fault) {
    if (fault instanceof OperationError && fault.retriable) return fault;
    throw fault;
  }
}

/** What became of a PUT without an answer. Throws its fault where the store stands as if it had never been sent. */
async function settle(bucket: Bucket, { name, bytes, condition }: Sent, fault: OperationError): Promise<Outcome> {
  const standing = await read(bucket, name, bytes.length);
  if (standing === undefined) throw fault;
  if (equalBytes(standing.bytes, bytes)) return accept(undefined);
  if (condition !== 'create-only' && standing.etag === condition.replaces) throw fault;
  return reject('CONDITION_FAILED', `${name} was written by another while our answer was lost`);
}

function assertName(name: string): void {
  assert(name.length <= NAME_LENGTH_MAX && NAME.test(name), 'a name of the layout');
}
