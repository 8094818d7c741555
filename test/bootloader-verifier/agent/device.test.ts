/** The life of a device: trial, confirmation, revert; what it does when nothing works, and what each poll costs. */
import { beforeEach, expect, test } from 'vitest';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { readBundle } from '../../../bootloader-verifier/boot/slot.ts';
import type { Flash, Region } from '../../../bootloader-verifier/boot/flash.ts';
import { faultFlash, SMALL_FLASH, type FaultFlash, type Place } from '../../../simulation/fault-flash.ts';
import type { NetworkFault } from '../../../simulation/fault-network.ts';
import { simulatedImage, type Behaviour } from '../../../simulation/simulated-device.ts';
import { seededRandom } from '../../../simulation/seed.ts';
import { SEED } from '../../simulation/seed.ts';
import { makeTinyDevice, steps, type TinyDevice } from '../../tiny-device.ts';
import { makeTinyRepository, type ReleaseOptions, type TinyRepository } from '../../tiny-repository.ts';

const POLL_MS = 300_000;
const DAY_MS = 86_400_000;

let repository: TinyRepository;
let fault: ((name: string, index: number) => NetworkFault | undefined) | undefined;
let device: TinyDevice;

beforeEach(async () => {
  fault = undefined;
  repository = await makeTinyRepository({ first: { image: simulatedImage('one', 'healthy') } });
  device = await makeTinyDevice(repository, { faults: { choose: ({ name }, index) => fault?.(name, index) } });
});

function publish(
  name: string,
  behaviour: Behaviour,
  options: ReleaseOptions = {},
): ReturnType<TinyRepository['publishRelease']> {
  return repository.publishRelease({ image: simulatedImage(name, behaviour), ...options });
}

/** The image that the device ran last. */
function running(): string | undefined {
  return device.runs.at(-1)?.sha256;
}

async function endLife(life: Promise<void>): Promise<void> {
  device.flash.cutPower();
  await life;
  device.flash.powerOn();
}

function writesOf(region: Region): number {
  return device.flash.writes().get(region) ?? 0;
}

test('a blank device installs the release in force, tries it, confirms it, and settles with risen floors', async () => {
  expect(steps(await device.live())).toEqual([
    'slot-refused SLOT_EMPTY',
    'slot-refused SLOT_EMPTY',
    'recovery NO_BOOTABLE_SLOT',
    'install',
    'start',
    'self-test',
    'confirm',
    'poll',
    'start',
    'self-test',
    'poll',
    'stop',
  ]);
  expect(device.runs.map(({ mode }) => mode)).toEqual(['trial', 'normal']);
  expect((await device.floors()).securityCounters.get('gateway')).toBe(1);
});

test('a healthy release replaces the one that runs, in the other slot', async () => {
  await device.live();
  const two = await publish('two', 'healthy', { securityCounter: 2 });
  await device.live();
  expect(running()).toBe(sha256Hex(two.image));
  expect(await device.state()).toMatchObject({ good: 'b', trial: undefined, confirmed: undefined });
  expect(await device.floors()).toMatchObject({ securityCounters: new Map([['gateway', 2]]) });
});

test.each([
  ['unhealthy', 'revert SELF_TEST_FAILED'],
  ['silent', 'revert SELF_TEST_TIMEOUT'],
] as const)('a release that is %s is reverted at once, and not tried again', async (behaviour, reverted) => {
  await device.live();
  const good = running();
  const bad = await publish('two', behaviour, { securityCounter: 2 });
  const told = steps(await device.live());
  expect(told).toContain(reverted);
  expect(running()).toBe(good);
  expect(steps(await device.live())).toContain('poll IMAGE_TRIED_BEFORE');
  expect(device.runs.filter(({ sha256 }) => sha256 === sha256Hex(bad.image))).toHaveLength(1);
  expect((await device.floors()).securityCounters.get('gateway')).toBe(1);
  const repaired = await publish('three', 'healthy', { securityCounter: 2 });
  await device.live();
  expect(running()).toBe(sha256Hex(repaired.image));
});

test('a release that takes the device down each time is given up after three starts, and not tried again', async () => {
  await device.live();
  const good = running();
  const bad = await publish('two', 'resets', { securityCounter: 2 });
  const lives: (readonly string[])[] = [];
  for (let i = 0; i < 5; i++) {
    lives.push(steps(await device.live()));
    device.flash.powerOn();
  }
  expect(lives[3]?.slice(0, 2)).toEqual(['slot-refused TRIAL_EXHAUSTED', 'start']);
  expect(lives[4]).toEqual(['start', 'self-test', 'poll IMAGE_TRIED_BEFORE', 'stop']);
  expect(device.runs.filter(({ sha256 }) => sha256 === sha256Hex(bad.image))).toHaveLength(3);
  expect(running()).toBe(good);
});

