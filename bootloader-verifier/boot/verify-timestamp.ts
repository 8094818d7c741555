/**
 * Timestamp and snapshot: what is newest, and which versions belong together.
 *
 * - Both are signed by online keys: they order and narrow, they approve nothing.
 * - Neither may go back: not in its own version, not in the versions that it names (5.4.3, 5.5.5).
 * - A timestamp of the version that was seen last is not looked at: the one that was seen goes on (5.4.3.1).
 * - What was seen before counts only if the *current* root still vouches for both of it, so that a rotation of either key
 *   recovers from a fast-forward (5.3.11); `verifySeen` holds that. What was seen is no permission to go on with it.
 * - A client that keeps its files asks less of them: a threshold that was raised is no rotation (`recall`).
 * - Length and digest that the parent gives are checked before parsing.
 * - Source: TUF specification 1.0.34, sections 5.4 and 5.5.
 */
import type { Instant } from '../../formats/instant.ts';
import type { SeenMetadata } from '../../formats/seen-metadata.ts';
import { matchesHashes } from '../../formats/file-hashes.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import type { Metadata, MetadataParseCode } from '../../formats/tuf-metadata.ts';
import type { TopRole } from '../../formats/tuf-root.ts';
import {
  parseSnapshot,
  parseTimestamp,
  type MetaFile,
  type Snapshot,
  type Timestamp,
} from '../../formats/tuf-snapshot.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';
import { verifyThreshold } from '../../formats/verify-signatures.ts';
import type { TufRoot } from './verify-root.ts';

export type TrustedTimestamp = Verified<Metadata<Timestamp>>;
export type TrustedSnapshot = Verified<Metadata<Snapshot>>;
export type FileCode = MetadataParseCode | NamedFileCode | 'METADATA_VERSION_MISMATCH';
type NamedFileCode = 'METADATA_HASH_MISMATCH' | 'METADATA_TOO_LARGE';
export type TimestampCode = FileCode | 'METADATA_THRESHOLD_UNMET' | 'METADATA_EXPIRED' | 'TIMESTAMP_ROLLBACK';
export type SnapshotCode = FileCode | 'METADATA_THRESHOLD_UNMET' | 'METADATA_EXPIRED' | 'SNAPSHOT_ROLLBACK';

/** What every step of a refresh works with: the newest root, the fixed start time of the run, and how signatures are checked. */
export type Trust = { readonly root: TufRoot; readonly now: Instant; readonly check: SignatureCheck };

/** What was seen last: enough to compare with, not to go on with. */
export type Seen = { readonly timestamp: Metadata<Timestamp>; readonly snapshot: Metadata<Snapshot> };

/**
 * What this device saw last, if the newest root still vouches for both.
 * @param seen the files as they were accepted, perhaps under an older root.
 */
export function verifySeen(
  trust: Trust,
  seen: SeenMetadata,
): Verdict<Seen, MetadataParseCode | 'METADATA_THRESHOLD_UNMET'> {
  const timestamp = verifyRememberedTimestamp(trust, seen.timestamp);
  if (!timestamp.ok) return timestamp;
  const snapshot = verifyRememberedSnapshot(trust, seen.snapshot);
  return snapshot.ok ? accept({ timestamp: timestamp.value, snapshot: snapshot.value }) : snapshot;
}

/** What a client that keeps its files remembers of former runs: what the keys of the newest root still vouch for. */
export type Recalled = {
  readonly timestamp: Metadata<Timestamp> | undefined;
  readonly snapshot: Metadata<Snapshot> | undefined;
  /** The keys of one of them have been rotated: both are to be deleted. */
  readonly rotated: boolean;
};

/**
 * What is left of the kept timestamp and snapshot under the newest root. Where a signature of either no longer counts and those that
 * do are too few, its keys were rotated, and both are forgotten: that is how a repository recovers from a fast-forward attack
 * (5.3.11). To look at the signatures, and not at the change of keys, also holds where a former run ended between the new root and
 * the forgetting. Where all of them count and are too few, the threshold was raised, which is no rotation: what was trusted is still
 * compared with. A file that cannot be read is forgotten alone: a damaged snapshot is no reason to forget the timestamp.
 */
export function recall(
  trust: Trust,
  kept: { readonly timestamp: Uint8Array | undefined; readonly snapshot: Uint8Array | undefined },
): Recalled {
  const timestamp = kept.timestamp && recallRole(trust, 'timestamp', parseTimestamp(kept.timestamp));
  const snapshot = kept.snapshot && recallRole(trust, 'snapshot', parseSnapshot(kept.snapshot));
  const rotated = timestamp === 'rotated' || snapshot === 'rotated';
  return rotated ? { timestamp: undefined, snapshot: undefined, rotated } : { timestamp, snapshot, rotated };
}

/** What is left of one kept file: nothing of one that cannot be read. */
function recallRole<T extends Metadata<unknown>>(
  trust: Trust,
  name: TopRole,
  parsed: Verdict<T, MetadataParseCode>,
): T | undefined | 'rotated' {
  if (!parsed.ok) return undefined;
  const { keys, roles } = trust.root.metadata.signed;
  const { keyids, threshold } = roles[name];
  // Either the threshold is met, or each of the signatures is of a key of its own that still signs.
  const least = Math.max(1, Math.min(threshold, parsed.value.signatures.length));
  const signed = verifyThreshold(parsed.value, { name, keys, keyids, threshold: least }, trust.check);
  return signed.ok ? parsed.value : 'rotated';
}

