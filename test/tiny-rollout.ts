/**
 * Rollouts of a tiny repository: a plan with waves, steps and halts as the signer and a manager would sign them.
 *
 * - Two waves by default: half of the cohorts for an hour, then all; a lease of ten minutes.
 */
import { planDigest, type Plan, type PlanPlace } from '../formats/plan.ts';
import { parseChannelPart } from '../formats/channel-part.ts';
import type { Instant } from '../formats/instant.ts';
import { sideRole } from '../formats/names.ts';
import { deviceIdOf } from '../formats/device-id.ts';
import { sha256Bytes, sha256Hex } from '../formats/sha256.ts';
import { parseTargets } from '../formats/tuf-targets.ts';
import { encodeHex, encodeUtf8 } from '../formats/bytes.ts';
import { cohortOf } from '../formats/cohort.ts';
import type { WaveStep } from '../formats/wave-step.ts';
import type { PlanDraft } from '../signer/draft-plan.ts';
import { haltContent, stepContent } from '../signer/rollout/draft-step.ts';
import { accepted } from './accepted.ts';
import type { TinyRepository } from './tiny-repository.ts';

export const HOUR_MS = 3_600_000;
export const LEASE_MS = 600_000;
/** What cohorts are drawn with here. */
export const TINY_ANCHOR: string = sha256Hex(encodeUtf8('tiny anchor'));

/** The plan that tests begin with. */
export function tinyPlan(notBefore: Instant, change: Partial<PlanDraft> = {}): PlanDraft {
  const gate = { expectedMin: 0, confirmedBp: 10_000, deadlineSeconds: 7200 };
  return {
    notBefore,
    waves: [
      { cohortBp: 5000, soakSeconds: 3600, gate },
      { cohortBp: 10_000, soakSeconds: 0, gate },
    ],
    voters: 'claimed',
    leaseSeconds: LEASE_MS / 1000,
    haltSeconds: LEASE_MS / 1000,
    base: undefined,
    offline: false,
    offlineUntil: undefined,
    direction: undefined,
    ...change,
  };
}

/** Delegates the roles beside `stable`, and publishes a release with a plan there. */
export async function publishPlanned(
  repository: TinyRepository,
  release: string,
  change: Partial<PlanDraft> & { readonly image?: Uint8Array } = {},
): Promise<void> {
  const { image, ...plans } = change;
  const keys = (repository.signers.get('stable-rollout') ?? []).map(({ key }) => key);
  await repository.publishTargets({ rollouts: [{ channel: 'stable', keys }] });
  const plan = tinyPlan(repository.now, plans);
  const content = image === undefined ? {} : { image };
  await repository.publishRelease({ release, channels: ['stable'], draft: { plan }, ...content });
}

/** Where the plans of `stable` belong. */
export function placeOf(repository: TinyRepository): PlanPlace {
  return { ...repository.id, channel: 'stable' };
}

/** The plan in force in `stable`. */
export function planInForce(repository: TinyRepository): Plan {
  const channel = accepted(parseTargets(repository.newest('stable')));
  const { plan } = accepted(parseChannelPart(channel.signed.firmament));
  if (plan === undefined) throw new Error('no plan is in force');
  return plan;
}

/** The factory key of the first device whose cohort under the plan in force satisfies `wanted`. */
export function deviceIn(repository: TinyRepository, wanted: (cohort: number) => boolean): string {
  const planSha256 = planDigest(planInForce(repository), placeOf(repository));
  for (let i = 0; ; i++) {
    const deviceKey = sha256Bytes(encodeUtf8(`tiny device ${i}`));
    const deviceId = deviceIdOf(deviceKey);
    if (wanted(cohortOf({ planSha256, anchor: TINY_ANCHOR, deviceId }))) return encodeHex(deviceKey);
  }
}

/** Publishes a step of the plan in force. @param openedAt when each wave opened. */
export async function publishStep(
  repository: TinyRepository,
  openedAt: readonly Instant[],
  change: Partial<WaveStep> & { readonly expires?: Instant; readonly now?: Instant } = {},
): Promise<void> {
  const { expires, now, ...step } = change;
  const [first = repository.now] = openedAt;
  const draft = {
    repository: repository.id,
    channel: 'stable',
    former: newestOrNone(repository, 'rollout'),
    expires: expires ?? (now ?? openedAt.at(-1) ?? first) + LEASE_MS,
  };
  const content = stepContent(draft, {
    plan: planDigest(planInForce(repository), placeOf(repository)),
    anchor: TINY_ANCHOR,
    joinsLast: first,
    open: openedAt.map((at) => ({ openedAt: at, expected: { count: 0, merkleRoot: '00'.repeat(32) } })),
    completedAt: undefined,
    ...step,
  });
  repository.put(sideRole('stable', 'rollout'), await repository.sign('stable-rollout', content));
  await repository.publishOnline({ now: now ?? openedAt.at(-1) ?? first });
}

/** Publishes a halt of the plan in force. */
export async function publishHalt(repository: TinyRepository, at: Instant): Promise<void> {
  const plan = planDigest(planInForce(repository), placeOf(repository));
  const draft = { repository: repository.id, channel: 'stable', former: newestOrNone(repository, 'halt'), expires: at };
  const content = haltContent({ ...draft, expires: at + HOUR_MS }, { plan, at, reason: 'for a test' });
  repository.put(sideRole('stable', 'halt'), await repository.sign('stable-halt', content));
  await repository.publishOnline({ now: at });
}

function newestOrNone(repository: TinyRepository, side: 'rollout' | 'halt'): Uint8Array | undefined {
  const role = sideRole('stable', side);
  const isThere = [...repository.files.keys()].some((name) => name.endsWith(`.${role}.json`));
  return isThere ? repository.newest(role) : undefined;
}