test('a release that comes while another waits to become good overwrites neither it nor its standing', async () => {
  await device.live();
  const two = await publish('two', 'healthy', { securityCounter: 2 });
  const life = device.run(POLL_MS);
  await device.clock.advance(POLL_MS);
  expect(await device.state()).toMatchObject({ good: 'a', confirmed: 'b' });
  await publish('three', 'unhealthy', { securityCounter: 3 });
  await device.clock.advance(2 * POLL_MS);
  expect(steps(device.events)).toContain('revert SELF_TEST_FAILED');
  expect(running()).toBe(sha256Hex(two.image));
  expect(await device.state()).toMatchObject({ good: 'b', trial: undefined });
  await endLife(life);
});

test('a slot loses its standing before it is overwritten: new content never starts as good', async () => {
  await device.live();
  await publish('two', 'healthy', { securityCounter: 2 });
  const two = new Map(repository.files);
  await publish('three', 'unhealthy', { securityCounter: 3 });
  const regions: (Place | undefined)[] = [];
  while (regions.at(-1) !== 'slot-a') {
    const served = new Map(two);
    const twin = await makeTinyDevice(repository, { flash: copyOf(device), files: served });
    const life = twin.run(POLL_MS);
    await twin.clock.advance(POLL_MS);
    expect(await twin.state()).toMatchObject({ good: 'a', confirmed: 'b' });
    for (const [name, file] of repository.files) served.set(name, file);
    twin.flash.cutAfter(regions.length, (below) => below - 1);
    await twin.clock.advance(POLL_MS);
    await life;
    twin.flash.powerOn();
    regions.push(twin.flash.lastCut()?.region);
    if (regions.at(-1) === 'slot-a') expect(await twin.state()).toMatchObject({ good: undefined, confirmed: 'b' });
    expect(regions.length).toBeLessThan(20);
  }
});

test('a good image that fails its self-test is kept: there is nothing better', async () => {
  const bad = await publish('two', 'unhealthy');
  await device.putSlot('b', bad);
  await device.putState({ good: 'b' });
  expect(steps(await device.live())).toEqual(['start', 'self-test SELF_TEST_FAILED', 'poll', 'stop']);
});

test('an image that ends by itself is started again after a pause, through the boot stage', async () => {
  await publish('two', 'ends');
  const life = device.run(POLL_MS);
  await device.clock.advance(3 * POLL_MS);
  await endLife(life);
  expect(steps(device.events).filter((step) => step.startsWith('image-ended'))).toHaveLength(3);
  expect(device.runs.map(({ mode }) => mode)).toEqual(['trial', 'normal', 'normal']);
});

test('a settled device asks one question a poll, fetches nothing else and writes nothing', async () => {
  await device.live();
  const life = device.run(POLL_MS);
  await device.clock.advance(1);
  const before = { requests: device.network.requests.length, writes: device.flash.writes() };
  await device.clock.advance(20 * POLL_MS);
  expect(device.network.requests.slice(before.requests).map(({ name }) => name)).toEqual(
    Array.from({ length: 20 }, () => 'metadata/timestamp.json'),
  );
  expect(device.flash.writes()).toEqual(before.writes);
  await endLife(life);
});

test('a settled device notices when its timestamp expires, and when it is replaced by another', async () => {
  await device.live();
  const life = device.run(POLL_MS);
  await device.clock.advance(DAY_MS - 1);
  expect(steps(device.events).at(-1)).toBe('poll');
  await device.clock.advance(1);
  expect(steps(device.events).at(-1)).toBe('poll METADATA_EXPIRED');
  await repository.publishOnline({ now: device.clock.now() });
  await device.clock.advance(POLL_MS);
  expect(steps(device.events).at(-1)).toBe('poll');
  await endLife(life);
});

test('a fault of the network at any request leaves the old release running, and the next poll goes on', async () => {
  await device.live();
  const old = running();
  const two = sha256Hex((await publish('two', 'healthy', { securityCounter: 2 })).image);
  const clean = await makeTinyDevice(repository, { flash: copyOf(device) });
  await clean.live();
  for (const kind of ['refuse', 'absent', 'truncate', 'corrupt', 'endless'] as const) {
    for (const index of clean.network.requests.keys()) {
      const random = seededRandom(SEED + index);
      const choose = (_: unknown, i: number): NetworkFault | undefined => (i === index ? { kind } : undefined);
      const twin = await makeTinyDevice(repository, { flash: copyOf(device), faults: { random, choose } });
      const told = steps(await twin.live());
      const where = `${kind} at request ${index}, seed ${SEED}: ${told.join(', ')}`;
      const failed = told.some((step) => step.startsWith('poll '));
      expect(twin.runs.at(-1)?.sha256, where).toBe(failed && !told.includes('install') ? old : two);
      await twin.live();
      expect(twin.runs.at(-1)?.sha256, where).toBe(two);
    }
  }
});

