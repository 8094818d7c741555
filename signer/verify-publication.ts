/**
 * Whether a candidate may be published: decided by the device's own code, before anything is written.
 *
 * - Roots: root 1 signed by itself, each next one by the former and itself, all bound to this repository (P1, R1).
 * - A whole refresh over the new timestamp, for every channel (`verify-refresh.ts`).
 * - A new channel is current: it follows what is published, its time is not over, nobody withdrew it (`verify-current.ts`).
 * - Wherever roots, targets or channel are new, the release in force boots on all of its hardware (`verify-bootable.ts`).
 * - The ways of a new channel lead every device on, or say that they do not (`verify-graph.ts`).
 * - A channel's history is the one that it names, and keeps what was in it (`verify-history.ts`).
 * - Plans, wave steps and halts follow what was published before (`verify-rollouts.ts`).
 * - New targets have the name, length and digest that their channel gives; a target name has one content, in all channels and
 *   for ever.
 * - At no moment is a device locked out: new roots are shown before the new timestamp if what is published holds under them,
 *   after it if the new files hold under the old roots too; else the files lack the signatures of one side.
 * - Source: TUF specification 1.0.34, sections 5 and 6.1.
 */
import { verifyBinding, type BindingCode } from '../formats/binding.ts';
import { equalBytes } from '../formats/bytes.ts';
import type { Instant } from '../formats/instant.ts';
import { sideRole } from '../formats/names.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';
import type { TargetFile } from '../formats/tuf-targets.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../formats/verdict.ts';
import { verifyThreshold } from '../formats/verify-signatures.ts';
import {
  verifyRootChain,
  verifyRootFresh,
  type RootCode,
  type TrustedRoot,
} from '../bootloader-verifier/boot/verify-root.ts';
import { parsedRole, readRole } from './parsed-role.ts';
import type { Candidate, ImmutableObject, Publication } from './publication.ts';
import { publicationOf } from './publication-of.ts';
import { targetObject } from './repository-layout.ts';
import { checkSignature } from './signature-check-node.ts';
import { standingOf } from './standing-of.ts';
import { verifyLogAppend, type LogAppendCode } from './verify-log-append.ts';
import { verifyBootable, type BootableCode } from './verify-bootable.ts';
import { verifyRollouts, type RolloutsCode } from './verify-rollouts.ts';
import { verifyGraph, type GraphCode } from './verify-graph.ts';
import { isSameTarget, verifyHistory, type HistoryMismatch } from './verify-history.ts';
import { verifyCurrent, type CurrentCode } from './verify-current.ts';
import { verifyRefresh, type OnlineFiles, type RefreshCode } from './verify-refresh.ts';

type InnerCode =
  | RootCode
  | BindingCode
  | RefreshCode
  | BootableCode
  | LogAppendCode
  | RolloutsCode
  | CurrentCode
  | HistoryMismatch
  | GraphCode
  | 'METADATA_EXPIRED'
  | 'RELEASE_MALFORMED'
  | 'TARGET_NAME_REFUSED'
  | 'IMAGE_LENGTH_MISMATCH'
  | 'IMAGE_HASH_MISMATCH';

/**
 * Decides about `candidate` at the time `now`.
 * @returns the writes to make, or `PUBLICATION_REFUSED` with the code that a device would give in the detail.
 */
export function verifyPublication(
  candidate: Candidate,
  now: Instant,
  check: SignatureCheck = checkSignature,
): Verdict<Verified<Publication>, 'PUBLICATION_REFUSED'> {
  const verified = verifyParts(candidate, now, check);
  return verified.ok ? verified : reject('PUBLICATION_REFUSED', `${verified.code}: ${verified.detail}`);
}

