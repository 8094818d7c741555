/**
 * From what is published and what people hand in to a complete candidate, with snapshot and timestamp signed over it.
 *
 * - Nothing is verified here beyond what assembling needs: `verify-publication.ts` judges the whole.
 * - The snapshot starts from the newest of the signer's own state; a new one is made when anything changes, when it has lived half
 *   its time, or when the newest root no longer vouches for it.
 * - Snapshot numbers that an interrupted run left behind are passed over.
 * - An online key signs the roles that list it, in the root that is published or in the new one: so online keys can rotate.
 */
import type { RepositoryId } from '../formats/binding.ts';
import { equalBytes } from '../formats/bytes.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';
import { parseRoot } from '../formats/tuf-root.ts';
import { SNAPSHOT_BYTES_MAX, type MetaFile } from '../formats/tuf-snapshot.ts';
import { accept, reject, type Rejected, type Verdict } from '../formats/verdict.ts';
import { verifyRootChain } from '../bootloader-verifier/boot/verify-root.ts';
import { verifyRememberedSnapshot } from '../bootloader-verifier/boot/verify-timestamp.ts';
import { parsedRole } from './parsed-role.ts';
import { outlives, type SigningClock } from './signing-time.ts';
import { signMetadata } from './add-signature.ts';
import { metaFileOf, snapshotContent, timestampContent } from './draft-online.ts';
import { SNAPSHOT_LIFETIME_MS, TIMESTAMP_LIFETIME_MS } from './lifetimes.ts';
import type { ObjectStore } from './object-store.ts';
import type { Candidate, Changes, Published } from './publication.ts';
import { repositoryIdOf } from './repository-id.ts';
import { roleObject } from './repository-layout.ts';
import { checkSignature } from './signature-check-node.ts';
import type { Signer } from './signer.ts';
import { assembleLog } from './assemble-log.ts';
import type { PublishedLog } from './read-log.ts';
import { nextOnlineVersion, type SignerState } from './signer-state.ts';
import type { WithdrawnDraft } from './withdrawn-draft.ts';
import { collectTargets } from './collect-targets.ts';

export type CandidateInput = SigningClock & {
  readonly store: ObjectStore;
  readonly product: string;
  readonly published: Published;
  /** Below which no online role is signed. */
  readonly floor: Pick<SignerState, 'versionFloor'> | undefined;
  readonly changes: Changes;
  /** The log as it stands, where roots demand one. */
  readonly log: PublishedLog | undefined;
  readonly withdrawn: readonly WithdrawnDraft[];
  readonly onlineSigners: readonly Signer[];
  readonly check?: SignatureCheck | undefined;
  readonly snapshotLifetimeMs?: number | undefined;
};
export type CandidateCode = 'PUBLICATION_REFUSED' | 'REPOSITORY_CONFLICT';

/** How many interrupted runs may have left a snapshot that no timestamp names. */
const ORPHANS_MAX = 64;

/** The candidate, or a refusal of a file that cannot be placed in it. */
export async function assembleCandidate(input: CandidateInput): Promise<Verdict<Candidate, CandidateCode>> {
  const roots = mergeRoots(input.published.roots, input.changes.roots ?? []);
  if (!roots.ok) return roots;
  const repository = foundedBy(input, roots.value);
  if (!repository.ok) return repository;
  const roles = mergeRoles(input.published, input.changes);
  if (!roles.ok) return roles;
  const targets = await collectTargets(input, roles.value.files);
  if (!targets.ok) return targets;
  const parts = { repository: repository.value, roots: roots.value, meta: roles.value.meta };
  const snapshot = await signSnapshot(input, parts);
  if (!snapshot.ok) return snapshot;
  const timestamp = await signTimestamp(input, parts, snapshot.value);
  const logged = await assembleLogged(input, { ...parts, files: roles.value.files });
  if (!logged.ok) return logged;
  return accept({
    repository: repository.value,
    before: input.published,
    roots: roots.value,
    timestamp,
    snapshot: snapshot.value.bytes,
    roles: roles.value.files,
    withdrawn: input.withdrawn,
    versionFloor: input.floor?.versionFloor,
    ...targets.value,
    ...logged.value,
  });
}

/** The proofs that devices will ask for, of all that is judged anew. */
async function assembleLogged(
  input: CandidateInput,
  parts: Parts & { readonly files: ReadonlyMap<string, Uint8Array> },
): Promise<Verdict<Pick<Candidate, 'proofs' | 'log'>, CandidateCode>> {
  const { store, log, onlineSigners: signers, published, check } = input;
  const { repository, roots, files } = parts;
  if (log === undefined) return accept({ proofs: new Map(), log: undefined });
  const isNew = (role: string): boolean => {
    const [standing, bytes] = [published.roles.get(role), files.get(role)];
    return standing === undefined || bytes === undefined || !equalBytes(standing, bytes);
  };
  const all = roots.length > published.roots.length || isNew('targets');
  const channels = new Map([...files].filter(([role]) => role !== 'targets' && (all || isNew(role))));
  const assembled = await assembleLog({ store, repository, log, signers, roots, channels, check });
  return assembled.ok ? accept({ proofs: assembled.value.proofs, log: assembled.value.draft }) : assembled;
}

/** The published roots and those of the new ones that come after them. */
function mergeRoots(
  published: readonly Uint8Array[],
  added: readonly Uint8Array[],
): Verdict<readonly Uint8Array[], CandidateCode> {
  const roots = [...published];
  for (const bytes of added) {
    const parsed = parseRoot(bytes);
    if (!parsed.ok) return refused(parsed);
    const standing = roots[parsed.value.signed.version - 1];
    if (standing === undefined) roots.push(bytes);
    else if (!equalBytes(standing, bytes)) {
      return reject('REPOSITORY_CONFLICT', `root version ${parsed.value.signed.version} is published with other bytes`);
    }
  }
  return accept(roots);
}

