/**
 * When the roles of a whole deployment end, by what its memory says of each product: sums for the metrics, names for the log.
 *
 * - The store is not read: ten thousand products cost one pass over the memory.
 * - Sums have no label that grows with the products; those that somebody must see to are named in the log, once a day each.
 */
import type { Instant } from '../../formats/instant.ts';
import type { Verdict } from '../../formats/verdict.ts';
import { TIMESTAMP_LIFETIME_MS } from '../lifetimes.ts';
import type { SignerState } from '../signer-state.ts';
import { endWarnings, type EndWarning, type RoleEnd } from './role-ends.ts';

/** Roles as they are summed up: all channels are one. */
export const SUMMED_ROLES = ['root', 'targets', 'channel', 'snapshot', 'timestamp'] as const;
type SummedRole = (typeof SUMMED_ROLES)[number];

export type DeploymentEnds = {
  readonly products: number;
  /** Products whose memory cannot be read. */
  readonly unreadable: number;
  /** Products of which nothing is known before their next publication. */
  readonly unknown: number;
  /** Products with which nothing is signed: restored and not resumed, or under way to another memory. */
  readonly held: number;
  /** Products whose timestamp has lived half its time: the next look renews it, or its log says why not. */
  readonly pastHalf: number;
  /** When the first one of all products ends. */
  readonly earliest: ReadonlyMap<SummedRole, Instant>;
  readonly warnings: readonly EndWarning[];
};

/** Looks at all of `states`. @param at.told what was told before, as of `endWarnings`. */
export async function deploymentEnds(
  states: AsyncIterable<Verdict<SignerState>>,
  at: { readonly now: Instant; readonly told: Map<string, number> },
): Promise<DeploymentEnds> {
  const sums = { products: 0, unreadable: 0, unknown: 0, held: 0, pastHalf: 0 };
  const earliest = new Map<SummedRole, Instant>();
  const warnings: EndWarning[] = [];
  for await (const state of states) {
    sums.products++;
    if (!state.ok) {
      sums.unreadable++;
      continue;
    }
    const { product, standing, held } = state.value;
    if (held !== undefined) sums.held++;
    if (standing === undefined) sums.unknown++;
    else if (standing.timestampExpires - at.now <= TIMESTAMP_LIFETIME_MS / 2) sums.pastHalf++;
    const ends = endsOf(state.value);
    for (const [summed, { expires }] of ends) earliest.set(summed, Math.min(earliest.get(summed) ?? expires, expires));
    warnings.push(...endWarnings(product, [...ends.values()], at));
  }
  return { ...sums, earliest, warnings };
}

/** What the memory knows of the ends of one product's roles. */
function endsOf({ standing, snapshotVersion, timestampVersion }: SignerState): ReadonlyMap<SummedRole, RoleEnd> {
  const ends = new Map<SummedRole, RoleEnd>();
  if (standing === undefined) return ends;
  const { rootVersion, rootExpires, targetsExpires, channel, snapshotExpires, timestampExpires } = standing;
  if (rootExpires !== undefined) ends.set('root', { role: 'root', version: rootVersion, expires: rootExpires });
  ends.set('targets', { role: 'targets', version: undefined, expires: targetsExpires });
  if (channel !== undefined) ends.set('channel', { role: channel.name, version: undefined, expires: channel.expires });
  ends.set('snapshot', { role: 'snapshot', version: snapshotVersion, expires: snapshotExpires });
  ends.set('timestamp', { role: 'timestamp', version: timestampVersion, expires: timestampExpires });
  return ends;
}
