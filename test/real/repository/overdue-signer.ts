/** A signer over MinIO whose timestamp has lived more than half its time: it has something to do as soon as its daemon begins. */
import { rm } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { openCareStore } from '../../../cli/care-store.ts';
import { storeValue } from '../../../cli/store-address.ts';
import { parseTimestamp, TIMESTAMP_BYTES_MAX } from '../../../formats/tuf-snapshot.ts';
import type { Finding } from '../../../signer/care/finding.ts';
import { TIMESTAMP_LIFETIME_MS } from '../../../signer/lifetimes.ts';
import type { ObjectStore } from '../../../signer/object-store.ts';
import { accepted } from '../../accepted.ts';
import type { Ends } from '../../temporary-folder.ts';
import { makeKilledSigner, type KilledSigner, type RunningSigner } from '../killed-signer.ts';
import type { MinioServer } from './minio-server.ts';

/** How often its daemon looks for what is due. */
export const LOOK_MS = 500;
const RENEWAL_MS_MAX = 120_000;
const TIMESTAMP = 'gateway/metadata/timestamp.json';

/** One that has published into `store`, and whose daemon does not run yet. */
export async function makeOverdueSigner(store: ObjectStore, ends: Ends): Promise<KilledSigner> {
  const then = Date.now() - 0.6 * TIMESTAMP_LIFETIME_MS;
  const signer = await makeKilledSigner({ now: then });
  ends(() => rm(signer.folder, { recursive: true }));
  await signer.publishAt(store, then);
  return signer;
}

/** Starts its daemon over the MinIO that it has published into. */
export async function startDaemon(signer: KilledSigner, minio: MinioServer, ends: Ends): Promise<RunningSigner> {
  const opened = ['--store', minio.store, '--store-credentials', minio.files.publisher];
  const daemon = await signer.start(opened, ['--look-ms', String(LOOK_MS)]);
  ends(() => daemon.kill());
  return daemon;
}

/** Waits until the timestamp in `store` is another than the first. @throws Error if that takes too long. */
export async function renewalIn(store: ObjectStore): Promise<void> {
  const deadline = Date.now() + RENEWAL_MS_MAX;
  for (;;) {
    const shown = await store.get(TIMESTAMP, TIMESTAMP_BYTES_MAX);
    if (accepted(parseTimestamp(shown?.bytes ?? new Uint8Array())).signed.version > 1) return;
    if (Date.now() > deadline) throw new Error('the due renewal is not made up for');
    await wait(LOOK_MS);
  }
}

/** What the check of the store finds. */
export async function findingsIn(minio: MinioServer, signer: KilledSigner): Promise<readonly Finding[]> {
  const care = { store: storeValue(minio.store), storeCredentials: minio.files.publisher };
  return (await signer.check(accepted(await openCareStore(care)))).findings.all();
}
