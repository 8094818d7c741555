/**
 * The drafts that a publisher must never publish: those that it remembers, and those whose withdrawal is handed in now.
 *
 * - A withdrawal counts by the keys that the published targets role lists; before the first publication, by those of the new one.
 * - One that does not verify withdraws nothing.
 */
import type { RepositoryId } from '../formats/binding.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { parsedRole, readRole } from './parsed-role.ts';
import { keysOfRole } from './keys-of-role.ts';
import type { Changes, Published, Withdrawals } from './publication.ts';
import { repositoryIdOf } from './repository-id.ts';
import { verifyWithdrawals } from './verify-withdrawal.ts';
import { mergeWithdrawn, type WithdrawnDraft } from './withdrawn-draft.ts';

/** All of them, without those that their channels are past. */
export function collectWithdrawn(published: Published, changes: Changes): readonly WithdrawnDraft[] {
  const { state, roles } = published;
  const repository = state ?? foundedBy(changes);
  const targets = roles.get('targets') ?? changes.targets;
  const handed = (changes.withdrawals ?? []).flatMap((withdrawals) =>
    repository === undefined || targets === undefined ? [] : withdrawnBy(withdrawals, { repository, targets }),
  );
  return mergeWithdrawn(state?.withdrawn ?? [], handed, (role) => versionOf(roles.get(role)));
}

function foundedBy({ roots = [] }: Changes): RepositoryId | undefined {
  const [rootOne] = roots;
  const founded = rootOne === undefined ? undefined : repositoryIdOf(rootOne);
  return founded?.ok === true ? founded.value : undefined;
}

function withdrawnBy(
  { role, metadata, envelopes }: Withdrawals,
  by: { readonly repository: RepositoryId; readonly targets: Uint8Array },
): readonly WithdrawnDraft[] {
  const draft = parsedRole(metadata);
  const targets = parsedRole(by.targets);
  if (!draft.ok || !targets.ok) return [];
  const sha256 = sha256Hex(draft.value.signedBytes);
  const keys = keysOfRole(targets.value, role);
  const holds = verifyWithdrawals(envelopes, { repository: by.repository, role, keys });
  return holds.some(({ event }) => event === sha256) ? [{ role, version: draft.value.signed.version, sha256 }] : [];
}

function versionOf(role: Uint8Array | undefined): number {
  return readRole(role)?.signed.version ?? 0;
}
