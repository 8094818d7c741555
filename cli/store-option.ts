/**
 * `--store` and `--store-credentials`: the published repository that a verb writes to or serves.
 *
 * - The client of object stores is loaded only where a bucket is named.
 */
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { Command } from 'commander';
import type { Bucket } from '../formats/bucket.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { artifactStoreBucket } from '../ota-server/artifact-store-bucket.ts';
import { openFolderStore } from '../ota-server/artifact-store-folder.ts';
import type { ArtifactStore } from '../ota-server/artifact-store.ts';
import { objectStoreBucket } from '../signer/object-store-bucket.ts';
import { objectStoreFolder } from '../signer/object-store-folder.ts';
import type { ObjectStore } from '../signer/object-store.ts';
import { storeValue, type BucketAddress, type StoreAddress } from './store-address.ts';
import { readStoreCredentials, type StoreCredentials } from './store-credentials.ts';
import { SERVED_LIMITS, STORE_LIMITS, type StoreLimits } from './store-limits.ts';

export type StoreOptions = { readonly store: StoreAddress; readonly storeCredentials?: string };

type OpenedBucket = { readonly bucket: Bucket; readonly credentials: StoreCredentials };

const STORE = ['--store <where>', 'the published repository: a folder, or s3+http(s)://HOST:PORT/BUCKET'] as const;

/**
 * What is wrong with a signer's `--state` where it lies in the store: it is what the store is held against (R6), and what lies there is served.
 */
export function stateInStore(store: StoreAddress, state: string): string | undefined {
  if (!('folder' in store)) return undefined;
  const way = relative(resolve(store.folder), resolve(state));
  const isOutside = way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
  return isOutside ? undefined : `${state} lies in the store: name a place of its own with --state`;
}

/** Adds both options to `command`. */
export function addStoreOptions(command: Command): Command {
  return addCredentials(command.requiredOption(...STORE, storeValue));
}

/** The same for a verb that may do without a store. */
export function addOptionalStoreOptions(command: Command): Command {
  return addCredentials(command.option(...STORE, storeValue));
}

function addCredentials(command: Command): Command {
  return command.option(
    '--store-credentials <file>',
    'for a bucket: {"accessKey":"…","secretKey":"…"}, readable by you alone',
  );
}

/** The store to publish into. */
export async function openObjectStore(options: StoreOptions): Promise<Verdict<ObjectStore, 'CREDENTIALS_REFUSED'>> {
  if ('folder' in options.store) return accept(objectStoreFolder(options.store.folder));
  const opened = await openBucketAt(options.store.bucket, options.storeCredentials, STORE_LIMITS);
  return opened.ok ? accept(objectStoreBucket(opened.value.bucket)) : opened;
}

/** The store to serve from. */
export async function openArtifactStore(options: StoreOptions): Promise<Verdict<ArtifactStore, 'CREDENTIALS_REFUSED'>> {
  if ('folder' in options.store) return accept(await openFolderStore(options.store.folder));
  const opened = await openBucketAt(options.store.bucket, options.storeCredentials, SERVED_LIMITS);
  return opened.ok ? accept(artifactStoreBucket(opened.value.bucket)) : opened;
}

/** The bucket at `address`, and the credentials in `file` that open it. */
export async function openBucketAt(
  address: BucketAddress,
  file: string | undefined,
  limits: StoreLimits,
): Promise<Verdict<OpenedBucket, 'CREDENTIALS_REFUSED'>> {
  if (file === undefined) return reject('CREDENTIALS_REFUSED', 'a bucket needs --store-credentials FILE');
  const credentials = await readStoreCredentials(file);
  if (!credentials.ok) return credentials;
  const { bucketMinio } = await import('./bucket-minio.ts');
  const bucket = bucketMinio({ address, credentials: credentials.value, limits });
  return accept({ bucket, credentials: credentials.value });
}