/** The repository that root 1 founds; the state's, once there is one. */
function foundedBy(input: CandidateInput, roots: readonly Uint8Array[]): Verdict<RepositoryId, CandidateCode> {
  const { product, published } = input;
  if (published.state !== undefined) return accept({ product, rootOneSha256: published.state.rootOneSha256 });
  const [rootOne] = roots;
  if (rootOne === undefined) return reject('PUBLICATION_REFUSED', 'NOT_FOUND: a first publication brings root 1');
  const founded = repositoryIdOf(rootOne);
  if (!founded.ok) return refused(founded);
  return founded.value.product === product
    ? founded
    : reject('PUBLICATION_REFUSED', `REPOSITORY_MISMATCH: root 1 is of ${founded.value.product}, not of ${product}`);
}

type Roles = { readonly files: ReadonlyMap<string, Uint8Array>; readonly meta: ReadonlyMap<string, MetaFile> };

function mergeRoles(published: Published, changes: Changes): Verdict<Roles, CandidateCode> {
  const files = new Map(published.roles);
  const meta = new Map(published.snapshot?.metadata.signed.meta);
  const given = [...(changes.channels ?? [])];
  if (changes.targets !== undefined) given.unshift(['targets', changes.targets]);
  for (const [role, bytes] of given) {
    const parsed = parsedRole(bytes);
    if (!parsed.ok) return refused(parsed);
    files.set(role, bytes);
    meta.set(`${role}.json`, metaFileOf(parsed.value.signed.version, bytes));
  }
  return accept({ files, meta });
}

type Parts = {
  readonly repository: RepositoryId;
  readonly roots: readonly Uint8Array[];
  readonly meta: ReadonlyMap<string, MetaFile>;
};
type MadeSnapshot = { readonly version: number; readonly bytes: Uint8Array };

async function signSnapshot(input: CandidateInput, parts: Parts): Promise<Verdict<MadeSnapshot, CandidateCode>> {
  const { published, now } = input;
  const { state, snapshot } = published;
  if (state !== undefined && snapshot !== undefined && !isSnapshotDue(input, parts)) {
    return accept({ version: state.snapshotVersion, bytes: snapshot.bytes });
  }
  const version = await freeSnapshotVersion(input);
  if (version === undefined) {
    return reject('REPOSITORY_CONFLICT', `more than ${ORPHANS_MAX} snapshots stand there that this signer never named`);
  }
  const expires = now + (input.snapshotLifetimeMs ?? SNAPSHOT_LIFETIME_MS);
  const content = snapshotContent({ repository: parts.repository, version, expires }, parts.meta);
  return accept({ version, bytes: await signMetadata(content, signersOf(input, parts, 'snapshot')) });
}

function isSnapshotDue(input: CandidateInput, parts: Parts): boolean {
  const { published, now, snapshotLifetimeMs = SNAPSHOT_LIFETIME_MS, check = checkSignature } = input;
  const { snapshot, state } = published;
  if (snapshot === undefined || state === undefined) return true;
  const { meta, expires } = snapshot.metadata.signed;
  const changed = [...parts.meta].some(([file, { version, sha256 }]) => {
    const before = meta.get(file);
    return before?.version !== version || before.sha256 !== sha256;
  });
  if (changed || expires - now <= snapshotLifetimeMs / 2 || outlives(expires, snapshotLifetimeMs, input)) return true;
  const chain = verifyRootChain(parts.roots, { version: 1, sha256: state.rootOneSha256 }, check);
  return !chain.ok || !verifyRememberedSnapshot({ root: chain.value.newest, now, check }, snapshot.bytes).ok;
}

/** The next version under which nothing stands: an interrupted run may have left a snapshot that no timestamp names. */
async function freeSnapshotVersion({ store, product, published, floor }: CandidateInput): Promise<number | undefined> {
  const first = nextOnlineVersion(published.state?.snapshotVersion ?? 0, floor);
  for (let version = first; version <= first + ORPHANS_MAX; version++) {
    if ((await store.get(roleObject(product, 'snapshot', version), SNAPSHOT_BYTES_MAX)) === undefined) return version;
  }
  return undefined;
}

function signTimestamp(input: CandidateInput, parts: Parts, snapshot: MadeSnapshot): Promise<Uint8Array> {
  const version = nextOnlineVersion(input.published.state?.timestampVersion ?? 0, input.floor);
  const expires = input.now + (input.timestampLifetimeMs ?? TIMESTAMP_LIFETIME_MS);
  const content = timestampContent(
    { repository: parts.repository, version, expires },
    metaFileOf(snapshot.version, snapshot.bytes),
  );
  return signMetadata(content, signersOf(input, parts, 'timestamp'));
}

/** The online signers that the published root or a newer one lists for `role`. */
function signersOf(input: CandidateInput, { roots }: Parts, role: 'snapshot' | 'timestamp'): readonly Signer[] {
  const keyids = new Set(
    roots.slice(Math.max(0, input.published.roots.length - 1)).flatMap((bytes) => {
      const root = parseRoot(bytes);
      return root.ok ? root.value.signed.roles[role].keyids : [];
    }),
  );
  return input.onlineSigners.filter(({ keyid }) => keyids.has(keyid));
}

function refused(inner: Rejected): Rejected<'PUBLICATION_REFUSED'> {
  return reject('PUBLICATION_REFUSED', `${inner.code}: ${inner.detail}`);
}
