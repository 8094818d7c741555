/**
 * Runs the attacks: each against a device process of its own, on a copy of a device's flash, from a server of the attacker's.
 *
 * - A device must refuse with the expected code, and still start what it ran before.
 */
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openFolderStore } from '../ota-server/artifact-store-folder.ts';
import { serve } from '../ota-server/listen.ts';
import type { ComponentDraft, ReleasedFile } from '../signer/draft-channel.ts';
import { repositoryIdOf } from '../signer/repository-id.ts';
import { ROLLOUT_ATTACKS } from './attacks-rollout.ts';
import { ATTACKS, type Attack, type Scene } from './attacks.ts';
import { stealKey, type Company } from './company.ts';
import { startDevice, type ToldEvent } from './device-process.ts';
import type { Member } from './fleet.ts';
import { must, openForgery } from './forgery.ts';
import type { PilotRepository } from './founding.ts';
import { vsaFile } from './judging.ts';
import type { BuiltImage, BuiltRelease } from './builds.ts';
import {
  BUILDER_ID,
  COMPONENT,
  HARDWARE,
  MICROCONTROLLER,
  MICROCONTROLLER_HARDWARE,
  PRODUCT,
  runOptions,
  SOURCE_URI,
  tell,
  type Stage,
} from './stage.ts';
import { hashedTargetPath } from '../formats/names.ts';
import { sha256Hex } from '../formats/sha256.ts';

/** A device waits more than it computes: on two cores four of them finish sooner than two by two. */
const AT_A_TIME = 4;

/** Flash and store as they were at moments that attackers like. */
export type Moments = {
  readonly flash: Readonly<Record<Attack['victim'], string>>;
  readonly store: Readonly<Record<Attack['from'], string>>;
};

const ALL: readonly Attack[] = [...ATTACKS, ...ROLLOUT_ATTACKS];

/** Tries every attack, some at a time, and tells each in order. */
export async function runAttacks(stage: Stage, scene: Scene, moments: Moments): Promise<void> {
  for (let i = 0; i < ALL.length; i += AT_A_TIME) {
    const some = ALL.slice(i, i + AT_A_TIME).map((attack, k) => ({
      attack,
      tried: tryAttack(stage, scene, { attack, moments, folder: join(stage.folder, `attack-${i + k}`) }),
    }));
    await Promise.allSettled(some.map(({ tried }) => tried));
    for (const { attack, tried } of some) await tellAttack(stage, attack, await tried);
  }
}

type Tried = { readonly events: readonly ToldEvent[]; readonly tookMs: number };

async function tryAttack(
  stage: Stage,
  scene: Scene,
  trial: { readonly attack: Attack; readonly moments: Moments; readonly folder: string },
): Promise<Tried> {
  const startedAt = stage.now();
  const { attack, moments, folder } = trial;
  const flash = join(folder, 'flash');
  await cp(moments.flash[attack.victim], flash, { recursive: true });
  const { repository, now, holders } = scene;
  const online = { snapshot: holders.snapshot, timestamp: holders.timestamp, log: holders.log };
  const from = moments.store[attack.from];
  const forgery = await openForgery(from, join(folder, 'store'), { repository, now, online });
  await attack.prepare(forgery, scene);
  const server = await serve({
    store: await openFolderStore(forgery.store),
    host: '127.0.0.1',
    port: 0,
    log: () => undefined,
  });
  try {
    const url = `http://127.0.0.1:${server.port}/r/${PRODUCT}/`;
    const device = startDevice([...runOptions(flash, url), '--until-settled'], () => undefined);
    await device.ended;
    return { events: device.events, tookMs: stage.now() - startedAt };
  } finally {
    await server.close();
  }
}

async function tellAttack(stage: Stage, attack: Attack, { events, tookMs }: Tried): Promise<void> {
  const polled = events.find(({ step }) => step === 'poll' || step === 'install' || step === 'wave');
  const started = events.filter(({ step }) => step === 'start');
  // A release that is held is no fault of the device's: what counts is that it is not taken, and why.
  const refused = (polled?.ok === false || polled?.step === 'wave') && polled.code === attack.expected;
  const stands = started.length === 1 && events.every(({ step }) => step !== 'install');
  await tell(stage, { step: `attack: ${attack.name}`, by: 'attacker' }, () =>
    Promise.resolve({
      ok: refused && stands,
      digest: started[0]?.digest,
      code: polled?.code ?? 'none',
      detail: refused ? `refused; the device runs ${textOf(started[0])} as before` : `${attack.expected} was expected`,
      tookMs,
    }),
  );
}

function textOf(event: ToldEvent | undefined): string {
  const release = event?.detail.get('release');
  return typeof release === 'string' ? release : 'nothing';
}

/** What the attackers of the pilot have stolen, and what they know of the newest release. */
export async function setScene(
  stage: Stage,
  company: Company,
  made: { readonly repository: PilotRepository; readonly newest: BuiltRelease; readonly held: Member },
): Promise<Scene> {
  const [owners, managers, snapshot, timestamp, log, rollout, builder] = await Promise.all([
    Promise.all(company.owners.map(stealKey)),
    Promise.all(company.managers.map(stealKey)),
    stealKey(company.snapshot),
    stealKey(company.timestamp),
    stealKey(company.log),
    stealKey(company.rollout),
    stealKey(company.builder),
  ]);
  const { newest, repository, held } = made;
  const image = await readFile(newest.image);
  return {
    heldId: held.deviceId,
    repository: must(repositoryIdOf(await readFile(repository.root))),
    now: stage.now(),
    holders: {
      owners,
      managers,
      snapshot,
      timestamp,
      log,
      rollout,
      builder: { id: BUILDER_ID, key: builder.key, source: SOURCE_URI },
    },
    newest: {
      component: COMPONENT,
      firmwareVersion: newest.plan.release,
      securityCounter: newest.plan.securityCounter,
      hardwareIds: [HARDWARE],
      installer: 'slot',
      ...(await draftedFiles(newest, 'gateway.js')),
    },
    microcontroller: {
      component: MICROCONTROLLER,
      firmwareVersion: newest.plan.microcontroller.version,
      securityCounter: newest.plan.microcontroller.securityCounter,
      hardwareIds: [MICROCONTROLLER_HARDWARE],
      installer: 'transfer',
      ...(await draftedFiles(newest.microcontroller, 'hub.bin')),
    },
    image: {
      name: hashedTargetPath({ name: `${newest.plan.release}/${COMPONENT}/gateway.js`, sha256: newest.sha256 }),
      bytes: image,
    },
    microcontrollerProvenance: await readFile(newest.microcontroller.provenance),
    provenance: await readFile(newest.provenance),
    vsa: await readFile(vsaFile(repository, { release: newest.plan.release, component: COMPONENT })),
  };
}

/** Image and provenance of what was built, as a channel names them. */
async function draftedFiles(built: BuiltImage, name: string): Promise<Pick<ComponentDraft, 'image' | 'provenance'>> {
  const released = (file: string, bytes: Uint8Array): ReleasedFile => ({
    file,
    length: bytes.length,
    sha256: sha256Hex(bytes),
  });
  return {
    image: released(name, await readFile(built.image)),
    provenance: released('provenance.json', await readFile(built.provenance)),
  };
}
