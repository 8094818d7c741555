/**
 * What lies in a bucket, and its removal, through the `minio` client.
 *
 * - Listing takes the right to list, removing that to delete; neither is a publisher's need.
 */
import { OperationError } from '../formats/operation-error.ts';
import type { ListedObject, ObjectList, ObjectRemover } from '../signer/care/published-source.ts';
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

/** Removes from the bucket at `address`. */
export function bucketRemoverMinio(address: BucketAddress, credentials: StoreCredentials): ObjectRemover {
  const client = minioClient({ address, credentials, limits: STORE_LIMITS });
  return { remove: (name) => orFault(client.removeObject(address.bucket, name), name) };
}

function objectIn(item: unknown): ListedObject | undefined {
  if (typeof item !== 'object' || item === null || !('name' in item) || !('size' in item)) return undefined;
  const { name, size } = item;
  const at = 'lastModified' in item && item.lastModified instanceof Date ? item.lastModified.getTime() : 0;
  return typeof name === 'string' && typeof size === 'number' ? { name, sizeBytes: size, modifiedAt: at } : undefined;
}

async function orFault<T>(call: Promise<T>, what: string): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown fault';
    if (code === 'AccessDenied') {
      throw new OperationError('STORE_ACCESS_DENIED', `${what}: the store does not allow it`, {
        retriable: false,
        cause,
      });
    }
    throw new OperationError('NETWORK_UNREACHABLE', `${what}: the store does not answer (${code})`, {
      retriable: true,
      cause,
    });
  }
}
