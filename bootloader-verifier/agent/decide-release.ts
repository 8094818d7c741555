/**
 * Which release a device is to install: the one in force, if its plan lets this device in now.
 *
 * - Without a plan the release in force is for everybody; with one, nobody outruns it (P3, R13).
 * - A plan whose waves nobody may open is refused: it would hold all devices for ever.
 * - A device that runs nothing and is held takes the plan's base, where it names one: a device is not left without firmware
 *   because its wave has not come.
 */
import { parseChannelPart } from '../../formats/channel-part.ts';
import { parseHex } from '../../formats/bytes.ts';
import type { RolloutDevice } from '../../formats/cohort.ts';
import { decideWave, type WaveDecision } from '../../formats/decide-wave.ts';
import { repositoryOf, type FactoryRecord } from '../../formats/factory-record.ts';
import type { Instant } from '../../formats/instant.ts';
import { deviceIdOf } from '../../formats/device-id.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import type { DeviceTrust } from '../boot/verify-bundle.ts';
import type { Refreshed } from './refresh.ts';

export type ChosenRelease = {
  readonly release: string;
  /** Why it may or may not be installed now; undefined where no plan has a say. */
  readonly wave: WaveDecision | undefined;
};

/** A wave that does not let this device in. */
export type HeldWave = Extract<WaveDecision, { readonly kind: 'held' }>;

/** Chooses for the device of `input`. @param input.isBare whether the device runs nothing. */
export function decideRelease(input: {
  readonly device: DeviceTrust;
  readonly refreshed: Refreshed;
  readonly isBare: boolean;
  readonly now: Instant;
}): Verdict<ChosenRelease, 'RELEASE_MALFORMED' | 'ROLLOUT_NOT_DELEGATED'> {
  const { device, refreshed, now } = input;
  const part = parseChannelPart(refreshed.channelRole.signed.firmament);
  if (!part.ok) return part;
  const { release, plan } = part.value;
  if (plan === undefined) return accept({ release, wave: undefined });
  const { channelName: channel } = device.factory;
  const { isDelegated, rollout, halts } = refreshed.rollout;
  if (!isDelegated) return reject('ROLLOUT_NOT_DELEGATED', `${channel} has a plan, and nobody may open its waves`);
  const place = { ...repositoryOf(device.factory), channel };
  const wave = decideWave({ plan, place, rollout, halts, device: rolloutDevice(device.factory), now });
  return wave.kind === 'held' && input.isBare && plan.base !== undefined
    ? accept({ release: plan.base, wave: undefined })
    : accept({ release, wave });
}

/** Who this device is in a rollout. It cannot tell when it was listed: who needs that for a vote is the signer. */
function rolloutDevice({ deviceKey }: FactoryRecord): RolloutDevice {
  const key = deviceKey === undefined ? undefined : parseHex(deviceKey);
  return { deviceId: key === undefined ? undefined : deviceIdOf(key), since: undefined };
}
