/**
 * Which of the roles that a signer signs by itself it could not sign now, for want of a key: told while nothing is due yet.
 *
 * - A key counts by what it is, not by the id under which a role lists it.
 * - Of the log one active key is enough; of every other role as many as its threshold says.
 */
import type { PublicKey } from '../../formats/signature-check.ts';
import { parseRootPart } from '../../formats/root-part.ts';
import { parseRoot } from '../../formats/tuf-root.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
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
const ROLLOUT = /-rollout$/;

/** The roles of which `held` are too few, by the newest root and the targets role in force. */
export function missingKeys({ roots, roles }: Published, held: readonly Signer[]): readonly string[] {
  const isHeld = (key: PublicKey | undefined): boolean =>
    held.some((signer) => key !== undefined && signer.key.scheme === key.scheme && signer.key.public === key.public);
  const lacks = (keys: readonly (PublicKey | undefined)[], threshold: number): boolean =>
    keys.filter(isHeld).length < threshold;
  const file = roots.at(-1);
  const root = file && parseRoot(file);
  if (root?.ok !== true) return [];
  const { signed } = root.value;
  const missing: string[] = [];
  for (const role of ['snapshot', 'timestamp'] as const) {
    const { keyids, threshold } = signed.roles[role];
    if (
      lacks(
        keyids.map((keyid) => signed.keys.get(keyid)),
        threshold,
      )
    )
      missing.push(role);
  }
  const part = parseRootPart(signed.firmament);
  const log = part.ok ? part.value.log : undefined;
  if (
    log !== undefined &&
    lacks(
      log.keys.filter(({ state }) => state === 'active').map(({ key }) => key),
      1,
    )
  ) {
    missing.push(LOG);
  }
  return [...missing, ...missingRollouts(roles.get('targets'), lacks)];
}

function missingRollouts(
  file: Uint8Array | undefined,
  lacks: (keys: readonly (PublicKey | undefined)[], threshold: number) => boolean,
): readonly string[] {
  const targets = file && parseTargets(file);
  const delegations = targets?.ok === true ? targets.value.signed.delegations : undefined;
  return (delegations?.roles ?? [])
    .filter(({ name }) => ROLLOUT.test(name))
    .filter(({ keyids, threshold }) =>
      lacks(
        keyids.map((keyid) => delegations?.keys.get(keyid)),
        threshold,
      ),
    )
    .map(({ name }) => name);
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
