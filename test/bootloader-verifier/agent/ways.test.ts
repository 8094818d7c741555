/** Ways on the device: it skips no waypoint, steps back only from what is recalled, and says why where no way leads on. */
import { beforeEach, describe, expect, test } from 'vitest';
import { sha256Hex } from '../../../formats/sha256.ts';
import type { GraphDraft } from '../../../signer/draft-graph.ts';
import { faultFlash, SMALL_FLASH } from '../../../simulation/fault-flash.ts';
import { simulatedImage } from '../../../simulation/simulated-device.ts';
import { seededRandom } from '../../../simulation/seed.ts';
import { SEED } from '../../simulation/seed.ts';
import { makeTinyDevice, steps, type TinyDevice } from '../../tiny-device.ts';
import { makeTinyRepository, type ReleaseOptions, type TinyRepository } from '../../tiny-repository.ts';
import { deviceIn, publishStep, tinyPlan } from '../../tiny-rollout.ts';

let repository: TinyRepository;
beforeEach(async () => {
  repository = await makeTinyRepository({ channels: ['stable'], first: { image: imageOf('1.0.0') } });
});

function imageOf(release: string): Uint8Array {
  return simulatedImage(release, 'healthy');
}

/** Publishes `name` with what it changes of the ways; it is in force unless the draft says otherwise. */
async function release(name: string, graph: GraphDraft = {}, more: ReleaseOptions = {}): Promise<void> {
  await repository.publishRelease({ release: name, image: imageOf(name), ...more, draft: { graph, ...more.draft } });
}

/** The releases whose images `device` has brought to life, each once, in order. */
function lived(device: TinyDevice, names: readonly string[]): readonly string[] {
  const known = new Map(names.map((name) => [sha256Hex(imageOf(name)), name]));
  const ran = device.runs.map(({ sha256 }) => known.get(sha256) ?? sha256);
  return ran.filter((name, i) => name !== ran[i - 1]);
}

async function told(device: TinyDevice): Promise<readonly string[]> {
  return steps(await device.live()).filter((step) =>
    /^(way|wave|install|poll [A-Z]|confirm|trust|slot-refused)/.test(step),
  );
}

describe('waypoints', () => {
  test('a device below a waypoint takes it first and then what is in force, each confirmed, in one life', async () => {
    const device = await makeTinyDevice(repository);
    await device.live();
    await release('2.0.0');
    await release('3.0.0', { waypoints: ['2.0.0'] });
    expect(await told(device)).toEqual(['install', 'confirm', 'install', 'confirm']);
    expect(lived(device, ['1.0.0', '2.0.0', '3.0.0'])).toEqual(['1.0.0', '2.0.0', '3.0.0']);
  });

  test('a device that runs nothing takes what is in force, and a device above the waypoint does not go back to it', async () => {
    await release('2.0.0');
    await release('3.0.0', { waypoints: ['2.0.0'] });
    const bare = await makeTinyDevice(repository);
    await bare.live();
    expect(lived(bare, ['3.0.0'])).toEqual(['3.0.0']);
    await release('4.0.0');
    await bare.live();
    expect(lived(bare, ['2.0.0', '3.0.0', '4.0.0'])).toEqual(['3.0.0', '4.0.0']);
  });

  test('a waypoint for other hardware lies on no way of this device', async () => {
    const device = await makeTinyDevice(repository);
    await device.live();
    await release('2.0.0', {}, { hardwareIds: ['gw-2'] });
    await release('3.0.0', { waypoints: ['2.0.0'] }, { hardwareIds: ['gw-1', 'gw-2'] });
    await device.live();
    expect(lived(device, ['1.0.0', '3.0.0'])).toEqual(['1.0.0', '3.0.0']);
  });

  test('a waypoint waits for the wave of what is in force: nothing moves a device before its wave has come', async () => {
    const blank = await makeTinyDevice(repository);
    await blank.live();
    await release('2.0.0');
    const keys = (repository.signers.get('stable-rollout') ?? []).map(({ key }) => key);
    await repository.publishTargets({ rollouts: [{ channel: 'stable', keys }] });
    await release('3.0.0', { waypoints: ['2.0.0'] }, { draft: { plan: tinyPlan(repository.now) } });
    const first = await makeTinyDevice(repository, {
      flash: blank.flash,
      deviceKey: deviceIn(repository, (c) => c < 5000),
    });
    expect(await told(first)).toEqual(['wave WAVE_NOT_OPEN']);
    await publishStep(repository, [repository.now]);
    expect(await told(first)).toEqual(['install', 'confirm', 'install', 'confirm']);
    expect(lived(first, ['1.0.0', '2.0.0', '3.0.0'])).toEqual(['1.0.0', '2.0.0', '3.0.0']);
  });
});

