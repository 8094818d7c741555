/**
 * The log in the hands of an attacker who has stolen its key: a forged channel file is appended, so that its entry is proven.
 *
 * - It goes through the signer's own code, on the attacker's copy, with a memory that forgets: nothing but the log's key is needed.
 */
import type { RepositoryId } from '../formats/binding.ts';
import { parseChannelPart } from '../formats/channel-part.ts';
import { parseCheckpoint } from '../formats/checkpoint.ts';
import { encodeLogLeaf, releaseLeaf } from '../formats/log-leaf.ts';
import { NOTE_BYTES_MAX } from '../formats/signed-note.ts';
import { ROOT_BYTES_MAX } from '../formats/tuf-root.ts';
import { parseTargets } from '../formats/tuf-targets.ts';
import { accept } from '../formats/verdict.ts';
import { logPolicies } from '../signer/assemble-log.ts';
import { draftLogAppend } from '../signer/draft-log-append.ts';
import { objectStoreFolder } from '../signer/object-store-folder.ts';
import { appendToLog } from '../signer/publish.ts';
import { readLog } from '../signer/read-log.ts';
import { logObject, roleObject } from '../signer/repository-layout.ts';
import type { Signer } from '../signer/signer.ts';
import { verifyLogAppend } from '../signer/verify-log-append.ts';
import { must } from './forgery.ts';

/** Appends the entry of `file`, served as `channel`, to the log in the folder `store`. */
export async function appendForged(
  store: string,
  stolen: { readonly repository: RepositoryId; readonly log: Signer },
  { channel, file }: { readonly channel: string; readonly file: Uint8Array },
): Promise<void> {
  const objects = objectStoreFolder(store);
  const { repository, log: signer } = stolen;
  const { product } = repository;
  const root = await objects.get(roleObject(product, 'root', 1), ROOT_BYTES_MAX);
  const policies = logPolicies(root === undefined ? [] : [root.bytes]);
  const checkpoint = await objects.get(logObject(product, 'checkpoint'), NOTE_BYTES_MAX);
  const head = must(parseCheckpoint(checkpoint?.bytes ?? new Uint8Array()));
  const log = must(await readLog({ store: objects, product, policies }, head));
  const { version, firmament } = must(parseTargets(file)).signed;
  const { release } = must(parseChannelPart(firmament));
  const entry = encodeLogLeaf(releaseLeaf(repository, { channel, version, bytes: file, release }));
  const append = must(verifyLogAppend(await draftLogAppend(log, [entry], [signer]), { repository, policies }));
  must(await appendToLog(append, { store: objects, memory: { writeLog: () => Promise.resolve(accept(undefined)) } }));
}
