/**
 * Which of the roles that a signer signs by itself it could not sign now, for want of a key: told while nothing is due yet.
 *
 * - A key counts by what it is, not by the id under which a role lists it.
 * - Of the log one active key is enough; of every other role as many as its threshold says.
 */
import { channelOf, sideRole } from '../../formats/names.ts';
import type { PublicKey } from '../../formats/signature-check.ts';
import { parseRootPart } from '../../formats/root-part.ts';
import { parseRoot } from '../../formats/tuf-root.ts';
import type { Delegations } from '../../formats/tuf-targets.ts';
import type { RoleKeys } from '../../formats/verify-signatures.ts';
import { readRole } from '../parsed-role.ts';
import type { Published } from '../publication.ts';
import type { Signer } from '../signer.ts';

/** A line for the log about a role that the signer cannot sign. */
export type KeyWarning = {
  readonly event: 'key-missing';
  readonly code: 'SIGNER_KEY_MISSING';
  readonly product: string;
  readonly role: string;
};
/** The role that the log is told as; no role of TUF has this name. */
const LOG = 'log';

/** The roles of which `held` are too few, by the newest root and the targets role in force. */
export function missingKeys({ roots, roles }: Published, held: readonly Signer[]): readonly string[] {
  const isHeld = (key: PublicKey | undefined): boolean =>
    held.some((signer) => key !== undefined && signer.key.scheme === key.scheme && signer.key.public === key.public);
  const lacks = (keys: Delegations['keys'], { keyids, threshold }: RoleKeys): boolean =>
    keyids.filter((keyid) => isHeld(keys.get(keyid))).length < threshold;
  const file = roots.at(-1);
  const root = file && parseRoot(file);
  if (root?.ok !== true) return [];
  const { signed } = root.value;
  const part = parseRootPart(signed.firmament);
  const log = part.ok ? part.value.log : undefined;
  const delegations = readRole(roles.get('targets'))?.signed.delegations;
  return [
    ...(['snapshot', 'timestamp'] as const).filter((role) => lacks(signed.keys, signed.roles[role])),
    ...(log === undefined || log.keys.some(({ state, key }) => state === 'active' && isHeld(key)) ? [] : [LOG]),
    ...(delegations?.roles ?? [])
      .filter((role) => isRollout(role.name) && lacks(delegations?.keys ?? new Map(), role))
      .map(({ name }) => name),
  ];
}

function isRollout(role: string): boolean {
  return role === sideRole(channelOf(role), 'rollout');
}

/** What is to be told of `missing` now: each role once a day. @param told the day on which each was told of last; kept up to date here. */
export function keyWarnings(
  product: string,
  missing: readonly string[],
  { now, told }: { readonly now: number; readonly told: Map<string, number> },
): readonly KeyWarning[] {
  const day = Math.floor(now / 86_400_000);
  const isNew = (role: string): boolean => told.get(`${product} ${role} key`) !== day;
  return missing.filter(isNew).map((role) => {
    told.set(`${product} ${role} key`, day);
    return { event: 'key-missing', code: 'SIGNER_KEY_MISSING', product, role };
  });
}