function verifyParts(
  candidate: Candidate,
  now: Instant,
  check: SignatureCheck,
): Verdict<Verified<Publication>, InnerCode> {
  const chain = verifyRoots(candidate, now, check);
  if (!chain.ok) return chain;
  const { chain: roots, newest } = chain.value;
  const { before, repository } = candidate;
  const seen = before.timestamp &&
    before.snapshot && { timestamp: before.timestamp.bytes, snapshot: before.snapshot.bytes };
  const newRoles = new Set([...candidate.roles.keys()].filter((role) => isNew(candidate, role)));
  const refreshed = verifyRefresh({
    trust: { root: newest, now, check },
    repository,
    files: candidate,
    seen,
    freshChannels: new Set([...newRoles].filter((role) => role !== 'targets')),
  });
  if (!refreshed.ok) return refreshed;
  const rootsAreNew = roots.length > before.roots.length;
  for (const channel of refreshed.value) {
    const current = newRoles.has(channel) ? verifyCurrent(candidate, channel, now) : accept(undefined);
    if (!current.ok) return current;
    const mustBoot = rootsAreNew || newRoles.has('targets') || newRoles.has(channel);
    const bootable = mustBoot ? verifyBootable(candidate, channel, check) : accept(undefined);
    if (!bootable.ok) return bootable;
    const history = verifyHistory(candidate, channel);
    if (!history.ok) return history;
  }
  const rollouts = verifyRollouts(candidate, newRoles, now);
  if (!rollouts.ok) return rollouts;
  const unique = verifyNames(candidate);
  if (!unique.ok) return unique;
  for (const channel of refreshed.value.filter((name) => newRoles.has(name))) {
    const graph = verifyChannelGraph(candidate, channel);
    if (!graph.ok) return graph;
  }
  const targets = verifyTargetFiles(candidate);
  if (!targets.ok) return targets;
  const rootsFirst = verifyOrder(candidate, roots, check);
  if (!rootsFirst.ok) return rootsFirst;
  const log = verifyLog(candidate, roots, check);
  if (!log.ok) return log;
  // What stands is true under the root that devices then had: one that is shown after the timestamp is not there yet.
  const shownUnder = rootsFirst.value ? newest : (roots[before.roots.length - 1] ?? newest);
  const standing = standingOf(candidate, shownUnder);
  const parts = { targets: targets.value, newRoles, rootsFirst: rootsFirst.value, log: log.value, standing };
  return accept(markVerified(publicationOf(candidate, parts)));
}

/** What is appended to the log, if anything: by a key that one of the roots lists, the newest first. */
function verifyLog(
  { log, repository }: Candidate,
  roots: readonly TrustedRoot[],
  check: SignatureCheck,
): Verdict<Publication['log'], LogAppendCode> {
  if (log === undefined) return accept(undefined);
  const policies = roots.map(({ part }) => part.log).filter((policy) => policy !== undefined);
  return verifyLogAppend(log, { repository, policies: policies.reverse(), check });
}

function verifyChannelGraph({ roles }: Candidate, name: string): Verdict<void, GraphCode> {
  const channel = parsedRole(roles.get(name) ?? new Uint8Array());
  const history = parsedRole(roles.get(sideRole(name, 'history')) ?? new Uint8Array());
  if (!channel.ok) return accept(undefined);
  return verifyGraph(channel.value, history.ok ? history.value.signed.targets : new Map());
}

function isNew({ before, roles }: Candidate, role: string): boolean {
  const standing = before.roles.get(role);
  const bytes = roles.get(role);
  return standing === undefined || bytes === undefined || !equalBytes(standing, bytes);
}

const NO_TARGETS: ReadonlyMap<string, TargetFile> = new Map();

type RootChain = { readonly newest: TrustedRoot; readonly chain: readonly TrustedRoot[] };

