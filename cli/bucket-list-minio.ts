/** What lies in a bucket, through the `minio` client; it takes the right to list, and no other. */
import { OperationError } from '../formats/operation-error.ts';
import type { ListedObject, ObjectList } from '../signer/care/published-source.ts';
import { minioClient, STORE_LIMITS } from './bucket-minio.ts';
import type { BucketAddress } from './store-address.ts';
import type { StoreCredentials } from './store-credentials.ts';

/** The objects of the bucket at `address`. */
export function bucketListMinio(address: BucketAddress, credentials: StoreCredentials): ObjectList {
  const client = minioClient({ address, credentials, limits: STORE_LIMITS });
  return {
    list: async function* (prefix): AsyncGenerator<ListedObject> {
      const items = client.listObjectsV2(address.bucket, prefix, true)[Symbol.asyncIterator]();
      for (;;) {
        const next = await orFault(items.next(), prefix);
        if (next.done === true) return;
        const listed = objectIn(next.value);
        if (listed !== undefined) yield listed;
      }
    },
  };
}

function objectIn(item: unknown): ListedObject | undefined {
  if (typeof item !== 'object' || item === null || !('name' in item) || !('size' in item)) return undefined;
  const { name, size } = item;
  const at = 'lastModified' in item && item.lastModified instanceof Date ? item.lastModified.getTime() : 0;
  return typeof name === 'string' && typeof size === 'number' ? { name, sizeBytes: size, modifiedAt: at } : undefined;
}

async function orFault<T>(call: Promise<T>, prefix: string): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown fault';
    if (code === 'AccessDenied') {
      throw new OperationError('STORE_ACCESS_DENIED', `the objects below ${prefix} may not be listed`, {
        retriable: false,
        cause,
      });
    }
    throw new OperationError('NETWORK_UNREACHABLE', `the objects below ${prefix} cannot be listed (${code})`, {
      retriable: true,
      cause,
    });
  }
}
