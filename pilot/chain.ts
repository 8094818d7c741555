/**
 * The whole chain on one machine: keys, root, four releases from source to a verified start, and the attacks.
 *
 * - Each link is a process of its own: builder, workflow, control plane, key holders' tool, signer, server, device, and the image that it runs.
 * - Every step is written to the account as it happens; one that does not go as expected is told and ends the chain.
 */
import { join } from 'node:path';
import { runAttacks, setScene } from './attack-runs.ts';
import { proposeRelease, releaseBuilder, type BuildRelease, type BuiltRelease } from './builds.ts';
import { foundCompany, type Company } from './company.ts';
import { makeFleet, switchAllOff, switchOff, switchOn, type Fleet } from './fleet.ts';
import { foundRepository } from './founding.ts';
import { bringFirst, bringInWaves, bringRepaired, haltFaulty, type MidwayMoments, type Way } from './journey.ts';
import { tryIdentities } from './identity-attacks.ts';
import { showDenials } from './judging.ts';
import { openNetwork, type OverheardNetwork } from './overheard-network.ts';
import { openPushes, type TakePush } from './next-release.ts';
import { carryOffline } from './offline.ts';
import { publishRelease, RELEASES, toJudge } from './releases.ts';
import { seeFloors } from './seen-on-device.ts';
import { startSigner, type SignerProcess } from './signer-process.ts';
import { showSigningRefusals } from './signing-refusals.ts';
import { PRODUCT, tell, type Stage } from './stage.ts';
import { frontOptions, serveStore, type StoreServer } from './store-server.ts';
import { startWorkflow, type Workflow } from './workflow.ts';

/** What runs on after the chain, until it is stopped. */
export type RunningChain = {
  /** Takes a changed firmware to its draft. */
  readonly push: TakePush;
  /** The signer's socket. */
  readonly signer: string;
  readonly stop: () => Promise<void>;
};

/** What has been started so far, so that whatever happens it can be stopped. */
type Running = {
  workflow?: Promise<Workflow>;
  company?: Company;
  signer?: SignerProcess;
  server?: StoreServer;
  network?: OverheardNetwork;
  fleet?: Fleet;
};

/** Runs the chain to the last attack, and leaves servers and a device running. @param onServer told the repository's address. */
export async function runChain(stage: Stage, onServer: (url: string) => void): Promise<RunningChain> {
  const running: Running = {};
  const stop = async (): Promise<void> => {
    if (running.fleet !== undefined) await switchAllOff(running.fleet);
    await running.network?.close();
    await running.server?.close();
    await running.signer?.stop();
    await running.company?.close();
    await (await running.workflow)?.stop();
  };
  try {
    return { ...(await runLinks(stage, running, onServer)), stop };
  } catch (fault) {
    await stop();
    throw fault;
  }
}

async function runLinks(
  stage: Stage,
  running: Running,
  onServer: (url: string) => void,
): Promise<Pick<RunningChain, 'push' | 'signer'>> {
  running.workflow = startWorkflow(stage);
  const workflow = await running.workflow;
  const company = (running.company = await makeKeys(stage));
  const build = releaseBuilder(stage, company);
  const [one, two, three, four] = buildInTurn(build, workflow);
  if (one === undefined || two === undefined || three === undefined || four === undefined) {
    throw new Error('the pilot has four releases');
  }
  running.signer = await startSigner(stage, company);
  const repository = await foundRepository(stage, company, running.signer);
  const fleet = (running.fleet = await makeFleet(stage, repository));
  const first = await one;
  await publishRelease(stage, { company, repository }, first);
  running.server = await serveStore([...repository.store.options, ...frontOptions(running.signer)]);
  const url = `${running.server.url}${PRODUCT}/`;
  onServer(url);
  running.network = await openNetwork(running.server.est ?? '');
  const way: Way = { stage, company, repository, fleet, url, est: running.network.url.href };
  await bringFirst(way, first);
  const second = await two;
  await bringInWaves(way, { built: second, kept: first });
  const older = join(stage.folder, 'moments', 'store-older');
  await repository.store.copyTo(older);
  const midway = await haltFaulty(way, { built: await three, kept: second });
  const newest = await four;
  await bringRepaired(way, { built: newest, kept: second }, midway.leader);
  await showRest(way, { midway, older, newest });
  await tryIdentities(stage, { flash: fleet.first.flash, flashBefore: midway.identityBefore }, running.network);
  switchOn(way, fleet.first);
  return { push: openPushes(stage, { company, repository, workflow, build, url }), signer: running.signer.socket };
}

/** What is shown once the last release is everywhere: the floors, the device without network, and all that is refused. */
async function showRest(
  way: Way,
  made: { readonly midway: MidwayMoments; readonly older: string; readonly newest: BuiltRelease },
): Promise<void> {
  const { stage, company, repository, fleet } = way;
  const { midway, older, newest } = made;
  const { leader } = midway;
  for (const member of fleet.online) await switchOff(fleet, member);
  await seeFloors(stage, { device: switchOn(way, leader), name: leader.name }, newest);
  await carryOffline(stage, way, newest);
  const current = join(stage.folder, 'moments', 'store-current');
  await repository.store.copyTo(current);
  await showDenials(stage, { company, repository }, toJudge(repository, newest));
  await showSigningRefusals(stage, { company, repository });
  const scene = await setScene(stage, company, { repository, newest, held: midway.held });
  await runAttacks(stage, scene, {
    flash: { ...midway.flash, current: leader.flash },
    store: { current, older, planned: midway.planned },
  });
}

async function makeKeys(stage: Stage): Promise<Company> {
  const { company } = await tell(stage, { step: 'keys', by: 'each key holder' }, async () => ({
    company: await foundCompany(join(stage.folder, 'people')),
    detail: 'fourteen keys, each encrypted in a file of its own',
  }));
  return company;
}

/** Builds and proposes one release after the other, beside whatever else goes on. */
function buildInTurn(build: BuildRelease, workflow: Workflow): readonly Promise<BuiltRelease>[] {
  let former: Promise<unknown> = Promise.resolve();
  return RELEASES.map((plan) => {
    const built = former.then(async () => proposeRelease(workflow, await build(plan)));
    built.catch(() => undefined);
    former = built;
    return built;
  });
}
