/**
 * What must hold of a device, whatever it was told: it ran what its people approved, on the way that they signed, in its wave, at or
 * above its floors; no floor falls, and it never ends up with nothing.
 */
import { cohortOf } from '../../formats/cohort.ts';
import type { Floors } from '../../formats/floors.ts';
import { nextHop } from '../../formats/next-hop.ts';
import { planDigest } from '../../formats/plan.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { parseWaveStep, type WaveStep } from '../../formats/wave-step.ts';
import type { DeviceEvent } from '../../bootloader-verifier/agent/device-event.ts';
import { findVersion, findWays } from '../../bootloader-verifier/boot/find-ways.ts';
import { accepted } from '../accepted.ts';
import type { PublishedRelease, TinyRepository } from '../tiny-repository.ts';
import type { Chain } from './liar-chain.ts';
import { channelsOf, demand, type SignedChannel } from './liar-invariant.ts';
import type { Victim } from './liar-victim.ts';

/** How far a device was looked at. */
export type Looked = {
  readonly runs: number;
  readonly events: number;
  readonly floors: Floors | undefined;
  /** The release that it has confirmed last. */
  readonly good: string | undefined;
};

export const UNSEEN: Looked = { runs: 0, events: 0, floors: undefined, good: undefined };

/** Looks at what `victim` did since `before`. */
export async function assertDevice(chain: Chain, victim: Victim, before: Looked): Promise<Looked> {
  const { device, repository } = victim;
  const floors = await device.floors();
  assertFloors(before.floors, floors);
  for (const { sha256 } of device.runs.slice(before.runs)) {
    const release = releaseOf(repository, sha256);
    demand(release !== undefined, 'IMAGE_OF_NOBODY', `device ${victim.index}: ${sha256}`);
    demand(counterOf(release) >= counterIn(before.floors), 'BELOW_FLOOR', release.release);
  }
  let { good } = before;
  for (const event of device.events.slice(before.events)) {
    const release = String(event.detail['release'] ?? '');
    if (isStart(event, 'trial')) assertTrial(chain, victim, { release, good, floors: before.floors });
    if (event.step === 'confirm' || isStart(event, 'normal')) good = release;
    demand(event.step !== 'recovery' || good === undefined, 'BRICKED', event.code ?? '');
  }
  return { runs: device.runs.length, events: device.events.length, floors, good };
}

function isStart({ step, detail }: DeviceEvent, mode: 'trial' | 'normal'): boolean {
  return step === 'start' && detail['mode'] === mode;
}

function releaseOf({ releases }: TinyRepository, sha256: string): PublishedRelease | undefined {
  return [...releases.values()].find(({ image }) => sha256Hex(image) === sha256);
}

function counterOf({ components: [component] }: PublishedRelease): number {
  return component?.draft.securityCounter ?? 0;
}

function counterIn(floors: Floors | undefined): number {
  return floors?.securityCounters.get('gateway') ?? 0;
}

function channelIn(floors: Floors | undefined): number {
  return floors?.channelVersions.get('stable') ?? 0;
}

function assertFloors(before: Floors | undefined, now: Floors): void {
  if (before === undefined) return;
  demand(counterIn(now) >= counterIn(before), 'FLOOR_FELL', 'security counter');
  demand(channelIn(now) >= channelIn(before), 'FLOOR_FELL', 'channel version');
  const isSame = now.root.version === before.root.version && now.root.sha256 === before.root.sha256;
  demand(isSame || now.root.version > before.root.version, 'FLOOR_FELL', 'root');
}

type Trial = { readonly release: string; readonly good: string | undefined; readonly floors: Floors | undefined };

/** Some channel that the device may still believe leads from what it ran to what it tries; and it does not revoke it. */
function assertTrial(chain: Chain, victim: Victim, trial: Trial): void {
  const { repository } = victim;
  const { release, floors, good } = trial;
  const leading = channelsOf(repository).filter(
    (channel) => channel.version >= channelIn(floors) && leadsTo(channel, repository, trial),
  );
  demand(leading.length > 0, 'OFF_THE_WAY', `device ${victim.index} from ${good ?? 'nothing'} to ${release}`);
  const tried = repository.releases.get(release);
  const isAllowed = leading.filter(
    ({ part }) =>
      tried !== undefined &&
      !part.revokedDigests.includes(sha256Hex(tried.image)) &&
      counterOf(tried) >= part.minSecurityCounter,
  );
  demand(isAllowed.length > 0, 'GIVEN_UP', release);
  if (isAllowed.some(({ part }) => part.plan?.release !== release)) return;
  demand(
    isAllowed.some((channel) => isOpenIn(chain, victim, channel)),
    'OUT_OF_WAVE',
    release,
  );
}

function leadsTo({ targets, part }: SignedChannel, { factory }: TinyRepository, { release, good }: Trial): boolean {
  const ways = findWays(targets, part, factory);
  const from = good === undefined ? undefined : findVersion(targets, good, factory);
  if (!ways.ok || from?.ok === false) return false;
  const hop = nextHop(ways.value, from?.value);
  return hop.kind === 'hop' ? hop.release === release : hop.kind === 'arrived' && release === part.release;
}

/** Whether a step of the signer's has let this device in; one without network asks no signer, where the plan lets it. */
function isOpenIn(
  { writes }: Chain,
  { repository, member, isOffline }: Victim,
  { part: { plan } }: SignedChannel,
): boolean {
  if (plan === undefined || member === undefined) return true;
  if (isOffline) return plan.offline;
  const planSha256 = planDigest(plan, { ...repository.id, channel: 'stable' });
  const { deviceId } = member;
  return stepsIn(writes, repository).some((step) => {
    if (step.plan !== planSha256) return false;
    const bound = step.completedAt === undefined ? (plan.waves[step.open.length - 1]?.cohortBp ?? 0) : 10_000;
    return cohortOf({ planSha256, anchor: step.anchor, deviceId }) < bound;
  });
}

function stepsIn(writes: Chain['writes'], { id }: TinyRepository): readonly WaveStep[] {
  return writes
    .filter(({ name }) => name.startsWith(`${id.product}/`) && name.endsWith('.stable-rollout.json'))
    .map(({ bytes }) => accepted(parseWaveStep(accepted(parseTargets(bytes)).signed.firmament)));
}
