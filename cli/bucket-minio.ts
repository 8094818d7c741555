/**
 * The bucket over the `minio` client: MinIO, or any S3.
 *
 * - Nothing is tried twice in here: whether a second try is safe, the stores know that stand on this.
 * - Every wait ends: an answer may neither stand still nor go on for ever, and every body has a limit.
 * - The secret signs (AWS Signature Version 4) and is never sent, shown or logged. Redirects are not followed.
 */
import assert from 'node:assert';
import { request as requestHttp, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Client } from 'minio';
import {
  bucketErrorCode,
  type Bucket,
  type BucketAnswer,
  type BucketRead,
  type BucketWrite,
} from '../formats/bucket.ts';
import { concatBytes } from '../formats/bytes.ts';
import { OperationError } from '../formats/operation-error.ts';
import type { BucketAddress } from './store-address.ts';
import type { StoreCredentials } from './store-credentials.ts';
import type { StoreLimits } from './store-limits.ts';

export type StoreAccess = {
  readonly address: BucketAddress;
  readonly credentials: StoreCredentials;
  readonly limits: StoreLimits;
};

const ERROR_BYTES_MAX = 65_536;
/** Every status is an answer; what it means is for who asked. */
const EVERY_STATUS = Array.from({ length: 400 }, (_, i) => 200 + i);

/** The client for a store, held to our limits. */
export function minioClient({ address, credentials, limits }: StoreAccess): Client {
  return new Client({
    endPoint: address.host,
    port: address.port,
    useSSL: address.tls,
    // Known beforehand, or the client would ask the store, which takes a right of its own.
    region: address.region,
    accessKey: credentials.accessKey,
    secretKey: credentials.secretKey,
    transport: { request: boundedRequest(address.tls, limits) },
    retryOptions: { disableRetry: true },
  });
}

/** The bucket at an address, for one user. */
export function bucketMinio(access: StoreAccess): Bucket {
  const client = minioClient(access);
  return async (request) => {
    const { method, name } = request;
    const options = { method, bucketName: access.address.bucket, objectName: name, headers: { ...request.headers } };
    const body = request.method === 'PUT' ? Buffer.from(request.body) : '';
    const response = await orFault(client.makeRequestAsync(options, body, EVERY_STATUS), name);
    return readAnswer(request, response);
  };
}

async function readAnswer(request: BucketRead | BucketWrite, response: IncomingMessage): Promise<BucketAnswer> {
  const { statusCode: status = 0, headers } = response;
  const isObject = request.method === 'GET' && status < 300;
  const bytesMax = isObject ? request.bytesMax : ERROR_BYTES_MAX;
  const bytes = await readBody(response, request.name, bytesMax);
  const said = headers['content-length'];
  return {
    status,
    etag: headers.etag ?? '',
    version: fieldOf(headers['x-amz-version-id']),
    sizeBytes: said === undefined ? undefined : Number(said),
    errorCode: isObject ? '' : (bucketErrorCode(bytes) ?? fieldOf(headers['x-minio-error-code'])),
    bytes,
  };
}

function fieldOf(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : '';
}

async function readBody(response: IncomingMessage, name: string, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const iterator: AsyncIterator<Buffer, undefined> = response[Symbol.asyncIterator]();
  for (;;) {
    const next = await orFault(iterator.next(), name);
    if (next.done === true) return concatBytes(...chunks);
    sizeBytes += next.value.length;
    if (sizeBytes > bytesMax) {
      response.destroy();
      const detail = `${name} is longer than ${bytesMax} bytes`;
      throw new OperationError('RESPONSE_TOO_LARGE', detail, { retriable: false });
    }
    chunks.push(next.value);
  }
}

type Listener = (response: IncomingMessage) => void;
type Request = (
  first: RequestOptions | string | URL,
  second?: RequestOptions | Listener,
  third?: Listener,
) => ClientRequest;

/** Node's `request`, given up when it stands still or takes too long. */
function boundedRequest(tls: boolean, limits: StoreLimits): Request {
  return (options, listener) => {
    assert(typeof options === 'object' && !(options instanceof URL), 'the client gives options');
    assert(typeof listener === 'function', 'the client gives a listener');
    const sent = tls ? requestHttps(options, listener) : requestHttp(options, listener);
    let arriving: IncomingMessage | undefined;
    sent.once('response', (response) => (arriving = response));
    const giveUp = (): void => void (arriving ?? sent).destroy(new DOMException('no progress', 'TimeoutError'));
    const deadline = setTimeout(giveUp, limits.callMsMax).unref();
    sent.setTimeout(limits.silenceMsMax, giveUp);
    sent.once('close', () => clearTimeout(deadline));
    return sent;
  };
}

/** The result of one call of the client, or its fault as ours. */
export async function orFault<T>(call: Promise<T>, name: string): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    if (cause.name === 'TimeoutError') {
      throw new OperationError('NETWORK_TIMEOUT', `${name}: the store does not answer in time`, {
        retriable: true,
        cause,
      });
    }
    // The client does not hand out answers that it takes for worth a retry, like 503; it says so in words.
    const status = /Retryable HTTP status: (\d+)/.exec(cause.message)?.[1];
    if (status !== undefined) {
      throw new OperationError('RESPONSE_UNEXPECTED', `${name}: the store answers ${status}`, {
        retriable: true,
        cause,
      });
    }
    if (!('code' in cause)) throw cause;
    if (cause.code === 'AccessDenied') {
      throw new OperationError('STORE_ACCESS_DENIED', `${name}: the store does not allow it`, {
        retriable: false,
        cause,
      });
    }
    throw new OperationError('NETWORK_UNREACHABLE', `${name}: the store does not answer (${String(cause.code)})`, {
      retriable: true,
      cause,
    });
  }
}
