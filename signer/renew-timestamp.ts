/**
 * The daily renewal of a timestamp, when nothing else is due: what was verified when its snapshot was published still stands.
 *
 * - Signed only over the snapshot of the signer's own memory (R6), under the root that the memory names by digest; the new timestamp
 *   is judged by the device's own code against the one that devices see.
 * - Whatever is not as remembered ends it before anything is signed: another root, a timestamp that the memory does not account for,
 *   a log that shows another tree, parts that end before the new timestamp's half. Then the whole repository is read and verified.
 * - A snapshot lives twice as long as it is renewed, so every part is read and verified again at least that often.
 */
import { parseCheckpoint } from '../formats/checkpoint.ts';
import { NOTE_BYTES_MAX } from '../formats/signed-note.ts';
import { ROOT_BYTES_MAX } from '../formats/tuf-root.ts';
import { parseTimestamp, TIMESTAMP_BYTES_MAX } from '../formats/tuf-snapshot.ts';
import { verifyPinnedRoot, type TrustedRoot } from '../bootloader-verifier/boot/verify-root.ts';
import { signMetadata } from './add-signature.ts';
import { checkSignatureOnce } from './checked-once.ts';
import { timestampContent } from './draft-online.ts';
import { SNAPSHOT_LIFETIME_MS, TIMESTAMP_LIFETIME_MS } from './lifetimes.ts';
import { isMemoryOf } from './log-memory.ts';
import type { StoredObject } from './object-store.ts';
import type { PublishOptions } from './publish-changes.ts';
import { publishRenewal } from './publish.ts';
import { logObject, roleObject, timestampObject } from './repository-layout.ts';
import { nextOnlineVersion, type SignerState, type Standing } from './signer-state.ts';
import { outlives, signingTime } from './signing-time.ts';
import { verifyRenewal } from './verify-renewal.ts';

type Stood = { readonly state: SignerState; readonly standing: Standing; readonly shown: StoredObject };

/** Renews the timestamp. @returns false, with nothing signed or written, where all of the repository has to be looked at. */
export async function renewTimestamp(asked: PublishOptions): Promise<boolean> {
  const time = signingTime(await asked.memory.read(), asked);
  if (!time.ok) return false;
  const options = { ...asked, now: time.value };
  const stood = await readStanding(options);
  const root = stood && (await readRoot(options, stood.standing));
  if (stood === undefined || root === undefined || !(await isLogRemembered(options))) return false;
  const { store, memory, now, check = checkSignatureOnce } = options;
  const { product, rootOneSha256 } = stood.state;
  const made = await signNext(options, stood, root);
  const renewal = verifyRenewal({ ...stood, made }, { root, now, check, repository: { product, rootOneSha256 } });
  return renewal.ok && (await publishRenewal(renewal.value, { store, memory })).ok;
}

/** What the memory says, and the timestamp that devices see; undefined where something else is due, or was interrupted. */
async function readStanding({ store, memory, product, ...options }: PublishOptions): Promise<Stood | undefined> {
  const shown = await store.get(timestampObject(product), TIMESTAMP_BYTES_MAX);
  const state = await memory.read();
  if (shown === undefined || state?.standing === undefined || state.product !== product) return undefined;
  if (state.held !== undefined) return undefined;
  const { standing } = state;
  const { now, snapshotLifetimeMs = SNAPSHOT_LIFETIME_MS } = options;
  if (standing.targetsExpires <= now || standing.snapshotExpires - now <= snapshotLifetimeMs / 2) return undefined;
  if (outlives(standing.snapshotExpires, snapshotLifetimeMs, { ...options, now })) return undefined;
  const parsed = parseTimestamp(shown.bytes);
  const isShown = parsed.ok && parsed.value.signed.snapshot.version === state.snapshotVersion;
  return isShown ? { state, standing, shown } : undefined;
}

/** The newest root, if it still is the one that was verified. */
async function readRoot(
  { store, product }: PublishOptions,
  { rootVersion, rootSha256 }: Standing,
): Promise<TrustedRoot | undefined> {
  const next = await store.get(roleObject(product, 'root', rootVersion + 1), ROOT_BYTES_MAX);
  const standing = await store.get(roleObject(product, 'root', rootVersion), ROOT_BYTES_MAX);
  if (next !== undefined || standing === undefined) return undefined;
  const root = verifyPinnedRoot(standing.bytes, rootSha256);
  return root.ok ? root.value : undefined;
}

/** Whether the log shows the very tree that the signer remembers. */
async function isLogRemembered({ store, memory, product }: PublishOptions): Promise<boolean> {
  const remembered = await memory.readLog();
  if (remembered === undefined) return true;
  const shown = await store.get(logObject(product, 'checkpoint'), NOTE_BYTES_MAX);
  const checkpoint = shown && parseCheckpoint(shown.bytes);
  return checkpoint?.ok === true && isMemoryOf(remembered, checkpoint.value);
}

async function signNext(
  { onlineSigners, now, timestampLifetimeMs = TIMESTAMP_LIFETIME_MS }: PublishOptions,
  { state, standing }: Stood,
  root: TrustedRoot,
): Promise<Uint8Array> {
  const { keyids } = root.metadata.signed.roles.timestamp;
  const { product, rootOneSha256, snapshotVersion: version, snapshotSha256: sha256 } = state;
  const part = {
    repository: { product, rootOneSha256 },
    version: nextOnlineVersion(state.timestampVersion, state),
    expires: now + timestampLifetimeMs,
  };
  const content = timestampContent(part, { version, length: standing.snapshotLength, sha256 });
  return signMetadata(
    content,
    onlineSigners.filter(({ keyid }) => keyids.includes(keyid)),
  );
}
