/**
 * P5 on the device: power is cut during every single write of a whole life, torn at the first byte, at the last and in between.
 *
 * - The life: install 1, confirm, restart; install 2, confirm, restart; install 3, which fails and is reverted; install 4.
 * - After each cut: whatever starts is approved and, as the good one, has passed its self-test; a device that once had a good
 *   image never needs recovery; floors never fall and never exceed what has passed; and the life is completed, for one cut
 *   of each write to its very end.
 */
import { beforeAll, expect, test } from 'vitest';
import { sha256Hex } from '../../../formats/sha256.ts';
import { provisionDevice } from '../../../bootloader-verifier/agent/provision.ts';
import { REGIONS } from '../../../bootloader-verifier/boot/flash.ts';
import { faultFlash, SMALL_FLASH, type FaultFlash, type Place } from '../../../simulation/fault-flash.ts';
import { seededRandom, type Random } from '../../../simulation/seed.ts';
import { simulatedImage, type Behaviour } from '../../../simulation/simulated-device.ts';
import { SEED } from '../../simulation/seed.ts';
import { floorsOf, makeTinyDevice, rememberingCheck, type TinyDevice } from '../../tiny-device.ts';
import { makeTinyRepository, type TinyRepository } from '../../tiny-repository.ts';

type Stage = {
  readonly sha256: string;
  readonly counter: number;
  readonly passes: boolean;
  readonly channelVersion: number;
  /** What the server serves from here on. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What the device runs in the end, and its counter floor. */
  readonly expected: { readonly sha256: string; readonly counter: number };
  /** Flash before this stage, of a device that nothing happened to. */
  before: ReadonlyMap<Place, Uint8Array>;
};

const RESTARTS_MAX = 4;
/** Where a write is torn: before its first byte, behind its last one, and at three random bytes. */
const TEARS: readonly ((below: number, random: Random) => number)[] = [
  () => 0,
  (below) => below - 1,
  (below, random) => random(below),
  (below, random) => random(below),
  (below, random) => random(below),
];

let repository: TinyRepository;
const stages: Stage[] = [];
const cuts = new Map<Place, number>();

beforeAll(async () => {
  const hub = { component: 'hub', hardwareId: 'primehub', installer: 'transfer' } as const;
  repository = await makeTinyRepository({ parts: [hub], first: { image: simulatedImage('one', 'healthy') } });
  addStage('one', 'healthy', 1);
  for (const [name, behaviour, counter] of [
    ['two', 'healthy', 2],
    ['three', 'unhealthy', 3],
    ['four', 'healthy', 3],
  ] as const) {
    await repository.publishRelease({ image: simulatedImage(name, behaviour), securityCounter: counter });
    addStage(name, behaviour, counter);
  }
  const flash = faultFlash(SMALL_FLASH);
  await provisionDevice(flash.view('factory'), repository.factory, rememberingCheck());
  for (const stage of stages) {
    stage.before = flash.image();
    await (await deviceAt(stage, flash)).live();
  }
});

function addStage(name: string, behaviour: Behaviour, counter: number): void {
  const sha256 = sha256Hex(simulatedImage(name, behaviour));
  const passes = behaviour === 'healthy';
  const kept = passes ? { sha256, counter } : stages.at(-1)?.expected;
  if (kept === undefined) throw new Error('the first stage passes');
  const files = new Map(repository.files);
  stages.push({ sha256, counter, passes, channelVersion: stages.length + 1, files, expected: kept, before: new Map() });
}

function deviceAt(stage: Stage, flash: FaultFlash): Promise<TinyDevice> {
  return makeTinyDevice(repository, { flash, files: stage.files });
}

type Watch = { readonly where: string; readonly hadGood: boolean; counter: number; channel: number };