/**
 * Decides which timestamp to go on with: the one in `bytes`, or the one that was seen if both have the same version.
 * @param seen the last one that this device accepted, if the keys of the root still vouch for it; it goes on only if there are enough.
 */
export function verifyTimestamp(
  trust: Trust,
  bytes: Uint8Array,
  seen: Metadata<Timestamp> | undefined,
): Verdict<TrustedTimestamp, TimestampCode> {
  const offered = verifyRememberedTimestamp(trust, bytes);
  if (!offered.ok) return offered;
  const { signed } = offered.value;
  if (seen !== undefined && signed.version < seen.signed.version) {
    return reject('TIMESTAMP_ROLLBACK', `timestamp version ${signed.version} after ${seen.signed.version}`);
  }
  if (seen !== undefined && signed.snapshot.version < seen.signed.snapshot.version) {
    return reject(
      'TIMESTAMP_ROLLBACK',
      `names snapshot ${signed.snapshot.version} after ${seen.signed.snapshot.version}`,
    );
  }
  const isSame = seen?.signed.version === signed.version && verifyTopRole(trust, 'timestamp', seen).ok;
  return fresh(markVerified(isSame ? seen : offered.value), 'timestamp', trust.now);
}

/** A timestamp by its signatures alone: enough to compare with, not to go on with; so it is not marked. */
export function verifyRememberedTimestamp(
  trust: Trust,
  bytes: Uint8Array,
): Verdict<Metadata<Timestamp>, MetadataParseCode | 'METADATA_THRESHOLD_UNMET'> {
  const parsed = parseTimestamp(bytes);
  if (!parsed.ok) return parsed;
  const signed = verifyTopRole(trust, 'timestamp', parsed.value);
  return signed.ok ? parsed : signed;
}

/** Decides whether `bytes` is the snapshot that `timestamp` names; `seen` as above. */
export function verifySnapshot(
  trust: Trust & { readonly timestamp: TrustedTimestamp },
  bytes: Uint8Array,
  seen: Metadata<Snapshot> | undefined,
): Verdict<TrustedSnapshot, SnapshotCode> {
  const named = trust.timestamp.signed.snapshot;
  const whole = verifyFile(bytes, named, 'snapshot');
  if (!whole.ok) return whole;
  const parsed = verifyRememberedSnapshot(trust, bytes);
  if (!parsed.ok) return parsed;
  const { signed } = parsed.value;
  if (signed.version !== named.version) {
    return reject('METADATA_VERSION_MISMATCH', `snapshot version ${signed.version}, its parent names ${named.version}`);
  }
  for (const [file, before] of seen?.signed.meta ?? []) {
    const after = signed.meta.get(file);
    if (after === undefined) return reject('SNAPSHOT_ROLLBACK', `${file} is no longer listed`);
    if (after.version < before.version) {
      return reject('SNAPSHOT_ROLLBACK', `${file} version ${after.version} after ${before.version}`);
    }
  }
  return fresh(markVerified(parsed.value), 'snapshot', trust.now);
}

/** A snapshot by its signatures alone, as above. */
export function verifyRememberedSnapshot(
  trust: Trust,
  bytes: Uint8Array,
): Verdict<Metadata<Snapshot>, MetadataParseCode | 'METADATA_THRESHOLD_UNMET'> {
  const parsed = parseSnapshot(bytes);
  if (!parsed.ok) return parsed;
  const signed = verifyTopRole(trust, 'snapshot', parsed.value);
  return signed.ok ? parsed : signed;
}

/** Whether `bytes` is no longer than its parent says, and has the digests that it gives, where it gives them (5.5.2, 5.6.2). */
export function verifyFile(
  bytes: Uint8Array,
  named: Omit<MetaFile, 'version'>,
  what: string,
): Verdict<void, NamedFileCode> {
  if (named.length !== undefined && bytes.length > named.length) {
    return reject('METADATA_TOO_LARGE', `${what}: ${bytes.length} bytes, its parent names ${named.length}`);
  }
  if (!matchesHashes(bytes, named)) {
    return reject('METADATA_HASH_MISMATCH', `${what} is not the file that its parent names`);
  }
  return accept(undefined);
}

/** Whether the threshold of a top-level role is met under the newest root. */
function verifyTopRole(
  trust: Trust,
  name: TopRole,
  metadata: Metadata<unknown>,
): Verdict<number, 'METADATA_THRESHOLD_UNMET'> {
  const { keys, roles } = trust.root.metadata.signed;
  return verifyThreshold(metadata, { name, keys, ...roles[name] }, trust.check);
}

/** The freeze check (5.4.4, 5.5.6, 5.6.6): accepts `metadata` unless it has expired. */
export function fresh<T extends Metadata<unknown>>(
  metadata: T,
  what: string,
  now: Instant,
): Verdict<T, 'METADATA_EXPIRED'> {
  return metadata.signed.expires > now
    ? accept(metadata)
    : reject('METADATA_EXPIRED', `${what} version ${metadata.signed.version} has expired`);
}
