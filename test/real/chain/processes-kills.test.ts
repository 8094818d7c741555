/** Real processes of the chain killed at random moments: each round finishes after a restart, and nothing confirmed is lost. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runDeviceVerb, startDevice, type DeviceProcess } from '../../../pilot/device-process.ts';
import { DEVICE_OPTIONS, microcontrollerOf, PRODUCT, runOptions } from '../../../pilot/stage.ts';
import { serveStore, type StoreServer } from '../../../pilot/store-server.ts';
import { seededRandom, type Random } from '../../../simulation/seed.ts';
import { SEED } from '../../simulation/seed.ts';
import { changeOf, copyFolder, countPlaces, lastWritten, makeKilledChain, type KilledChain } from './killed-chain.ts';

/** Kills of each process. */
const KILLS = 30;
/** Each kind of write is hit this often; rounds go on until it is so. */
const HITS = 5;
const ROUNDS_MAX = 120;
/** Rounds at a time, one a core. */
const LANES = 2;
const TEST_MS_MAX = 900_000;
/** What a device writes between two releases, by the file that holds it. */
const REGIONS = ['cache', 'slot-b', 'bundle-b', 'state', 'protected'] as const;

let chain: KilledChain;
let server: StoreServer;
let confirmedFirst = '';
beforeAll(async () => {
  chain = await makeKilledChain();
  const [first, second] = chain.releases;
  await chain.publish(first);
  server = await serveStore(['--store', chain.store]);
  confirmedFirst = join(chain.folder, 'flash');
  await runDeviceVerb(...['provision', '--flash', confirmedFirst, '--root', chain.repository.root, ...DEVICE_OPTIONS]);
  const device = startOn(confirmedFirst, server);
  await device.next('the first release, settled', isNormalStartOf(first.sha256));
  await device.stop();
  await chain.publish(second);
});
afterAll(async () => {
  await server.close();
  await chain.remove();
});

type Round = { readonly lane: number; readonly round: number; readonly random: Random };

/** Does rounds side by side, each lane with what it kills to itself, until `isDone`. @returns how many there were. */
async function inLanes(isDone: (rounds: number) => boolean, work: (round: Round) => Promise<void>): Promise<number> {
  let rounds = 0;
  const lanes = Array.from({ length: LANES }, async (_, lane) => {
    const random = seededRandom(SEED + lane);
    while (rounds < ROUNDS_MAX && !isDone(rounds)) await work({ lane, round: rounds++, random });
  });
  await Promise.all(lanes);
  return rounds;
}

/** Flash of a device that has confirmed the first release, and that of its microcontroller, for one round of a lane. */
async function confirmedFlash(lane: number): Promise<string> {
  const flash = await copyFolder(confirmedFirst, join(chain.folder, `lane-${lane}`, 'flash'));
  await copyFile(microcontrollerOf(confirmedFirst), microcontrollerOf(flash));
  return flash;
}

function startOn(flash: string, { url }: StoreServer): DeviceProcess {
  return startDevice(
    [...runOptions(flash, `${url}${PRODUCT}/`), '--poll-ms', '40', '--until-settled'],
    () => undefined,
  );
}

function isNormalStartOf(digest: string): (event: DeviceProcess['events'][number]) => boolean {
  return (event) => event.step === 'start' && event.digest === digest && event.detail.get('mode') === 'normal';
}

test(
  `a device that is killed at any of its writes ends with the new release, confirmed, its floors raised (seed ${SEED})`,
  async () => {
    const places = countPlaces();
    const [, second] = chain.releases;
    const isDone = (rounds: number): boolean => rounds >= KILLS && REGIONS.every((region) => places.of(region) >= HITS);
    const rounds = await inLanes(isDone, async ({ lane, round, random }) => {
      const flash = await confirmedFlash(lane);
      const killed = startOn(flash, server);
      const wanted = REGIONS.find((region) => places.of(region) < HITS);
      const region = wanted ?? REGIONS[random(REGIONS.length)] ?? 'state';
      await changeOf(flash, { name: region, count: 1 + random(4), ended: killed.ended });
      await wait(random(3));
      await killed.kill();
      places.add(await lastWritten(flash));
      const device = startOn(flash, server);
      const started = await device.next(`round ${round}: the new release, settled`, isNormalStartOf(second.sha256));
      expect(started.detail.get('counterFloor'), `round ${round}`).toBe(second.plan.securityCounter);
      await device.stop();
    });
    process.stdout.write(`${rounds} kills of the device fell at: ${places.text()}\n`);
    for (const region of REGIONS) expect(places.of(region), region).toBeGreaterThanOrEqual(HITS);
  },
  TEST_MS_MAX,
);

test(
  `a device whose server is killed at a random moment of its update finishes once the server is back (seed ${SEED})`,
  async () => {
    const places = countPlaces();
    const [, second] = chain.releases;
    const rounds = await inLanes(
      (done) => done >= KILLS,
      async ({ lane, round, random }) => {
        const flash = await confirmedFlash(lane);
        const own = await serveStore(['--store', chain.store]);
        const device = startDevice([...runOptions(flash, `${own.url}${PRODUCT}/`), '--poll-ms', '40'], () => undefined);
        await device.next('the start', ({ step }) => step === 'start');
        await wait(random(700));
        await own.kill();
        places.add(device.events.at(-1)?.step ?? 'nothing');
        await wait(random(100));
        const again = await serveStore(['--store', chain.store, '--port', new URL(own.url).port]);
        const confirmed = await device.next(`round ${round}: the confirmation`, ({ step }) => step === 'confirm');
        expect(confirmed.digest, `round ${round}`).toBe(second.sha256);
        await device.stop();
        await again.close();
      },
    );
    process.stdout.write(`${rounds} kills of the server fell after these events of the device: ${places.text()}\n`);
  },
  TEST_MS_MAX,
);