/** One life with power, held to everything that must be true of each. */
async function liveWatched(stage: Stage, flash: FaultFlash, watch: Watch): Promise<TinyDevice> {
  const device = await deviceAt(stage, flash);
  const told = await device.live();
  const known = stages.slice(0, stages.indexOf(stage) + 1);
  for (const { sha256, mode } of device.runs) {
    const approved = known.find((release) => release.sha256 === sha256);
    expect(approved, `${watch.where}: an image that nobody approved runs`).toBeDefined();
    if (mode === 'normal') expect(approved?.passes, `${watch.where}: a failed image starts as good`).toBe(true);
  }
  if (watch.hadGood)
    expect(
      told.map(({ step }) => step),
      watch.where,
    ).not.toContain('recovery');
  if (!flash.isOn()) return device;
  const floors = await floorsOf(flash);
  const counter = floors.securityCounters.get('gateway') ?? -1;
  const channel = floors.channelVersions.get('stable') ?? -1;
  const passed = known.filter((release) => release.passes).map((release) => release.counter);
  expect(counter, watch.where).toBeGreaterThanOrEqual(watch.counter);
  expect(channel, watch.where).toBeGreaterThanOrEqual(watch.channel);
  expect(counter, watch.where).toBeLessThanOrEqual(Math.max(...passed));
  expect(channel, watch.where).toBeLessThanOrEqual(stage.channelVersion);
  Object.assign(watch, { counter, channel });
  return device;
}

/** Lives with power until the release of the stage runs, in few restarts; floors stand where it has brought them. */
async function complete(stage: Stage, flash: FaultFlash, watch: Watch): Promise<void> {
  const device = await liveWatched(stage, flash, watch);
  expect(device.events.filter(({ step }) => step === 'start').length, watch.where).toBeLessThanOrEqual(RESTARTS_MAX);
  expect(device.runs.at(-1), watch.where).toEqual({ sha256: stage.expected.sha256, mode: 'normal' });
  await device.start();
  expect((await device.floors()).securityCounters.get('gateway'), watch.where).toBe(stage.expected.counter);
}

/** Cuts write `writes` of the stage; undefined once the stage has fewer writes. */
async function cutOnce(stage: Stage, writes: number, tear: number): Promise<Place | undefined> {
  const flash = faultFlash(SMALL_FLASH, stage.before);
  const index = stages.indexOf(stage);
  const where = `stage ${index + 1}, write ${writes}, tear ${tear}, seed ${SEED}`;
  const floors = await floorsOf(flash);
  const watch: Watch = {
    where,
    hadGood: index > 0,
    counter: floors.securityCounters.get('gateway') ?? 0,
    channel: floors.channelVersions.get('stable') ?? 0,
  };
  const random = seededRandom(SEED + 1000 * writes + tear);
  flash.cutAfter(writes, (below) => (TEARS[tear] ?? random)(below, random));
  await liveWatched(stage, flash, watch);
  const cut = flash.lastCut();
  if (cut === undefined) return undefined;
  flash.powerOn();
  await complete(stage, flash, watch);
  const last = stages.at(-1);
  if (tear === 0 && last !== undefined && last !== stage) await complete(last, flash, watch);
  return cut.region;
}

test.each([0, 1, 2, 3])(
  'a power cut at any write of stage %i leaves a device that starts an approved image and completes its life',
  async (index) => {
    const stage = stages[index] ?? expect.unreachable();
    let isOver = false;
    for (let writes = 0; !isOver; writes++) {
      for (const tear of TEARS.keys()) {
        const region = await cutOnce(stage, writes, tear);
        if (region !== undefined) cuts.set(region, (cuts.get(region) ?? 0) + 1);
        isOver = region === undefined;
      }
    }
  },
  300_000,
);

test('the cuts have hit each kind of region that a device writes at least five times', () => {
  console.log(`power cuts by region: ${[...cuts].map(([region, count]) => `${region} ${count}`).join(', ')}`);
  for (const region of REGIONS.filter((name) => !['factory', 'identity', 'credentials', 'reports'].includes(name))) {
    expect(cuts.get(region) ?? 0, region).toBeGreaterThanOrEqual(5);
  }
});

test('a power cut at any write of the provisioning leaves a device that can be provisioned, or is', async () => {
  const check = rememberingCheck();
  const random = seededRandom(SEED);
  const blank = { ...repository.factory, secret: new Uint8Array(32).fill(7) };
  for (let writes = 0; ; writes++) {
    const flash = faultFlash(SMALL_FLASH);
    flash.cutAfter(writes, random);
    const factory = flash.view('factory');
    const cut = await provisionDevice(factory, blank, check).catch(() => undefined);
    if (cut !== undefined) break;
    flash.powerOn();
    const again = await provisionDevice(factory, blank, check);
    expect(again.ok || again.code === 'DEVICE_PROVISIONED', `write ${writes}, seed ${SEED}`).toBe(true);
    expect((await floorsOf(flash)).root.version).toBe(1);
    expect((await (await deviceAt(stages[0] ?? expect.unreachable(), flash)).live()).at(-1)?.step).toBe('stop');
  }
});
