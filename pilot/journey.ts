/**
 * The way of the four releases through the fleet: one at a device's desk, one in two waves, one that is halted, one for all.
 *
 * - Each part ends once the devices themselves have said what became of the release.
 * - What an attacker would like to have kept is copied at its moment: flash before a repair, a store before a halt.
 */
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RolloutStatus } from '../formats/rollout-status.ts';
import { repositoryIdOf } from '../signer/repository-id.ts';
import type { BuiltRelease } from './builds.ts';
import type { Company } from './company.ts';
import { listDevices, switchOff, switchOn, type Fleet, type Member } from './fleet.ts';
import { must } from './forgery.ts';
import type { PilotRepository } from './founding.ts';
import { seeIdentity } from './identities.ts';
import { publishRelease, type ReleaseRollout } from './releases.ts';
import {
  drawWaves,
  FOR_ALL,
  haltPlan,
  seeHeld,
  seeRollout,
  showsBothWaves,
  SLOW_WAVES,
  TWO_WAVES,
  type Drawn,
} from './rollout.ts';
import { seeRelease } from './seen-on-device.ts';
import { tell, type Stage } from './stage.ts';

export type Way = {
  readonly stage: Stage;
  readonly company: Company;
  readonly repository: PilotRepository;
  readonly fleet: Fleet;
  /** The product's address, for devices; and where the first of them gets its identities. */
  readonly url: string;
  readonly est: string;
};
/** A release, and the one that devices have kept before it. */
export type Next = { readonly built: BuiltRelease; readonly kept: BuiltRelease };

/** The first release, which is published already: to one device, without a plan. The factory lists its devices meanwhile. */
export async function bringFirst(way: Way, built: BuiltRelease): Promise<void> {
  const { stage, fleet } = way;
  await listDevices(stage, { ...way, batch: 'first' }, fleet.online);
  await seeRelease(stage, switchOn(way, fleet.first), { built, kept: undefined, member: fleet.first });
  await seeFirstIdentity(way, built);
}

/** In two waves: a device of the second is held until all of the first have confirmed. */
export async function bringInWaves(way: Way, { built, kept }: Next): Promise<void> {
  const { stage, fleet, repository } = way;
  const { release } = built.plan;
  await switchOff(fleet, fleet.first);
  const { leader } = await seeFirstWave(way, { built, kept }, TWO_WAVES);
  await seeRollout(stage, repository, { step: 'wave 2', release, wanted: ({ open }) => open === 2 });
  await seeFollowers(way, built, leader);
  await seeRollout(stage, repository, {
    ...{ step: 'completed', release },
    wanted: ({ because }) => because === 'completed',
  });
  await seeFirstIdentity(way, built);
}

/** The first device proves the boot of the release that it keeps, and gets a certificate for it. */
async function seeFirstIdentity(way: Way, built: BuiltRelease): Promise<void> {
  const { stage, fleet } = way;
  await seeIdentity(stage, switchOn(way, fleet.first), { ...way, built, flash: fleet.first.flash });
}

/** What an attacker copies while a release is in its first wave. */
export type MidwayMoments = {
  readonly leader: Member;
  readonly held: Member;
  readonly flash: Readonly<Record<'before' | 'held', string>>;
  readonly planned: string;
  /** Flash of the first device, with the identity that it had then. */
  readonly identityBefore: string;
};

/** Fails on the first device that takes it; one manager halts it, and the others refuse it. */
export async function haltFaulty(way: Way, { built, kept }: Next): Promise<MidwayMoments> {
  const { stage, repository } = way;
  const { release } = built.plan;
  const { leader, held } = await seeFirstWave(way, { built, kept }, SLOW_WAVES);
  const moment = (name: string): string => join(stage.folder, 'moments', name);
  const flash = { before: moment('flash-before'), held: moment('flash-held') };
  await cp(leader.flash, flash.before, { recursive: true });
  await cp(held.flash, flash.held, { recursive: true });
  await cp(way.fleet.first.flash, moment('identity-before'), { recursive: true });
  await repository.store.copyTo(moment('store-planned'));
  await haltPlan(stage, way, { release, reason: 'its self-test fails on devices of the first wave' });
  await seeHeld(stage, { device: switchOn(way, held), name: held.name }, { release, code: 'PLAN_HALTED' });
  return { leader, held, flash, planned: moment('store-planned'), identityBefore: moment('identity-before') };
}

