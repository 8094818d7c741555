/**
 * A store as those see it who keep it whole: every object to be read as it streams, and the list of what lies there.
 *
 * - Objects that are served are read as the server reads them; what it does not know, the signer's claim, is small and read whole.
 */
import { accept, type Verdict } from '../formats/verdict.ts';
import { artifactStoreBucket } from '../ota-server/artifact-store-bucket.ts';
import { openFolderStore } from '../ota-server/artifact-store-folder.ts';
import type { Artifact, ArtifactStore } from '../ota-server/artifact-store.ts';
import { isObjectName } from '../ota-server/object-name.ts';
import { objectListFolder } from '../signer/care/object-list-folder.ts';
import { objectRemoverFolder } from '../signer/care/object-remover-folder.ts';
import type { ObjectList, ObjectRemover, PublishedSource } from '../signer/care/published-source.ts';
import { objectStoreBucket } from '../signer/object-store-bucket.ts';
import { objectStoreFolder } from '../signer/object-store-folder.ts';
import type { ObjectStore } from '../signer/object-store.ts';
import { STORE_LIMITS } from './store-limits.ts';
import { openBucketAt, type StoreOptions } from './store-option.ts';

export type CareStore = {
  readonly source: PublishedSource;
  readonly list: ObjectList;
  /** The right to remove, where it is given. */
  readonly remover: () => ObjectRemover;
};

/** More than a claim to the log has. */
const CLAIM_BYTES_MAX = 1_000_000;

/** The store that `options` name. */
export async function openCareStore({
  store,
  storeCredentials,
}: StoreOptions): Promise<Verdict<CareStore, 'CREDENTIALS_REFUSED'>> {
  if ('folder' in store) {
    const { folder } = store;
    return accept({
      source: sourceOf(await openFolderStore(folder), objectStoreFolder(folder)),
      list: objectListFolder(folder),
      remover: () => objectRemoverFolder(folder),
    });
  }
  const opened = await openBucketAt(store.bucket, storeCredentials, STORE_LIMITS);
  if (!opened.ok) return opened;
  const { bucket, credentials } = opened.value;
  const { bucketListMinio, bucketRemoverMinio } = await import('./bucket-care-minio.ts');
  return accept({
    source: sourceOf(artifactStoreBucket(bucket), objectStoreBucket(bucket)),
    list: bucketListMinio(store.bucket, credentials),
    remover: () => bucketRemoverMinio(store.bucket, credentials),
  });
}

function sourceOf(artifacts: ArtifactStore, objects: ObjectStore): PublishedSource {
  return {
    open: async (name) => {
      if (!isObjectName(name)) {
        const found = await objects.get(name, CLAIM_BYTES_MAX);
        return found && chunkOf(found.bytes);
      }
      const artifact = await artifacts.open(name);
      return artifact && chunksOf(artifact);
    },
  };
}

async function* chunkOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

async function* chunksOf(artifact: Artifact): AsyncGenerator<Uint8Array> {
  try {
    yield* artifact.read();
  } finally {
    await artifact.close();
  }
}
