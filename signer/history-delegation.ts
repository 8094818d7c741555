/**
 * How a channel delegates its history: to the same people, by the same quorum, over the same names.
 *
 * - One way for whoever drafts and whoever verifies: the delegation follows from the targets role that delegates the channel.
 */
import { encodeCanonicalJson } from '../formats/canonical-json.ts';
import { equalBytes } from '../formats/bytes.ts';
import { sideRole } from '../formats/names.ts';
import { delegationsToJson, type Delegations, type Targets } from '../formats/tuf-targets.ts';

/** The delegations that a channel has once it has a history; undefined if `targets` does not delegate the channel by paths. */
export function historyDelegation(targets: Targets, channel: string): Delegations | undefined {
  const role = targets.delegations?.roles.find(({ name }) => name === channel);
  if (role === undefined || role.pathHashPrefixes !== undefined) return undefined;
  const { keyids, threshold, paths } = role;
  const keys = new Map([...(targets.delegations?.keys ?? [])].filter(([keyid]) => keyids.includes(keyid)));
  const name = sideRole(channel, 'history');
  return { keys, roles: [{ name, keyids, threshold, terminating: false, paths }] };
}

/** Whether two delegations are the same to the last key. */
export function isSameDelegation(a: Delegations | undefined, b: Delegations | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equalBytes(encodeCanonicalJson(delegationsToJson(a)), encodeCanonicalJson(delegationsToJson(b)));
}
