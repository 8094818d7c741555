/**
 * The expected set of a wave (rule R8): the devices whose confirmations decide its gate, frozen when it opens.
 *
 * - A device is expected in the one wave that its cohort first lies below, if it was listed before the plan began and its class votes.
 * - The set is committed to by the Merkle root over the ids in ascending order, 32 bytes each (RFC 6962 section 2.1).
 */
import { encodeHex, parseHex } from '../../formats/bytes.ts';
import { placeDevice } from '../../formats/cohort.ts';
import { emptyRoot, leafHash, nodeHash } from '../../formats/merkle.ts';
import type { Plan } from '../../formats/plan.ts';
import type { LiveDevice } from './live-devices.ts';

/** What draws the cohorts of a rollout. */
export type Draw = { readonly planSha256: string; readonly anchor: string };

/** The ids expected in wave `wave`, from 0, in ascending order. */
export function expectedDevices(
  devices: Iterable<LiveDevice>,
  plan: Plan,
  { wave, ...draw }: Draw & { readonly wave: number },
): readonly string[] {
  const from = plan.waves[wave - 1]?.cohortBp ?? 0;
  const to = plan.waves[wave]?.cohortBp ?? 0;
  const ids: string[] = [];
  for (const device of devices) {
    if (device.since > plan.notBefore || (plan.voters === 'proven' && device.class !== 'proven')) continue;
    const cohort = placeDevice({ ...draw, joinsLast: undefined }, device);
    if (cohort >= from && cohort < to) ids.push(device.deviceId);
  }
  return ids.sort();
}

/** The Merkle root over `ids`, in hex. */
export function expectedRoot(ids: readonly string[]): string {
  return encodeHex(treeHash(ids.map((id) => leafHash(parseHex(id) ?? new Uint8Array()))));
}

function treeHash(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return emptyRoot();
  if (leaves.length === 1) return first;
  let left = 1;
  while (left * 2 < leaves.length) left *= 2;
  return nodeHash(treeHash(leaves.slice(0, left)), treeHash(leaves.slice(left)));
}
