/**
 * Which release a device is to install: the next one on its way to the release in force, if its plan lets this device in now.
 *
 * - Without a plan the release in force is for everybody; with one, nobody outruns it (P3, R13).
 * - The way is the channel's (`formats/next-hop.ts`); what lies on it waits for the wave of the release in force like that one:
 *   nothing moves a device before its wave has come.
 * - A plan whose waves nobody may open is refused: it would hold all devices for ever.
 * - A device that runs nothing and is held takes the plan's base, where it names one: a device is not left without firmware
 *   because its wave has not come.
 */
import { parseChannelPart, type ChannelPart } from '../../formats/channel-part.ts';
import { parseHex } from '../../formats/bytes.ts';
import type { RolloutDevice } from '../../formats/cohort.ts';
import { decideWave, type WaveDecision } from '../../formats/decide-wave.ts';
import { repositoryOf, type FactoryRecord } from '../../formats/factory-record.ts';
import type { Instant } from '../../formats/instant.ts';
import { deviceIdOf } from '../../formats/device-id.ts';
import { nextHop, type VersionedRelease, type WayCode } from '../../formats/next-hop.ts';
import type { TargetFile } from '../../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { findWays, type FindWaysCode } from '../boot/find-ways.ts';
import type { DeviceTrust } from '../boot/verify-bundle.ts';
import type { Refreshed } from './refresh.ts';

export type ChosenRelease = {
  readonly release: string;
  /** Why it may or may not be installed now; undefined where no plan has a say. */
  readonly wave: WaveDecision | undefined;
};

/** Where no way leads on: it stays as it is, until the channel says something else. */
export type StuckWay = {
  readonly kind: 'stuck';
  readonly release: string;
  readonly code: WayCode;
  readonly detail: string;
};
export type Decided = { readonly kind: 'chosen'; readonly chosen: ChosenRelease } | StuckWay;

/** A wave that does not let this device in. */
export type HeldWave = Extract<WaveDecision, { readonly kind: 'held' }>;

export type DecideCode = FindWaysCode | 'ROLLOUT_NOT_DELEGATED';

/** Chooses for the device of `input`. @param input.runs what it runs; undefined where it runs nothing. */
export function decideRelease(input: {
  readonly device: DeviceTrust;
  readonly refreshed: Pick<Refreshed, 'channelRole' | 'rollout'>;
  readonly runs: VersionedRelease | undefined;
  readonly now: Instant;
}): Verdict<Decided, DecideCode> {
  const { device, refreshed, now, runs } = input;
  const { signed } = refreshed.channelRole;
  const part = parseChannelPart(signed.firmament);
  if (!part.ok) return part;
  const way = chooseHop(signed.targets, part.value, { device, runs });
  if (!way.ok || way.value.kind === 'stuck') return way;
  const { release } = way.value.chosen;
  const { plan } = part.value;
  if (plan === undefined) return way;
  const { channelName: channel } = device.factory;
  const { isDelegated, rollout, halts } = refreshed.rollout;
  if (!isDelegated) return reject('ROLLOUT_NOT_DELEGATED', `${channel} has a plan, and nobody may open its waves`);
  const place = { ...repositoryOf(device.factory), channel };
  const wave = decideWave({ plan, place, rollout, halts, device: rolloutDevice(device.factory), now });
  return wave.kind === 'held' && runs === undefined && plan.base !== undefined
    ? chosen({ release: plan.base, wave: undefined })
    : chosen({ release, wave });
}

/** The next release on the way of the device, whatever a plan says. */
export function chooseHop(
  targets: ReadonlyMap<string, TargetFile>,
  part: ChannelPart,
  of: { readonly device: DeviceTrust; readonly runs: VersionedRelease | undefined },
): Verdict<Decided, FindWaysCode> {
  const ways = findWays(targets, part, of.device.factory);
  if (!ways.ok) return ways;
  const hop = nextHop(ways.value, of.runs);
  const { release } = part;
  if (hop.kind === 'stuck') return accept({ ...hop, release });
  return chosen({ release: hop.kind === 'hop' ? hop.release : release, wave: undefined });
}

function chosen(release: ChosenRelease): Verdict<Decided, never> {
  return accept({ kind: 'chosen', chosen: release });
}

/** Who this device is in a rollout. It cannot tell when it was listed: who needs that for a vote is the signer. */
function rolloutDevice({ deviceKey }: FactoryRecord): RolloutDevice {
  const key = deviceKey === undefined ? undefined : parseHex(deviceKey);
  return { deviceId: key === undefined ? undefined : deviceIdOf(key), since: undefined };
}