test('an answer that comes late is waited for, and the release it brings is installed', async () => {
  fault = () => ({ kind: 'delay', ms: 60_000 });
  const one = repository.releases.get('1.0.0');
  await device.live();
  expect(running()).toBe(sha256Hex(one?.image ?? new Uint8Array()));
});

test('new trust is given to the image that stays, and the floors follow at the next start', async () => {
  await device.live();
  const beta = { release: 'beta-only', channels: ['beta'] };
  await publish('two', 'healthy', beta);
  const root = await repository.publishRoot();
  await publish('one', 'healthy', { release: '1.0.0', draft: { minSecurityCounter: 1 } });
  await device.live();
  expect(await device.floors()).toMatchObject({ root: { version: 1 } });
  await device.live();
  expect(await device.floors()).toMatchObject({
    root: { version: 2, sha256: sha256Hex(root) },
    channelVersions: new Map([['stable', 2]]),
  });
});

test('new trust under which the running image would not start is not given to it', async () => {
  await device.live();
  const bundle = await readBundle(device.flash.view('system'), 'a');
  const image = simulatedImage('one', 'healthy');
  const draft = { revokedDigests: [sha256Hex(image)] };
  await publish('two', 'unhealthy', { draft });
  const told = steps(await device.live());
  expect(told).toContain('trust IMAGE_REVOKED');
  expect(running()).toBe(sha256Hex(image));
  expect(await readBundle(device.flash.view('system'), 'a')).toEqual(bundle);
});

test('the image that runs, released again under a higher counter, takes the new permission without being fetched again', async () => {
  await device.live();
  const image = simulatedImage('one', 'healthy');
  await repository.publishRelease({ image, securityCounter: 3, draft: { minSecurityCounter: 3 } });
  const written = writesOf('slot-a') + writesOf('slot-b');
  await device.live();
  expect(writesOf('slot-a') + writesOf('slot-b')).toBe(written);
  await device.live();
  expect((await device.floors()).securityCounters.get('gateway')).toBe(3);
  expect(steps(device.events)).not.toContain('poll IMAGE_ROLLBACK');
});

test('an image that does not fit its slot is refused before a byte of it is fetched', async () => {
  await device.live();
  const large = await repository.publishRelease({ image: new Uint8Array(SMALL_FLASH['slot-a'] + 1) });
  expect(steps(await device.live())).toContain('poll IMAGE_TOO_LARGE');
  expect(device.network.requests.some(({ name }) => name.includes(sha256Hex(large.image)))).toBe(false);
});

test('flash that does not hold what was written is noticed before anything is armed', async () => {
  await device.live();
  await publish('two', 'healthy');
  const state = await device.state();
  const stuck = await makeTinyDevice(repository, { flash: stuckAt(copyOf(device), 'slot-b') });
  expect(steps(await stuck.live())).toEqual(['start', 'self-test', 'poll IMAGE_HASH_MISMATCH', 'stop']);
  expect(await stuck.state()).toEqual(state);
});

/** The flash of `of`, copied, with power. */
function copyOf(of: TinyDevice): FaultFlash {
  return faultFlash(SMALL_FLASH, of.flash.image());
}

/** Flash that never holds the first byte of `region` as it was written. */
function stuckAt(flash: FaultFlash, region: Region): FaultFlash {
  const view: FaultFlash['view'] = (rights) => {
    const sound = flash.view(rights);
    const write: Flash['write'] = async (written, offset, bytes) => {
      await sound.write(written, offset, bytes);
      if (written === region && offset === 0) flash.damage(region, 0, 1);
    };
    return { ...sound, write };
  };
  return { ...flash, view };
}

test('what the device tells of a refusal is one line with its code and a sentence', async () => {
  await device.live();
  repository.files.set('metadata/timestamp.json', encodeUtf8('{}'));
  const event = (await device.live()).find(({ step }) => step === 'poll');
  expect(event).toMatchObject({ ok: false, by: 'simulated', code: 'SHAPE_MALFORMED', at: '2026-01-01T00:00:00Z' });
  expect(event?.detail['detail']).toEqual(expect.any(String));
});
