/**
 * Root of trust: from a pinned root to the newest one, one version at a time.
 *
 * - A new root is signed by the threshold of the old one *and* by its own, over keys counted once.
 * - Its version is exactly the next one; expiry plays no part between the steps, only at the end, and only where there is time.
 * - What root N demands, root N+1 has satisfied under N's keys (rule R3): that is the first of the two thresholds.
 * - Source: TUF specification 1.0.34, sections 5.3.3 to 5.3.10.
 */
import { keepsDemands, parseRootPart, type DemandCode, type RootPart } from '../../formats/root-part.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import type { Instant } from '../../formats/instant.ts';
import type { Metadata, MetadataParseCode } from '../../formats/tuf-metadata.ts';
import { parseRoot, type Root } from '../../formats/tuf-root.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';
import { verifyThreshold } from '../../formats/verify-signatures.ts';

/** A root that the walk of TUF has accepted. */
export type TufRoot = Verified<{
  /** The file as signed. */
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly metadata: Metadata<Root>;
}>;
/** A root as our devices trust it: with what it demands beyond TUF. */
export type TrustedRoot = TufRoot & { readonly part: RootPart };
export type TufRootCode = MetadataParseCode | 'METADATA_THRESHOLD_UNMET' | 'ROOT_VERSION_NOT_NEXT';
export type RootCode = TufRootCode | 'ROOT_ROLLBACK' | DemandCode | 'LOG_POLICY_WEAKENED';

/**
 * Takes a root file as trusted because its digest is pinned by the factory or by the floors.
 * @param sha256 the pinned digest, in hex.
 */
export function verifyPinnedRoot(bytes: Uint8Array, sha256: string): Verdict<TrustedRoot, RootCode> {
  if (sha256Hex(bytes) !== sha256) return reject('ROOT_ROLLBACK', 'this root is not the one that is pinned');
  const metadata = parseRoot(bytes);
  if (!metadata.ok) return metadata;
  const part = parseRootPart(metadata.value.signed.firmament);
  return part.ok ? accept(markVerified({ bytes, sha256, metadata: metadata.value, part: part.value })) : part;
}

/**
 * Takes a root file as trusted because whoever keeps it got it so: it starts the walk (5.2). Its expiry plays no part yet.
 * It must meet its own threshold, for a root that nobody signed was never one.
 */
export function verifyInitialRoot(bytes: Uint8Array, check: SignatureCheck): Verdict<TufRoot, TufRootCode> {
  const metadata = parseRoot(bytes);
  if (!metadata.ok) return metadata;
  const { keys, roles } = metadata.value.signed;
  const signed = verifyThreshold(metadata.value, { name: 'root', keys, ...roles.root }, check);
  return signed.ok ? accept(markVerified({ bytes, sha256: sha256Hex(bytes), metadata: metadata.value })) : signed;
}

/** Decides whether `bytes` is the next root after `trusted`, as TUF has it. */
export function verifyNextTufRoot(
  trusted: TufRoot,
  bytes: Uint8Array,
  check: SignatureCheck,
): Verdict<TufRoot, TufRootCode> {
  const next = parseRoot(bytes);
  if (!next.ok) return next;
  const old = trusted.metadata.signed;
  const { signed } = next.value;
  // 5.3.4: both thresholds, before anything that the file says is believed.
  const byOld = verifyThreshold(next.value, { name: 'root (old keys)', keys: old.keys, ...old.roles.root }, check);
  if (!byOld.ok) return byOld;
  const byNew = verifyThreshold(
    next.value,
    { name: 'root (new keys)', keys: signed.keys, ...signed.roles.root },
    check,
  );
  if (!byNew.ok) return byNew;
  // 5.3.5: exactly the next version.
  if (signed.version !== old.version + 1) {
    return reject('ROOT_VERSION_NOT_NEXT', `root version ${signed.version} after ${old.version}`);
  }
  return accept(markVerified({ bytes, sha256: sha256Hex(bytes), metadata: next.value }));
}

/** Decides whether `bytes` is the next root after `trusted`, and demands what that one demands (R3). */
export function verifyNextRoot(
  trusted: TrustedRoot,
  bytes: Uint8Array,
  check: SignatureCheck,
): Verdict<TrustedRoot, RootCode> {
  const next = verifyNextTufRoot(trusted, bytes, check);
  if (!next.ok) return next;
  const part = parseRootPart(next.value.metadata.signed.firmament);
  if (!part.ok) return part;
  const kept = keepsDemands(trusted.part, part.value);
  return kept.ok ? accept(markVerified({ ...next.value, part: part.value })) : kept;
}

/**
 * Walks a chain of root files from the pinned one to the newest.
 * @param files consecutive root files, oldest first; those below the pinned version are passed over unread.
 * @param pinned version and digest of the root that the floors hold.
 * @returns the newest root, and the files from the pinned one on; `ROOT_ROLLBACK` if the pinned root is not among them.
 */
export function verifyRootChain(
  files: readonly Uint8Array[],
  pinned: { readonly version: number; readonly sha256: string },
  check: SignatureCheck,
): Verdict<{ readonly newest: TrustedRoot; readonly chain: readonly TrustedRoot[] }, RootCode> {
  const start = files.findIndex((file) => sha256Hex(file) === pinned.sha256);
  const first = files[start];
  if (first === undefined) {
    return reject('ROOT_ROLLBACK', `root version ${pinned.version}, which the floors pin, is not in the chain`);
  }
  const root = verifyPinnedRoot(first, pinned.sha256);
  if (!root.ok) return root;
  const chain = [root.value];
  let newest = root.value;
  for (const file of files.slice(start + 1)) {
    const next = verifyNextRoot(newest, file, check);
    if (!next.ok) return next;
    newest = next.value;
    chain.push(newest);
  }
  return accept({ newest, chain });
}

/** The freeze check on the newest root (5.3.10). */
export function verifyRootFresh(root: TufRoot, now: Instant): Verdict<void, 'METADATA_EXPIRED'> {
  return root.metadata.signed.expires > now
    ? accept(undefined)
    : reject('METADATA_EXPIRED', `root version ${root.metadata.signed.version} has expired`);
}