function verifyRoots(
  { roots, repository }: Candidate,
  now: Instant,
  check: SignatureCheck,
): Verdict<RootChain, RootCode | BindingCode | 'METADATA_EXPIRED'> {
  const chain = verifyRootChain(roots, { version: 1, sha256: repository.rootOneSha256 }, check);
  if (!chain.ok) return chain;
  for (const { metadata, sha256 } of chain.value.chain) {
    const { firmament, keys, roles } = metadata.signed;
    const isRootOne = sha256 === repository.rootOneSha256;
    const bound = verifyBinding(firmament, { repository, role: 'root', isRootOne });
    if (!bound.ok) return bound;
    const signed = isRootOne ? verifyThreshold(metadata, { name: 'root', keys, ...roles.root }, check) : accept(0);
    if (!signed.ok) return signed;
  }
  const fresh = verifyRootFresh(chain.value.newest, now);
  return fresh.ok ? chain : fresh;
}

/** Whether each target name of a new role says what it says wherever else it stands: in every channel, before and now. */
function verifyNames({ before, roles }: Candidate): Verdict<void, 'RELEASE_MALFORMED'> {
  const files = [...new Set([...before.roles.values(), ...roles.values()])];
  const listed = new Map(files.map((bytes) => [bytes, readRole(bytes)?.signed.targets ?? NO_TARGETS]));
  for (const [role, bytes] of roles) {
    // What stands was held against everything that stood, when it was new.
    if (before.roles.get(role) === bytes) continue;
    for (const [name, target] of listed.get(bytes) ?? NO_TARGETS) {
      for (const other of listed.values()) {
        const known = other.get(name);
        if (known === undefined || known === target || isSameTarget(known, target)) continue;
        return reject('RELEASE_MALFORMED', `${name} was given to other content: release names are given once`);
      }
    }
  }
  return accept(undefined);
}

/** The new targets as objects, once each has been held against what its channel says. */
function verifyTargetFiles({ newTargets, repository }: Candidate): Verdict<readonly ImmutableObject[], InnerCode> {
  const objects: ImmutableObject[] = [];
  const digests = new Map<Uint8Array, string>();
  for (const target of newTargets) {
    const name = targetObject(repository.product, target);
    if (name === undefined) return reject('TARGET_NAME_REFUSED', 'a target is not named RELEASE/COMPONENT/FILE');
    if (target.bytes.length !== target.length) {
      return reject(
        'IMAGE_LENGTH_MISMATCH',
        `${target.name}: ${target.bytes.length} bytes, ${target.length} were signed`,
      );
    }
    const sha256 = digests.get(target.bytes) ?? sha256Hex(target.bytes);
    digests.set(target.bytes, sha256);
    if (sha256 !== target.sha256) {
      return reject('IMAGE_HASH_MISMATCH', `${target.name} is not the file that was signed`);
    }
    objects.push({ name, bytes: target.bytes });
  }
  return accept(objects);
}

/** Whether the new roots are shown first. Expiry plays no part: what has expired before locks out nobody anew. */
function verifyOrder(
  candidate: Candidate,
  chain: readonly TrustedRoot[],
  check: SignatureCheck,
): Verdict<boolean, RefreshCode> {
  const { before, repository } = candidate;
  const { timestamp, snapshot, roles } = before;
  const newRoots = chain.slice(before.roots.length);
  if (newRoots.length === 0 || timestamp === undefined || snapshot === undefined) return accept(true);
  const under = (root: TrustedRoot, files: OnlineFiles): ReturnType<typeof verifyRefresh> =>
    verifyRefresh({ trust: { root, now: 0, check }, repository, files, seen: undefined, freshChannels: new Set() });
  const published = { timestamp: timestamp.bytes, snapshot: snapshot.bytes, roles };
  if (newRoots.every((root) => under(root, published).ok)) return accept(true);
  for (const root of chain.slice(before.roots.length - 1, -1)) {
    const holds = under(root, candidate);
    if (!holds.ok) {
      const version = root.metadata.signed.version;
      return reject(
        holds.code,
        `${holds.detail}; under root ${version}, which devices may hold meanwhile: sign for both roots`,
      );
    }
  }
  return accept(false);
}
