/**
 * Fetching what is said of a channel's rollout: the step of its rollout role, the halts of its halt role.
 *
 * - Asked for only where the targets role delegates the role: without that nothing of it is believed.
 * - Delegated but not listed means that nothing was said yet: no wave is open, nothing is halted. The snapshot never drops a role
 *   that it has listed.
 */
import type { Halt } from '../../formats/halt.ts';
import { sideRole, type Side } from '../../formats/names.ts';
import { accept, type Verdict } from '../../formats/verdict.ts';
import { verifyHaltRole, verifyRolloutRole, type Rollout, type RolloutCode } from '../boot/verify-rollout.ts';
import { isDelegated, type TrustedTargets } from '../boot/verify-targets.ts';
import { fetchListed, type ListedTrust } from './fetch-role.ts';
import type { RepositoryClient } from './repository-client.ts';

export type RolloutNews = {
  /** Whether anybody may open waves of this channel. */
  readonly isDelegated: boolean;
  readonly rollout: Rollout | undefined;
  readonly halts: readonly Halt[];
};

/** More than a step or 64 halts take with their signatures. */
const SIDE_BYTES_MAX = 131_072;

/** Fetches and verifies both roles of `channel`. */
export async function fetchRollout(
  client: RepositoryClient,
  trust: ListedTrust,
  of: { readonly channel: string; readonly targets: TrustedTargets },
): Promise<Verdict<RolloutNews, RolloutCode>> {
  const rollout = await fetchSide(client, trust, { ...of, side: 'rollout' });
  if (!rollout.ok) return rollout;
  const halt = await fetchSide(client, trust, { ...of, side: 'halt' });
  if (!halt.ok) return halt;
  const step = rollout.value && verifyRolloutRole(trust, rollout.value);
  if (step?.ok === false) return step;
  const halts = halt.value && verifyHaltRole(trust, halt.value);
  if (halts?.ok === false) return halts;
  return accept({
    isDelegated: isDelegated(of.targets, sideRole(of.channel, 'rollout')),
    rollout: step?.value,
    halts: halts?.value.halts ?? [],
  });
}

type SideRequest = { readonly channel: string; readonly targets: TrustedTargets; readonly side: Side };
type Fetched = { readonly name: string; readonly bytes: Uint8Array; readonly delegatedBy: TrustedTargets };

async function fetchSide(
  client: RepositoryClient,
  trust: ListedTrust,
  { channel, targets, side }: SideRequest,
): Promise<Verdict<Fetched | undefined, RolloutCode>> {
  const name = sideRole(channel, side);
  if (!isDelegated(targets, name) || !trust.snapshot.signed.meta.has(`${name}.json`)) return accept(undefined);
  const bytes = await fetchListed(client, trust, { name, bytesMax: SIDE_BYTES_MAX });
  return bytes.ok ? accept({ name, bytes: bytes.value, delegatedBy: targets }) : bytes;
}
