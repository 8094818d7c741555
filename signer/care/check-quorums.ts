/** Roles that can never be signed again: they list fewer distinct keys than their threshold demands. */
import { keyFingerprint } from '../../formats/tuf-key.ts';
import type { PublicKey } from '../../formats/signature-check.ts';
import { reject } from '../../formats/verdict.ts';
import type { RoleKeys } from '../../formats/verify-signatures.ts';
import { objectOf, type Known } from './check-scene.ts';
import { metadataName } from './reach-roles.ts';

/** Names each object whose delegation is below its own quorum. */
export function checkQuorums({ input, found, roots, online }: Known): void {
  const judge = (object: string, keys: ReadonlyMap<string, PublicKey>, role: RoleKeys & { name: string }): void => {
    const distinct = new Set(
      role.keyids.flatMap((keyid) => {
        const key = keys.get(keyid);
        return key === undefined ? [] : [keyFingerprint(key)];
      }),
    ).size;
    if (distinct >= role.threshold) return;
    const detail = `${role.name}: ${distinct} distinct keys, its threshold is ${role.threshold}`;
    found.damage(objectOf(input, object), reject('ROLE_BELOW_QUORUM', detail));
  };
  const root = roots.at(-1)?.metadata.signed;
  for (const [name, role] of Object.entries(root?.roles ?? {})) {
    judge(metadataName('root', root?.version ?? 0), root?.keys ?? new Map(), { ...role, name });
  }
  for (const { name, version, role } of online?.roles ?? []) {
    const delegations = role?.signed.delegations;
    for (const delegated of delegations?.roles ?? []) {
      judge(metadataName(name, version), delegations?.keys ?? new Map(), delegated);
    }
  }
}
