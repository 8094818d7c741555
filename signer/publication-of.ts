/**
 * The list of writes that makes a candidate visible, once `verify-publication.ts` has judged it.
 *
 * - In the order of writing: targets, roles, snapshot; roots on their side of the timestamp; the timestamp on the condition that it is
 *   still the one that was read.
 */
import { equalBytes } from '../formats/bytes.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { parseTimestamp } from '../formats/tuf-snapshot.ts';
import { readRole } from './parsed-role.ts';
import type { Candidate, ImmutableObject, Publication } from './publication.ts';
import { roleObject, timestampObject } from './repository-layout.ts';
import { carriedOn, type SignerState, type Standing } from './signer-state.ts';
import { mergeWithdrawn } from './withdrawn-draft.ts';

/** The writes of `candidate`, and what the signer is to remember of it. */
export function publicationOf(
  candidate: Candidate,
  parts: {
    readonly targets: readonly ImmutableObject[];
    readonly newRoles: ReadonlySet<string>;
    readonly rootsFirst: boolean;
    readonly log: Publication['log'];
    readonly standing: Standing;
  },
): Publication {
  const { before, repository, snapshot, timestamp } = candidate;
  const { product } = repository;
  const named = parseTimestamp(timestamp);
  const { version, snapshot: of } = named.ok ? named.value.signed : { version: 0, snapshot: { version: 0 } };
  const roles = [...candidate.roles]
    .filter(([role]) => parts.newRoles.has(role))
    .map(([role, bytes]) => ({ name: roleObject(product, role, versionOf(bytes)), bytes }));
  const isSnapshotNew = before.snapshot === undefined || !equalBytes(before.snapshot.bytes, snapshot);
  const snapshots = isSnapshotNew ? [{ name: roleObject(product, 'snapshot', of.version), bytes: snapshot }] : [];
  const roots = candidate.roots.map((bytes, index) => ({ name: roleObject(product, 'root', index + 1), bytes }));
  return {
    log: parts.log,
    files: [...parts.targets, ...roles, ...snapshots],
    roots: roots.slice(before.roots.length),
    rootsFirst: parts.rootsFirst,
    state: {
      ...repository,
      ...carriedOn(before.state),
      versionFloor: candidate.versionFloor,
      timestampVersion: version,
      snapshotVersion: of.version,
      snapshotSha256: sha256Hex(snapshot),
      withdrawn: stillWithdrawn(candidate),
      standing: parts.standing,
    },
    formerState: before.state,
    timestamp: {
      name: timestampObject(product),
      bytes: timestamp,
      condition: before.timestamp === undefined ? 'create-only' : { replaces: before.timestamp.etag },
    },
  };
}

/** The withdrawn drafts that this publication does not make stale. */
function stillWithdrawn({ withdrawn, roles }: Candidate): SignerState['withdrawn'] {
  const live = mergeWithdrawn(withdrawn, [], (role) => versionOf(roles.get(role) ?? new Uint8Array()));
  return live.length === 0 ? undefined : live;
}

function versionOf(role: Uint8Array): number {
  return readRole(role)?.signed.version ?? 0;
}
