/**
 * Where the pilot publishes: a folder of its own, or the bucket that it was given.
 *
 * - Publisher and server are told by options alone, as people tell them.
 * - The client of object stores is loaded only where a bucket is named.
 * - A bucket is copied through the store's own port, which takes no name that is not of the layout: no name leads out of the folder.
 */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type * as BucketMinio from '../cli/bucket-minio.ts';
import { storeValue } from '../cli/store-address.ts';
import { readStoreCredentials } from '../cli/store-credentials.ts';
import { STORE_LIMITS } from '../cli/store-limits.ts';
import { objectStoreBucket } from '../signer/object-store-bucket.ts';
import { must } from './forgery.ts';

const OBJECT_BYTES_MAX = 67_108_864;
const OBJECTS_MAX = 1_000;

export type PublishedStore = {
  /** What names it to `publish` and `serve`. */
  readonly options: readonly string[];
  /** Copies all that is published now into a new folder. */
  readonly copyTo: (folder: string) => Promise<void>;
};

/** The store `where`. @throws Error if a bucket comes without credentials that can be used. */
export async function openPublishedStore(where: string, credentialsFile?: string): Promise<PublishedStore> {
  const address = storeValue(where);
  if ('folder' in address) {
    return { options: ['--store', where], copyTo: (to) => cp(address.folder, to, { recursive: true }) };
  }
  if (credentialsFile === undefined) throw new Error('a bucket needs --store-credentials FILE');
  const credentials = must(await readStoreCredentials(credentialsFile));
  const minio = await import('../cli/bucket-minio.ts');
  const access = { address: address.bucket, credentials, limits: STORE_LIMITS };
  return {
    options: ['--store', where, '--store-credentials', credentialsFile],
    copyTo: (to) => copyBucket(minio, access, to),
  };
}

type Minio = Pick<typeof BucketMinio, 'bucketMinio' | 'minioClient'>;

async function copyBucket(minio: Minio, access: BucketMinio.StoreAccess, folder: string): Promise<void> {
  const store = objectStoreBucket(minio.bucketMinio(access));
  for (const name of await namesIn(minio, access)) {
    const object = await store.get(name, OBJECT_BYTES_MAX);
    if (object === undefined) throw new Error(`${name} was removed while it was copied`);
    const path = join(folder, ...name.split('/'));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, object.bytes);
  }
}

function namesIn(minio: Minio, access: BucketMinio.StoreAccess): Promise<readonly string[]> {
  const names: string[] = [];
  const listing = minio.minioClient(access).listObjectsV2(access.address.bucket, '', true);
  return new Promise((resolve, refuse) => {
    listing.on('data', ({ name }) => {
      if (name !== undefined) names.push(name);
      if (names.length > OBJECTS_MAX) listing.destroy(new Error(`the bucket holds more than ${OBJECTS_MAX} objects`));
    });
    listing.on('error', refuse);
    listing.on('end', () => resolve(names));
  });
}
