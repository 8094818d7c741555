/**
 * Rollouts as the pilot shows them: waves that open on the devices' own signed words, a device that is held until its wave, a halt.
 *
 * - Cohorts are drawn by what the managers sign; here they are computed as everybody can, by the function that devices use.
 * - Which wave is open is asked of the signer, through its socket; what a device does about it is told by that device.
 * - A device of a later wave is seen held before any of the first is switched on: nothing here depends on who is faster.
 */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseChannelPart } from '../formats/channel-part.ts';
import { cohortOf } from '../formats/cohort.ts';
import { planDigest, type PlanPlace } from '../formats/plan.ts';
import { parseRolloutStatuses, type RolloutStatus } from '../formats/rollout-status.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { parseTargets } from '../formats/tuf-targets.ts';
import { signerClient } from '../ota-server/signer-client.ts';
import { textOf } from './child.ts';
import type { Company } from './company.ts';
import type { DeviceProcess } from './device-process.ts';
import type { Member } from './fleet.ts';
import { must } from './forgery.ts';
import { newestEventFile } from './releases.ts';
import type { PilotRepository } from './founding.ts';
import { CHANNEL, tell, type Stage } from './stage.ts';

/** The plan of 2.0.0: half of the devices first, all of them once every device of the first wave has confirmed. */
export const TWO_WAVES: readonly string[] = [
  ...['--wave', 'share=50,soak=1s,confirmed=100,least=1,within=1h'],
  ...['--wave', 'share=100,soak=0s,confirmed=100,least=1,within=1h'],
  ...['--base', '1.0.0', '--lease', '10m', '--halt-within', '10m'],
];
/** The plan of 3.0.0: its second wave opens an hour after the first. */
export const SLOW_WAVES: readonly string[] = [
  ...['--wave', 'share=50,soak=1h,confirmed=100,least=1,within=2h'],
  ...['--wave', 'share=100,soak=0s,confirmed=100,least=1,within=2h'],
  ...['--lease', '10m', '--halt-within', '10m'],
];
/** The plan of 4.0.0: everybody at once, also from a file; completed when all four devices have confirmed. */
export const FOR_ALL: readonly string[] = [
  ...['--wave', 'share=100,soak=0s,confirmed=100,least=4,within=2h'],
  ...['--lease', '10m', '--halt-within', '10m', '--offline'],
];

const LOOK_MS = 100;
const WAVE_MS_MAX = 180_000;
const ANSWER_MS_MAX = 60_000;

/** The devices of the first wave, and those that have to wait. */
export type Drawn = { readonly first: readonly Member[]; readonly held: readonly Member[] };

/** Who of `members` lies in the first wave of the plan in the channel file `channel`, once that file is what is published. */
export function drawWaves(channel: Uint8Array, place: Omit<PlanPlace, 'channel'>, members: readonly Member[]): Drawn {
  const part = must(parseChannelPart(must(parseTargets(channel)).signed.firmament));
  if (part.plan === undefined) throw new Error('the channel has a plan');
  const planSha256 = planDigest(part.plan, { ...place, channel: CHANNEL });
  const anchor = sha256Hex(channel);
  const bound = part.plan.waves[0]?.cohortBp ?? 0;
  const isFirst = ({ deviceId }: Member): boolean => cohortOf({ planSha256, anchor, deviceId }) < bound;
  return { first: members.filter(isFirst), held: members.filter((member) => !isFirst(member)) };
}

/** Whether both waves have members. */
export function showsBothWaves({ first, held }: Drawn): boolean {
  return first.length > 0 && held.length > 0;
}

/** Waits until the signer has come to what `wanted` says of the rollout of `release`, and tells it. */
export async function seeRollout(
  stage: Stage,
  { signer }: Pick<PilotRepository, 'signer'>,
  seen: { readonly step: string; readonly release: string; readonly wanted: (status: RolloutStatus) => boolean },
): Promise<void> {
  await tell(stage, { step: `${seen.step} ${seen.release}`, by: 'signer' }, async () => {
    const ask = signerClient(signer.socket, ANSWER_MS_MAX);
    const endsAt = stage.now() + WAVE_MS_MAX;
    for (;;) {
      const answer = await ask('waves', new Uint8Array());
      const status = must(parseRolloutStatuses(answer.facts)).find(({ release }) => release === seen.release);
      if (status !== undefined && seen.wanted(status)) return { digest: status.plan, detail: describe(status) };
      if (stage.now() > endsAt) throw new Error(`no ${seen.step} of ${seen.release}: ${JSON.stringify(status)}`);
      await wait(LOOK_MS);
    }
  });
}

function describe({ open, waves, because, votes }: RolloutStatus): string {
  const said = votes.map(({ expected, confirmed }, wave) => `${confirmed} of ${expected} in wave ${wave + 1}`);
  return `${open} of ${waves} waves open; confirmed by ${said.join(', ')}${because === undefined ? '' : `; ${because}`}`;
}

/** Waits until `device` says that it does not take the release, because of `code`. */
export async function seeHeld(
  stage: Stage,
  { device, name }: { readonly device: DeviceProcess; readonly name: string },
  { release, code }: { readonly release: string; readonly code: 'WAVE_NOT_OPEN' | 'PLAN_HALTED' },
): Promise<void> {
  const word = code === 'PLAN_HALTED' ? 'halted' : 'hold';
  await tell(stage, { step: `${word} ${release}`, by: name }, async () => {
    const held = await device.next(`${code} of ${release}`, (event) => {
      // Before the first wave nobody has a cohort: what is to be seen is that an open wave does not reach this device.
      const isDrawn = code === 'PLAN_HALTED' || typeof event.detail.get('cohort') === 'number';
      return event.step === 'wave' && event.code === code && isDrawn && event.detail.get('release') === release;
    });
    return { code: held.code, detail: String(held.detail.get('detail')) };
  });
}

/** One manager halts the plan in force. */
export async function haltPlan(
  stage: Stage,
  { company, repository }: { readonly company: Company; readonly repository: PilotRepository },
  { release, reason }: { readonly release: string; readonly reason: string },
): Promise<void> {
  const manager = company.managers[1] ?? company.managers[0];
  if (manager === undefined) throw new Error('a channel has managers');
  await tell(stage, { step: `halt ${release}`, by: manager.name }, async () => {
    const { tool, keyFile, passphraseFile } = manager;
    const halted = await tool.run(
      ...['halt', '--root-one', repository.root, '--targets', repository.targets, '--channel', CHANNEL],
      ...['--channel-file', newestEventFile(repository), '--key', keyFile, '--passphrase-file', passphraseFile],
      ...['--reason', reason, '--out', join(repository.desk, `${release}.halt.json`)],
      ...['--signer', repository.signer.socket],
    );
    return { digest: textOf(halted, 'halt'), detail: `${manager.name} alone: ${reason}` };
  });
}