describe('the boot stage', () => {
  test('what skips a waypoint is not started, though its bundle permits it and the system has put it on trial', async () => {
    const device = await makeTinyDevice(repository);
    await device.live();
    await release('2.0.0');
    await release('3.0.0', { waypoints: ['2.0.0'] });
    const good = (await device.state())?.good ?? 'a';
    const other = good === 'a' ? 'b' : 'a';
    await device.putSlot(other, { bundle: repository.bundle('3.0.0'), image: imageOf('3.0.0') });
    await device.putState({ good, trial: { slot: other, starts: 0 } });
    const started = await device.start();
    expect(started).toMatchObject({ kind: 'started', slot: good, mode: 'normal' });
    expect(started.refused.map(({ refusal }) => refusal.code)).toEqual(['WAYPOINT_FIRST']);
    await device.putSlot(other, { bundle: repository.bundle('2.0.0'), image: imageOf('2.0.0') });
    await device.putState({ good, trial: { slot: other, starts: 0 } });
    expect(await device.start()).toMatchObject({ kind: 'started', slot: other, mode: 'trial' });
  });

  test('an older release of the same counter is not started beside a newer good one, unless that is recalled', async () => {
    const device = await makeTinyDevice(repository);
    await release('2.0.0');
    await device.live();
    const good = (await device.state())?.good ?? 'a';
    const other = good === 'a' ? 'b' : 'a';
    await device.putSlot(other, { bundle: repository.bundle('1.0.0'), image: imageOf('1.0.0') });
    await device.putState({ good, trial: { slot: other, starts: 0 } });
    const refused = (await device.start()).refused.map(({ refusal }) => refusal.code);
    expect(refused).toEqual(['WAY_CLOSED']);
    await release('1.0.0', { recalled: ['2.0.0'] });
    await device.putSlot(other, { bundle: repository.bundle('1.0.0'), image: imageOf('1.0.0') });
    await device.putState({ good, trial: { slot: other, starts: 0 } });
    expect(await device.start()).toMatchObject({ kind: 'started', slot: other, mode: 'trial' });
  });

  test('other images of the release in force are tried, as the agent takes them: no release is in the way of itself', async () => {
    const device = await makeTinyDevice(repository);
    await device.live();
    const good = (await device.state())?.good ?? 'a';
    const other = good === 'a' ? 'b' : 'a';
    const again = await makeTinyRepository({ channels: ['stable'], first: { image: imageOf('1.0.0 again') } });
    await device.putSlot(other, { bundle: again.bundle('1.0.0'), image: imageOf('1.0.0 again') });
    await device.putState({ good, trial: { slot: other, starts: 0 } });
    expect(await device.start()).toMatchObject({ kind: 'started', slot: other, mode: 'trial' });
  });

  test('where what is good passes no more, whatever passes may try: no way leads from nothing', async () => {
    const device = await makeTinyDevice(repository);
    await release('2.0.0');
    await device.putSlot('a', { bundle: repository.bundle('2.0.0'), image: imageOf('1.0.0') });
    await device.putSlot('b', { bundle: repository.bundle('1.0.0'), image: imageOf('1.0.0') });
    await device.putState({ good: 'a', trial: { slot: 'b', starts: 0 } });
    expect(await device.start()).toMatchObject({ kind: 'started', slot: 'b' });
  });
});

