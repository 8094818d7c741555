/**
 * When the roles of a product end, by what is published, and which of them somebody must see to now.
 *
 * - People are told weeks before, for they must meet; of online roles the signer itself is told only where it has failed to renew them.
 * - A role is told of once a day: a log that repeats itself is not read.
 */
import type { Instant } from '../../formats/instant.ts';
import { isSideRole } from '../../formats/names.ts';
import { parseRoot } from '../../formats/tuf-root.ts';
import { parseTimestamp } from '../../formats/tuf-snapshot.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import type { Published } from '../publication.ts';

export type RoleEnd = {
  readonly role: string;
  /** Undefined where it is not at hand. */
  readonly version: number | undefined;
  readonly expires: Instant;
};

const DAY_MS = 86_400_000;
/** How long before its end a role that people sign is told of, and one that the signer signs. */
const PEOPLE_MS = 21 * DAY_MS;
const ONLINE_MS = DAY_MS / 4;
const ONLINE: readonly string[] = ['timestamp', 'snapshot'];

/** The end of every role in force; those beside a channel end by design. */
export function roleEnds({ roots, timestamp, snapshot, roles }: Published): readonly RoleEnd[] {
  const ends: RoleEnd[] = [];
  const add = (role: string, signed: { readonly version: number; readonly expires: Instant } | undefined): void => {
    if (signed !== undefined) ends.push({ role, version: signed.version, expires: signed.expires });
  };
  const root = roots.at(-1);
  const newest = root && parseRoot(root);
  add('root', newest?.ok === true ? newest.value.signed : undefined);
  const shown = timestamp && parseTimestamp(timestamp.bytes);
  add('timestamp', shown?.ok === true ? shown.value.signed : undefined);
  add('snapshot', snapshot?.metadata.signed);
  for (const [role, bytes] of roles) {
    const parsed = isSideRole(role) ? undefined : parseTargets(bytes);
    add(role, parsed?.ok === true ? parsed.value.signed : undefined);
  }
  return ends;
}

/** A line for the log about a role that ends soon. */
export type EndWarning = {
  readonly event: 'expiry-near';
  readonly code: 'EXPIRY_NEAR' | 'METADATA_EXPIRED';
  readonly product: string;
  readonly role: string;
  readonly version: number | undefined;
  /** Whole days; less than one is 0. */
  readonly daysLeft: number;
};

/**
 * What is to be told of `ends` now.
 * @param told days left when each role's version was told of last; kept up to date here.
 */
export function endWarnings(
  product: string,
  ends: readonly RoleEnd[],
  { now, told }: { readonly now: Instant; readonly told: Map<string, number> },
): readonly EndWarning[] {
  const warnings: EndWarning[] = [];
  for (const { role, version, expires } of ends) {
    const leftMs = expires - now;
    if (leftMs > (ONLINE.includes(role) ? ONLINE_MS : PEOPLE_MS)) continue;
    const daysLeft = Math.max(0, Math.floor(leftMs / DAY_MS));
    const key = `${product} ${role} ${version ?? ''} ${leftMs <= 0}`;
    if (told.get(key) === daysLeft) continue;
    told.set(key, daysLeft);
    const code = leftMs <= 0 ? 'METADATA_EXPIRED' : 'EXPIRY_NEAR';
    warnings.push({ event: 'expiry-near', code, product, role, version, daysLeft });
  }
  return warnings;
}

/** The first wait after a look that failed; each further one doubles it. */
const RETRY_MS = 1_000;

/** How long to wait for the next look. @param failed how many looks in a row have failed. */
export function nextLookMs(failed: number, lookMs: number): number {
  return failed === 0 ? lookMs : Math.min(lookMs, RETRY_MS * 2 ** Math.min(failed - 1, 30));
}
