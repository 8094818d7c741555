/**
 * A store as those see it who keep it whole: every object to be read as it streams, and the list of what lies there.
 *
 * - Objects that are served are read as the server reads them; what it does not know, the signer's claim, is small and read whole.
 */
import { accept, type Verdict } from '../formats/verdict.ts';
import type { Artifact, ArtifactStore } from '../ota-server/artifact-store.ts';
import { isObjectName } from '../ota-server/object-name.ts';
import { objectListFolder } from '../signer/care/object-list-folder.ts';
import { objectRemoverFolder } from '../signer/care/object-remover-folder.ts';
import type { ObjectList, ObjectRemover, PublishedSource } from '../signer/care/published-source.ts';
import type { ObjectStore } from '../signer/object-store.ts';
import { readStoreCredentials } from './store-credentials.ts';
import { openArtifactStore, openObjectStore, type StoreOptions } from './store-option.ts';

export type CareStore = { readonly source: PublishedSource; readonly list: ObjectList };

/** More than a claim to the log has. */
const CLAIM_BYTES_MAX = 1_000_000;

/** The store that `options` name. */
export async function openCareStore(options: StoreOptions): Promise<Verdict<CareStore, 'CREDENTIALS_REFUSED'>> {
  const artifacts = await openArtifactStore(options);
  if (!artifacts.ok) return artifacts;
  const objects = await openObjectStore(options);
  if (!objects.ok) return objects;
  const list = await openList(options);
  return list.ok ? accept({ source: sourceOf(artifacts.value, objects.value), list: list.value }) : list;
}

async function openList({
  store,
  storeCredentials,
}: StoreOptions): Promise<Verdict<ObjectList, 'CREDENTIALS_REFUSED'>> {
  if ('folder' in store) return accept(objectListFolder(store.folder));
  const credentials = await readStoreCredentials(storeCredentials ?? '');
  if (!credentials.ok) return credentials;
  const { bucketListMinio } = await import('./bucket-care-minio.ts');
  return accept(bucketListMinio(store.bucket, credentials.value));
}

/** The right to remove from the store that `options` name, where it is given. */
export async function openRemover({
  store,
  storeCredentials,
}: StoreOptions): Promise<Verdict<ObjectRemover, 'CREDENTIALS_REFUSED'>> {
  if ('folder' in store) return accept(objectRemoverFolder(store.folder));
  const credentials = await readStoreCredentials(storeCredentials ?? '');
  if (!credentials.ok) return credentials;
  const { bucketRemoverMinio } = await import('./bucket-care-minio.ts');
  return accept(bucketRemoverMinio(store.bucket, credentials.value));
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