/** The repaired release, for everybody at once; its rollout is completed once all devices have said so. */
export async function bringRepaired(way: Way, { built, kept }: Next, leader: Member): Promise<void> {
  const { stage, fleet, repository, company } = way;
  const { release } = built.plan;
  await listDevices(stage, { ...way, batch: 'second' }, [fleet.offline]);
  const rollout = { options: FOR_ALL, fits: (): boolean => true };
  await publishRelease(stage, { company, repository, rollout }, built);
  await seeRollout(stage, repository, { step: 'wave 1', release, wanted: ({ open }) => open >= 1 });
  await seeRelease(stage, switchOn(way, leader), { built, kept, member: leader });
  await seeFollowers(way, built, leader);
  const heard = ({ votes }: RolloutStatus): boolean => votes[0]?.confirmed === fleet.online.length;
  await seeRollout(stage, repository, { step: 'heard', release, wanted: heard });
  await seeFirstIdentity(way, built);
}

/** Has a release approved with the plan in `options`, as often as it takes to draw both waves, and publishes it. */
async function publishDrawn(way: Way, built: BuiltRelease, options: readonly string[]): Promise<Drawn> {
  const { stage, company, repository, fleet } = way;
  const place = must(repositoryIdOf(await readFile(repository.root)));
  let drawn: Drawn = { first: [], held: [] };
  const rollout: ReleaseRollout = {
    options,
    fits: (channel) => {
      drawn = drawWaves(channel, place, fleet.online);
      return showsBothWaves(drawn);
    },
  };
  await publishRelease(stage, { company, repository, rollout }, built);
  return drawn;
}

/**
 * Publishes a release in waves, and shows its first one: who waits is seen held before anybody of that wave is switched on.
 * @returns the device of the first wave that was shown, and one that waits; all devices run.
 */
async function seeFirstWave(
  way: Way,
  { built, kept }: Next,
  options: readonly string[],
): Promise<{ readonly leader: Member; readonly held: Member }> {
  const { stage, repository } = way;
  const { release } = built.plan;
  const drawn = await publishDrawn(way, built, options);
  await seeRollout(stage, repository, { step: 'wave 1', release, wanted: ({ open }) => open >= 1 });
  const [waiting] = drawn.held.map((held) => ({ held, device: switchOn(way, held) }));
  if (waiting === undefined) throw new Error('somebody is held');
  const { held } = waiting;
  await seeHeld(stage, { device: waiting.device, name: held.name }, { release, code: 'WAVE_NOT_OPEN' });
  const [shown] = drawn.first.map((leader) => ({ leader, device: switchOn(way, leader) }));
  if (shown === undefined) throw new Error('a first wave has members');
  const { leader } = shown;
  await seeRelease(stage, shown.device, { built, kept, member: leader });
  return { leader, held };
}

/** Waits until all devices but `leader` have confirmed the release, too. */
async function seeFollowers(way: Way, built: BuiltRelease, leader: Member): Promise<void> {
  const { stage, fleet } = way;
  const followers = fleet.online.filter(({ name }) => name !== leader.name);
  await tell(
    stage,
    { step: `follow ${built.plan.release}`, by: followers.map(({ name }) => name).join(', ') },
    async () => {
      const waiting = followers.map((member) =>
        switchOn(way, member).next(
          `confirmation of ${built.plan.release}`,
          ({ step, digest }) => step === 'confirm' && digest === built.sha256,
        ),
      );
      await Promise.all(waiting);
      return { digest: built.sha256, detail: 'each installed, tried and confirmed it by itself' };
    },
  );
}
