/**
 * What lies in a bucket, and its removal, through the `minio` client.
 *
 * - Listing takes the right to list, removing that to delete; neither is a publisher's need.
 */
import type { ListedObject, ObjectList, ObjectRemover } from '../signer/care/published-source.ts';
import { minioClient, orFault } from './bucket-minio.ts';
import { STORE_LIMITS } from './store-limits.ts';
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
