/** The keys that may sign a delegated role, as the targets role lists them. */
import type { PublicKey } from '../formats/signature-check.ts';
import type { Metadata } from '../formats/tuf-metadata.ts';
import type { Targets } from '../formats/tuf-targets.ts';

/** The keys of `role` by the delegations of `targets`; none if it is not delegated. */
export function keysOfRole({ signed }: Metadata<Targets>, role: string): readonly PublicKey[] {
  const { keys, roles } = signed.delegations ?? { keys: new Map<string, PublicKey>(), roles: [] };
  const listed = roles.find(({ name }) => name === role)?.keyids ?? [];
  return listed.flatMap((keyid) => keys.get(keyid) ?? []);
}
