/**
 * The whole chain on one machine: keys, root, four releases from source to a verified start, and the attacks.
 *
 * - Each link is a process of its own: builder, workflow, control plane, key holders' tool, signer, server, device, and the image that it runs.
 * - Every step is written to the account as it happens; one that does not go as expected is told and ends the chain.
 */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { runAttacks, setScene } from './attack-runs.ts';
import { textOf } from './child.ts';
import { foundCompany, type Company } from './company.ts';
import { runDeviceVerb, startDevice, type DeviceProcess } from './device-process.ts';
import { foundRepository, type PilotRepository } from './founding.ts';
import { listDevice, seeIdentity } from './identities.ts';
import { tryIdentities } from './identity-attacks.ts';
import { showDenials } from './judging.ts';
import { openNetwork, type OverheardNetwork } from './overheard-network.ts';
import { openPushes, type TakePush } from './next-release.ts';
import { carryOffline } from './offline.ts';
import { proposeRelease, releaseBuilder, type BuildRelease, type BuiltRelease } from './builds.ts';
import { publishRelease, RELEASES, toJudge } from './releases.ts';
import { seeFloors, seeRelease } from './seen-on-device.ts';
import { showSigningRefusals } from './signing-refusals.ts';
import { DEVICE_OPTIONS, PRODUCT, runOptions, tell, type Stage } from './stage.ts';
import { startSigner, type SignerProcess } from './signer-process.ts';
import { frontOptions, serveStore, type StoreServer } from './store-server.ts';
import { startWorkflow, type Workflow } from './workflow.ts';

const POLL_MS = '200';

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
  workflow: Promise<Workflow> | undefined;
  signer: SignerProcess | undefined;
  server: StoreServer | undefined;
  network: OverheardNetwork | undefined;
  device: DeviceProcess | undefined;
};

/** Runs the chain to the last attack, and leaves server and device running. @param onServer told the repository's address. */
export async function runChain(stage: Stage, onServer: (url: string) => void): Promise<RunningChain> {
  const running: Running = {
    workflow: undefined,
    signer: undefined,
    server: undefined,
    network: undefined,
    device: undefined,
  };
  const stop = async (): Promise<void> => {
    await running.device?.stop();
    await running.network?.close();
    await running.server?.close();
    await running.signer?.stop();
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
  const company = await makeKeys(stage);
  const build = releaseBuilder(stage, company);
  const building = buildInTurn(build, workflow);
  running.signer = await startSigner(stage, company);
  const repository = await foundRepository(stage, company, running.signer);
  const { flash, deviceKey } = await provision(stage, repository);
  const current = join(stage.folder, 'moments', 'store-current');
  const older = join(stage.folder, 'moments', 'store-older');
  const flashBefore = join(stage.folder, 'moments', 'flash-before');
  let newest: BuiltRelease | undefined;
  let kept: BuiltRelease | undefined;
  for (const built of building) {
    newest = await built;
    await publishRelease(stage, { company, repository }, newest);
    running.server ??= await serveStore([...repository.store.options, ...frontOptions(running.signer)]);
    const url = `${running.server.url}${PRODUCT}/`;
    onServer(url);
    if (running.network === undefined) {
      await listDevice(stage, { company, repository }, deviceKey);
      running.network = await openNetwork(running.server.est ?? '');
    }
    const at = { flash, url, est: running.network.url.href };
    running.device ??= startPilotDevice(stage, at);
    await seeRelease(stage, running.device, { built: newest, kept, flash });
    await seeIdentity(stage, running.device, { company, repository, built: newest, flash });
    if (newest.plan.outcome === 'kept') kept = newest;
    if (newest.plan.release === '2.0.0') await repository.store.copyTo(older);
    if (newest.plan.outcome === 'reverted') await cp(flash, flashBefore, { recursive: true });
  }
  if (newest === undefined || running.server === undefined || running.network === undefined)
    throw new Error('the pilot has releases');
  await running.device?.stop();
  const url = `${running.server.url}${PRODUCT}/`;
  running.device = startPilotDevice(stage, { flash, url, est: running.network.url.href });
  await seeFloors(stage, running.device, newest);
  await carryOffline(stage, { repository, url }, newest);
  await repository.store.copyTo(current);
  await showDenials(stage, { company, repository }, toJudge(repository, newest));
  await showSigningRefusals(stage, { company, repository });
  const scene = await setScene(stage, company, { repository, newest });
  await runAttacks(stage, scene, {
    flash: { current: flash, before: flashBefore },
    store: { current, older },
  });
  await tryIdentities(stage, { flash, flashBefore }, running.network);
  return { push: openPushes(stage, { company, repository, workflow, build, url }), signer: running.signer.socket };
}

async function makeKeys(stage: Stage): Promise<Company> {
  const { company } = await tell(stage, { step: 'keys', by: 'each key holder' }, async () => ({
    company: await foundCompany(join(stage.folder, 'people')),
    detail: 'thirteen keys, each encrypted in a file of its own',
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

async function provision(
  stage: Stage,
  repository: PilotRepository,
): Promise<{ readonly flash: string; readonly deviceKey: string }> {
  const flash = join(stage.folder, 'device', 'flash');
  const { deviceKey } = await tell(stage, { step: 'provision', by: 'factory' }, async () => {
    const made = await runDeviceVerb('provision', ...['--flash', flash, '--root', repository.root, ...DEVICE_OPTIONS]);
    return {
      detail: 'an empty device that trusts root 1, with a secret of its own',
      deviceKey: textOf(made, 'publicKey'),
    };
  });
  return { flash, deviceKey };
}

type DeviceAt = { readonly flash: string; readonly url: string; readonly est: string };

function startPilotDevice(stage: Stage, { flash, url, est }: DeviceAt): DeviceProcess {
  return startDevice(
    [...runOptions(flash, url), '--est', est, '--name', 'gateway-1', '--poll-ms', POLL_MS],
    stage.onDeviceEvent,
  );
}