describe('recall', () => {
  test('devices that took the recalled release step back, others stay, and both say so', async () => {
    const took = await makeTinyDevice(repository);
    const not = await makeTinyDevice(repository);
    await not.live();
    await release('2.0.0');
    await took.live();
    await release('1.0.0', { recalled: ['2.0.0'] });
    expect(await told(took)).toEqual(['install', 'confirm']);
    expect(lived(took, ['1.0.0', '2.0.0'])).toEqual(['2.0.0', '1.0.0']);
    await not.live();
    expect(lived(not, ['1.0.0', '2.0.0'])).toEqual(['1.0.0']);
    await release('2.1.0');
    await took.live();
    expect(lived(took, ['1.0.0', '2.0.0', '2.1.0'])).toEqual(['2.0.0', '1.0.0', '2.1.0']);
  });

  test('an older release in force that recalls nothing is taken by nobody who runs something newer', async () => {
    await release('2.0.0');
    const device = await makeTinyDevice(repository);
    await device.live();
    await release('1.0.0');
    expect(await told(device)).toEqual(['way RECALL_MISSING']);
    expect(device.runs.at(-1)).toMatchObject({ sha256: sha256Hex(imageOf('2.0.0')) });
  });

  test('no recall leads below the counter that a device has confirmed', async () => {
    await release('2.0.0', {}, { securityCounter: 2 });
    const device = await makeTinyDevice(repository);
    await device.live();
    await device.live();
    await release('1.0.0', { recalled: ['2.0.0'] });
    expect(await told(device)).toEqual(['poll IMAGE_ROLLBACK']);
    expect(device.runs.at(-1)).toMatchObject({ sha256: sha256Hex(imageOf('2.0.0')) });
  });
});

test('a device on a dead end goes on with what it runs, says why, and takes new trust with it', async () => {
  const device = await makeTinyDevice(repository);
  await device.live();
  await release('2.0.0', { deadEnds: [{ release: '1.0.0', reason: 'its flash layout ends here' }] });
  expect(await told(device)).toEqual(['way DEAD_END']);
  expect(device.events.findLast(({ step }) => step === 'way')).toMatchObject({
    detail: { detail: expect.stringContaining('its flash layout ends here') as string },
  });
  await device.live();
  expect((await device.floors()).channelVersions.get('stable')).toBe(2);
});

test('what is installed over certain versions alone is refused by a device with another one, until a waypoint leads there', async () => {
  const device = await makeTinyDevice(repository);
  await device.live();
  await release('1.5.0', {}, { draft: { inForce: '1.0.0' } });
  await release('2.0.0', { from: new Map([['2.0.0', [{ min: '1.5.0', below: undefined }]]]) });
  expect(await told(device)).toEqual(['way WAY_CLOSED']);
  await repository.publishRelease({
    release: '2.0.0',
    image: imageOf('2.0.0'),
    draft: { graph: { waypoints: ['1.5.0'] } },
  });
  await device.live();
  expect(lived(device, ['1.0.0', '1.5.0', '2.0.0'])).toEqual(['1.0.0', '1.5.0', '2.0.0']);
});

test('a power cut at any write between two hops ends at what is in force, through the waypoint', async () => {
  const names = ['1.0.0', '2.0.0', '3.0.0'];
  const before = await makeTinyDevice(repository);
  await before.live();
  await release('2.0.0');
  await release('3.0.0', { waypoints: ['2.0.0'] });
  const lying = before.flash.image();
  const random = seededRandom(SEED);
  let cuts = 0;
  for (let after = 0, isCut = true; isCut; after += 1 + random(3)) {
    const device = await makeTinyDevice(repository, { flash: faultFlash(SMALL_FLASH, lying) });
    device.flash.cutAfter(after, random);
    await device.live();
    isCut = device.flash.lastCut() !== undefined;
    cuts += Number(isCut);
    device.flash.powerOn();
    await device.live();
    const order = lived(device, names);
    expect(order.at(-1), `seed ${SEED}, cut ${after}`).toBe('3.0.0');
    expect(order.indexOf('2.0.0'), `seed ${SEED}, cut ${after}: ${order.join()}`).toBeLessThan(order.indexOf('3.0.0'));
    expect(order, `seed ${SEED}, cut ${after}`).toContain('2.0.0');
  }
  expect(cuts).toBeGreaterThan(5);
});
