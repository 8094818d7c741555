/**
 * A bucket in memory that answers as S3 does: conditions on PUT and GET, ranges, error codes, and no body to HEAD.
 *
 * - A test scripts what goes wrong: answers that are lost after the work was done, or statuses in its place.
 */
import type { Bucket, BucketAnswer, BucketRead, BucketWrite } from '../formats/bucket.ts';
import { OperationError } from '../formats/operation-error.ts';
import { sha256Hex } from '../formats/sha256.ts';

export type BucketUnderTest = {
  readonly bucket: Bucket;
  readonly objects: Map<string, Uint8Array>;
  readonly requests: readonly (BucketRead | BucketWrite)[];
};
/** What stands in the way of a request: its answer is lost after, or instead of, the work; or another answer is given. */
export type Trouble = 'answer lost' | 'request lost' | Partial<BucketAnswer>;

const NOTHING: BucketAnswer = {
  status: 200,
  etag: '',
  version: '',
  sizeBytes: undefined,
  errorCode: '',
  bytes: new Uint8Array(),
};

/** An empty bucket. @param trouble asked for each request. */
export function bucketInMemory(
  trouble: (request: BucketRead | BucketWrite) => Trouble | undefined = () => undefined,
): BucketUnderTest {
  const objects = new Map<string, Uint8Array>();
  const requests: (BucketRead | BucketWrite)[] = [];
  const bucket: Bucket = async (request) => {
    await Promise.resolve();
    requests.push(request);
    const wrong = trouble(request);
    if (wrong === 'request lost') throw lost();
    if (typeof wrong === 'object') return { ...NOTHING, ...wrong };
    const answer = request.method === 'PUT' ? write(objects, request) : read(objects, request);
    if (wrong === 'answer lost') throw lost();
    return answer;
  };
  return { bucket, objects, requests };
}

function lost(): OperationError {
  return new OperationError('NETWORK_UNREACHABLE', 'the connection broke off', { retriable: true });
}

function refusal(status: number, errorCode: string): BucketAnswer {
  return { ...NOTHING, status, errorCode };
}

function etagOf(bytes: Uint8Array): string {
  return `"${sha256Hex(bytes)}"`;
}

function write(objects: Map<string, Uint8Array>, { name, headers, body }: BucketWrite): BucketAnswer {
  const standing = objects.get(name);
  const match = headers['if-match'];
  if (headers['if-none-match'] === '*' && standing !== undefined) return refusal(412, 'PreconditionFailed');
  if (match !== undefined && standing === undefined) return refusal(404, 'NoSuchKey');
  if (match !== undefined && standing !== undefined && match !== etagOf(standing))
    return refusal(412, 'PreconditionFailed');
  objects.set(name, body.slice());
  return { ...NOTHING, etag: etagOf(body) };
}

function read(objects: ReadonlyMap<string, Uint8Array>, request: BucketRead): BucketAnswer {
  const { name, method, headers = {}, bytesMax } = request;
  const standing = objects.get(name);
  if (standing === undefined) return refusal(404, method === 'HEAD' ? '' : 'NoSuchKey');
  const etag = etagOf(standing);
  if (headers['if-match'] !== undefined && headers['if-match'] !== etag) return refusal(412, 'PreconditionFailed');
  if (method === 'HEAD') return { ...NOTHING, etag, sizeBytes: standing.length };
  const range = /^bytes=(\d+)-(\d+)$/.exec(headers['range'] ?? '');
  const bytes = range === null ? standing : standing.slice(Number(range[1]), Number(range[2]) + 1);
  if (range !== null && bytes.length === 0) return refusal(416, 'InvalidRange');
  if (bytes.length > bytesMax) throw new OperationError('RESPONSE_TOO_LARGE', 'too long', { retriable: false });
  return { ...NOTHING, status: range === null ? 200 : 206, etag, bytes: bytes.slice(), sizeBytes: bytes.length };
}
