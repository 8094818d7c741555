/**
 * A channel's rollout as it stands in what is published: plan, step, halts, and who may vote.
 *
 * - Read from the files that the signer's own memory names by digest: each was judged before it was published.
 */
import type { RepositoryId } from '../../formats/binding.ts';
import { parseChannelPart } from '../../formats/channel-part.ts';
import { parseHaltPart, standingHalt, type Halt } from '../../formats/halt.ts';
import type { Factory } from '../../formats/identity-trust.ts';
import type { Instant } from '../../formats/instant.ts';
import { isSideRole, sideRole } from '../../formats/names.ts';
import { planDigest, type Plan, type PlanPlace } from '../../formats/plan.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { parseTrustPart } from '../../formats/trust-part.ts';
import { parseWaveStep, type WaveStep } from '../../formats/wave-step.ts';
import { readRole } from '../parsed-role.ts';
import type { Published } from '../publication.ts';

export type PublishedRollout = {
  readonly place: PlanPlace;
  readonly plan: Plan;
  readonly planSha256: string;
  /** What cohorts are drawn with: that of the step, or of what would be the first one. */
  readonly anchor: string;
  /** The step of this plan, with the end of its lease. */
  readonly current: { readonly step: WaveStep; readonly expires: Instant } | undefined;
  readonly halt: Halt | undefined;
};

/** Every rollout in `published`, in the order of the delegations. */
export function readRollouts(published: Published): readonly PublishedRollout[] {
  const { state } = published;
  if (state === undefined) return [];
  const roles = readRole(published.roles.get('targets'))?.signed.delegations?.roles ?? [];
  return roles.flatMap(({ name }) => {
    const rollout = isSideRole(name) ? undefined : readRollout(published, { ...repositoryIn(state), channel: name });
    return rollout === undefined ? [] : [rollout];
  });
}

/** The factories that the published targets role trusts. */
export function readFactories(published: Published): readonly Factory[] {
  const part = parseTrustPart(readRole(published.roles.get('targets'))?.signed.firmament);
  return part.ok ? (part.value.factories ?? []) : [];
}

/** The ids of the keys that may sign the role `name`, as the published targets role delegates it. */
export function readRoleKeys(published: Published, name: string): readonly string[] {
  const roles = readRole(published.roles.get('targets'))?.signed.delegations?.roles ?? [];
  return roles.find((role) => role.name === name)?.keyids ?? [];
}

/** The repository that a signer's state is of. */
export function repositoryIn({ product, rootOneSha256 }: RepositoryId): RepositoryId {
  return { product, rootOneSha256 };
}

function readRollout({ roles }: Published, place: PlanPlace): PublishedRollout | undefined {
  const { channel } = place;
  const file = roles.get(channel);
  const part = parseChannelPart(readRole(file)?.signed.firmament);
  const plan = part.ok ? part.value.plan : undefined;
  if (plan === undefined || file === undefined) return undefined;
  const planSha256 = planDigest(plan, place);
  const role = readRole(roles.get(sideRole(channel, 'rollout')));
  const step = parseWaveStep(role?.signed.firmament);
  const isCurrent = role !== undefined && step.ok && step.value.plan === planSha256;
  const current = isCurrent ? { step: step.value, expires: role.signed.expires } : undefined;
  const halts = parseHaltPart(readRole(roles.get(sideRole(channel, 'halt')))?.signed.firmament);
  return {
    ...{ place, plan, planSha256, current },
    anchor: current?.step.anchor ?? sha256Hex(file),
    halt: standingHalt({ ...plan, sha256: planSha256 }, halts.ok ? halts.value.halts : [], place),
  };
}
