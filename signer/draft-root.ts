/**
 * Drafts of root metadata, without signatures: the first root of a repository, and each next one.
 *
 * - Consistent snapshots always; every key id is the digest of its key.
 * - The first root cannot name its own digest; each later one names the digest of the first file, as signed (rule R1).
 *   So the repository is named only once root 1 has all its signatures: one more signature makes another repository.
 * - The next root starts from the former one; what is not replaced stays as it was, and keys that no role lists are left out.
 * - Source: TUF specification 1.0.34, section 4.3.
 */
import { bindingToJson } from '../formats/binding.ts';
import type { Instant } from '../formats/instant.ts';
import type { JsonObject } from '../formats/json.ts';
import { parseRootPart, rootPartToJson, type DemandCode } from '../formats/root-part.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { PublicKey } from '../formats/signature-check.ts';
import { encodeMetadata } from '../formats/tuf-metadata.ts';
import { parseRoot, rootToJson, type Root, type TopRole } from '../formats/tuf-root.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import type { RoleKeys } from '../formats/verify-signatures.ts';
import { changeLogPolicy, type LogChange } from './draft-log-policy.ts';
import { ROOT_LIFETIME_MS } from './lifetimes.ts';
import { keysById, quorumToRole, type Quorum } from './quorum.ts';
import { repositoryIdOf, type RepositoryIdCode } from './repository-id.ts';

export type Quorums = Readonly<Record<TopRole, Quorum>>;
export type DraftTime = {
  readonly now: Instant;
  /** How long the part is valid, from `now`; the role's default where it is left out. */
  readonly lifetimeMs?: number | undefined;
};
export type RootDraftCode = RepositoryIdCode | DemandCode | 'DRAFT_REFUSED';

/** Root version 1 of a new repository of `product`, unsigned. */
export function draftFirstRoot(
  draft: DraftTime & {
    readonly product: string;
    readonly quorums: Quorums;
    readonly log?: LogChange | undefined;
  },
): Verdict<Uint8Array, RootDraftCode> {
  const log = draft.log === undefined ? accept(undefined) : changeLogPolicy(undefined, draft.log);
  if (!log.ok) return log;
  const part = rootPartToJson({ log: log.value, pairs: [] });
  const firmament = bindingToJson({ product: draft.product, role: 'root', rootOneSha256: undefined }, part);
  const first = finish({ version: 1, firmament, quorums: draft.quorums, time: draft });
  if (!first.ok) return first;
  const founded = repositoryIdOf(first.value);
  return founded.ok ? first : founded;
}

/**
 * The root after `former`, unsigned.
 * @param draft.former the file of the newest root, as signed.
 * @param draft.log what changes about the log.
 * @param draft.quorums the roles that get other keys or another threshold.
 */
export function draftNextRoot(
  draft: DraftTime & {
    readonly former: Uint8Array;
    readonly quorums: Partial<Quorums>;
    readonly log?: LogChange | undefined;
  },
): Verdict<Uint8Array, RootDraftCode> {
  const former = parseRoot(draft.former);
  if (!former.ok) return former;
  const { signed } = former.value;
  if (signed.firmament === undefined) return reject('DRAFT_REFUSED', 'the former root names no repository');
  const part = parseRootPart(signed.firmament);
  if (!part.ok) return part;
  const log = draft.log === undefined ? accept(part.value.log) : changeLogPolicy(part.value.log, draft.log);
  if (!log.ok) return log;
  const demands = rootPartToJson({ ...part.value, log: log.value });
  const digest = signed.version === 1 ? sha256Hex(draft.former) : signed.firmament.get('root');
  const named: JsonObject = new Map([...signed.firmament, ['root', digest ?? null], ...demands]);
  const quorums = {
    root: draft.quorums.root ?? quorumOf(signed, signed.roles.root),
    targets: draft.quorums.targets ?? quorumOf(signed, signed.roles.targets),
    snapshot: draft.quorums.snapshot ?? quorumOf(signed, signed.roles.snapshot),
    timestamp: draft.quorums.timestamp ?? quorumOf(signed, signed.roles.timestamp),
  };
  return finish({ version: signed.version + 1, firmament: named, quorums, time: draft });
}

/** The quorum that `root` gives to a role. */
function quorumOf(root: Root, role: RoleKeys): Quorum {
  const keys = role.keyids.map((keyid) => root.keys.get(keyid)).filter((key): key is PublicKey => key !== undefined);
  return { keys, threshold: role.threshold };
}

function finish(part: {
  readonly version: number;
  readonly firmament: JsonObject;
  readonly quorums: Quorums;
  readonly time: DraftTime;
}): Verdict<Uint8Array, RootDraftCode> {
  const { root, targets, snapshot, timestamp } = part.quorums;
  const roles = {
    root: quorumToRole('root', root),
    targets: quorumToRole('targets', targets),
    snapshot: quorumToRole('snapshot', snapshot),
    timestamp: quorumToRole('timestamp', timestamp),
  };
  if (!roles.root.ok) return roles.root;
  if (!roles.targets.ok) return roles.targets;
  if (!roles.snapshot.ok) return roles.snapshot;
  if (!roles.timestamp.ok) return roles.timestamp;
  const signed = rootToJson({
    type: 'root',
    version: part.version,
    expires: part.time.now + (part.time.lifetimeMs ?? ROOT_LIFETIME_MS),
    firmament: part.firmament,
    consistentSnapshot: true,
    keys: keysById([root, targets, snapshot, timestamp]),
    roles: {
      root: roles.root.value,
      targets: roles.targets.value,
      snapshot: roles.snapshot.value,
      timestamp: roles.timestamp.value,
    },
  });
  const demands = parseRootPart(part.firmament);
  return demands.ok ? readable(encodeMetadata(signed, [])) : demands;
}

/** A draft that our own parser refuses, for a limit or a name, is not handed out. */
function readable(bytes: Uint8Array): Verdict<Uint8Array, RootDraftCode> {
  const parsed = parseRoot(bytes);
  return parsed.ok ? accept(bytes) : parsed;
}
