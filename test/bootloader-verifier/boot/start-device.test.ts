/** The boot stage: which slot starts, what raises the floors, and when there is nothing left but recovery. */
import { beforeAll, expect, test } from 'vitest';
import { encodeBootBundle, parseBootBundle } from '../../../formats/boot-bundle.ts';
import { COUNTER_JUMP_MAX } from '../../../formats/floors.ts';
import { REGIONS, type Region } from '../../../bootloader-verifier/boot/flash.ts';
import type { Recovery, Started } from '../../../bootloader-verifier/boot/start-device.ts';
import { faultFlash, SMALL_FLASH } from '../../../simulation/fault-flash.ts';
import { simulatedImage } from '../../../simulation/simulated-device.ts';
import { accepted } from '../../accepted.ts';
import { makeTinyDevice, type TinyDevice } from '../../tiny-device.ts';
import { makeTinyRepository, type PublishedRelease, type TinyRepository } from '../../tiny-repository.ts';

let repository: TinyRepository;
/** Release 1.0.0 with counter 1 in channel version 1, and 2.0.0 with counter 2 in channel version 2. */
let one: PublishedRelease;
let two: PublishedRelease;
/** The first release as channel version 2 still lists it. */
let oneAgain: { bundle: Uint8Array; image: Uint8Array };

beforeAll(async () => {
  repository = await makeTinyRepository({ first: { image: simulatedImage('one', 'healthy') } });
  one = repository.releases.get('1.0.0') ?? expect.unreachable();
  two = await repository.publishRelease({ securityCounter: 2, image: simulatedImage('two', 'healthy') });
  oneAgain = { bundle: repository.bundle('1.0.0'), image: one.image };
});

/** A device with 1.0.0 good in slot a and 2.0.0 in slot b, floors where 1.0.0 has left them. */
async function deviceWithBoth(): Promise<TinyDevice> {
  const device = await makeTinyDevice(repository);
  await device.putSlot('a', oneAgain);
  await device.putSlot('b', two);
  await device.putFloors(floors(1, 1));
  await device.putState({ good: 'a' });
  return device;
}

function floors(channelVersion: number, counter: number): Awaited<ReturnType<TinyDevice['floors']>> {
  return {
    ...repository.floors,
    channelVersions: new Map([['stable', channelVersion]]),
    securityCounters: new Map([['gateway', counter]]),
  };
}

/** The start in one line, the refused slots with their codes among it. */
function told(start: Started | Recovery): string {
  const refused = start.refused.map(({ slot, refusal }) => `${slot} ${refusal.code}`);
  const end = start.kind === 'started' ? `${start.mode} ${start.slot}` : `recovery ${start.refusal.code}`;
  return [...refused, end].join(', ');
}

test('a blank device needs recovery and says that its slots are empty', async () => {
  const device = await makeTinyDevice(repository);
  expect(told(await device.start())).toBe('a SLOT_EMPTY, b SLOT_EMPTY, recovery NO_BOOTABLE_SLOT');
});

test('without factory record or floors a device needs recovery: it never starts from zero', async () => {
  for (const region of ['factory', 'protected'] as const) {
    const before = await deviceWithBoth();
    for (const blank of [0x00, 0xff]) {
      const image = new Map([...before.flash.image(), [region, new Uint8Array(SMALL_FLASH[region]).fill(blank)]]);
      const device = await makeTinyDevice(repository, { flash: faultFlash(SMALL_FLASH, image) });
      expect(told(await device.start()), region).toBe('recovery PROTECTED_STORE_MISSING');
      expect(device.flash.image()).toEqual(image);
    }
  }
});

test('floors that are whole on flash but say nothing readable mean recovery, never zero', async () => {
  const device = await deviceWithBoth();
  await device.putFloors({ ...floors(1, 1), root: { version: 0, sha256: '00'.repeat(32) } });
  expect(told(await device.start())).toBe('recovery PROTECTED_STORE_MISSING');
});

test('a damaged bit in one record of factory or floors changes nothing about the start', async () => {
  const device = await deviceWithBoth();
  await device.start();
  const before = device.flash.image();
  for (const region of ['factory', 'protected'] as const) {
    for (const half of [0, SMALL_FLASH[region] / 2]) {
      const damaged = await makeTinyDevice(repository, { flash: faultFlash(SMALL_FLASH, before) });
      damaged.flash.damage(region, half + 60, 0x04);
      expect(told(await damaged.start())).toBe('normal a');
      expect(await damaged.floors()).toEqual(await device.floors());
    }
  }
});

test('the good slot starts as good, and raises the floors to what its bundle has reached', async () => {
  const device = await deviceWithBoth();
  const start = await device.start();
  expect(told(start)).toBe('normal a');
  expect(start).toMatchObject({ image: { bytes: one.image, permit: { release: '1.0.0' } }, floors: floors(2, 1) });
  expect(await device.floors()).toEqual(floors(2, 1));
});

test('a start that changes nothing writes nothing', async () => {
  const device = await deviceWithBoth();
  await device.start();
  const writes = device.flash.writes();
  expect(told(await device.start())).toBe('normal a');
  expect(device.flash.writes()).toEqual(writes);
});

test('a slot on trial does not raise the floors; its confirmation does, at the next start and not before', async () => {
  const device = await deviceWithBoth();
  await device.putState({ good: 'a', trial: { slot: 'b', starts: 0 } });
  const trial = await device.start();
  expect(told(trial)).toBe('trial b');
  expect(await device.floors()).toEqual(floors(1, 1));
  await device.putState({ good: 'a', confirmed: 'b' });
  expect(await device.floors()).toEqual(floors(1, 1));
  expect(told(await device.start())).toBe('normal b');
  expect(await device.floors()).toEqual(floors(2, 2));
  expect(await device.state()).toMatchObject({ good: 'b', confirmed: undefined });
});

test('a confirmation raises the floors although the next image is already on trial, and is not forgotten if that fails', async () => {
  const three = await repository.publishRelease({ securityCounter: 3, image: simulatedImage('three', 'healthy') });
  const device = await deviceWithBoth();
  await device.putSlot('a', three);
  await device.putState({ confirmed: 'b', trial: { slot: 'a', starts: 0 } });
  expect(told(await device.start())).toBe('trial a');
  expect(await device.floors()).toEqual(floors(2, 2));
  expect(await device.state()).toMatchObject({ good: 'b', trial: { slot: 'a', starts: 1 }, confirmed: undefined });
});

test('a confirmed slot that no longer passes raises nothing and does not become good', async () => {
  const device = await deviceWithBoth();
  await device.putState({ good: 'a', confirmed: 'b' });
  device.flash.damage('slot-b', 0, 1);
  expect(told(await device.start())).toBe('b IMAGE_HASH_MISMATCH, normal a');
  expect(await device.floors()).toEqual(floors(2, 1));
  expect(await device.state()).toMatchObject({ good: 'a', confirmed: undefined });
});

test('once the floors have risen, what lies below them is refused in either slot', async () => {
  const device = await deviceWithBoth();
  await device.putFloors(floors(2, 2));
  expect(told(await device.start())).toBe('a IMAGE_ROLLBACK, trial b');
  await device.putSlot('a', one);
  await device.putState({ good: 'a' });
  expect(told(await device.start())).toBe('a CHANNEL_ROLLBACK, trial b');
});

test('no start lowers a floor, whichever slot it starts', async () => {
  for (const good of ['a', 'b'] as const) {
    const device = await deviceWithBoth();
    await device.putFloors({
      ...floors(2, 1),
      channelVersions: new Map([
        ['stable', 2],
        ['beta', 9],
      ]),
    });
    await device.putState({ good });
    await device.start();
    const after = await device.floors();
    expect(after.channelVersions.get('beta')).toBe(9);
    expect(after.channelVersions.get('stable')).toBe(2);
    expect(after.securityCounters.get('gateway')).toBe(good === 'a' ? 1 : 2);
  }
});

test('a good slot that is damaged gives way to the other one, on trial, if that passes', async () => {
  const device = await deviceWithBoth();
  device.flash.damage('slot-a', 3, 0x20);
  expect(told(await device.start())).toBe('a IMAGE_HASH_MISMATCH, trial b');
  expect(await device.state()).toMatchObject({ good: 'a', trial: { slot: 'b', starts: 1 } });
});

test('an image that failed its trial is no way out of a damaged good slot', async () => {
  const device = await deviceWithBoth();
  await device.putState({ good: 'a', failed: [two.imagesSha256] });
  device.flash.damage('slot-a', 3, 0x20);
  expect(told(await device.start())).toBe('a IMAGE_HASH_MISMATCH, b IMAGE_TRIED_BEFORE, recovery NO_BOOTABLE_SLOT');
});

test('a good slot starts although its image failed a trial before: there is nothing better', async () => {
  const device = await deviceWithBoth();
  await device.putState({ good: 'a', failed: [one.imagesSha256] });
  expect(told(await device.start())).toBe('normal a');
});

test('a trial that was started too often is given up, and its image is remembered on flash', async () => {
  const device = await deviceWithBoth();
  await device.putState({ good: 'a', trial: { slot: 'b', starts: 0 } });
  for (let i = 1; i <= 3; i++) {
    expect(told(await device.start())).toBe('trial b');
    expect(await device.state()).toMatchObject({ trial: { slot: 'b', starts: i } });
  }
  expect(told(await device.start())).toBe('b TRIAL_EXHAUSTED, normal a');
  const after = { good: 'a', trial: undefined, confirmed: undefined, failed: [two.imagesSha256] };
  expect(await device.state()).toEqual(after);
  expect(told(await device.start())).toBe('normal a');
});

test('a first image that never confirms is remembered too, where there is no good slot to go back to', async () => {
  const device = await makeTinyDevice(repository);
  await device.putSlot('a', one);
  await device.putState({ trial: { slot: 'a', starts: 3 } });
  expect(told(await device.start())).toContain('recovery NO_BOOTABLE_SLOT');
  expect((await device.state())?.failed).toEqual([one.imagesSha256]);
});

test('lost state chooses among the slots that pass, each on trial', async () => {
  const blank = new Uint8Array(SMALL_FLASH.state);
  for (const [damaged, expected] of [
    ['slot-b', 'trial a'],
    ['slot-a', 'a IMAGE_HASH_MISMATCH, trial b'],
  ] as const) {
    const before = await deviceWithBoth();
    before.flash.damage(damaged, 1, 1);
    const flash = faultFlash(SMALL_FLASH, new Map([...before.flash.image(), ['state', blank]]));
    const device = await makeTinyDevice(repository, { flash });
    expect(told(await device.start())).toBe(expected);
    expect(await device.floors()).toEqual(floors(1, 1));
  }
});

test('after lost state, an image that fails its trial gives way to the other slot', async () => {
  const device = await deviceWithBoth();
  await device.putState({ failed: [one.imagesSha256] });
  expect(told(await device.start())).toBe('a IMAGE_TRIED_BEFORE, trial b');
});

test('state can only choose among slots that pass: no state makes a refused slot start', async () => {
  const states = [
    { good: 'b' },
    { confirmed: 'b' },
    { trial: { slot: 'b', starts: 0 } },
    { good: 'b', confirmed: 'b' },
  ];
  for (const state of states as Parameters<TinyDevice['putState']>[0][]) {
    const device = await deviceWithBoth();
    await device.putSlot('b', { bundle: two.bundle, image: simulatedImage('evil', 'healthy').slice() });
    await device.putState(state);
    expect(told(await device.start())).toContain('trial a');
    expect((await device.floors()).securityCounters.get('gateway')).toBe(1);
  }
});

test('a counter may jump by as much as the limit says, and not by one more', async () => {
  const low = { ...repository.floors, securityCounters: new Map([['gateway', 0]]) };
  for (const [above, expected] of [
    [COUNTER_JUMP_MAX, 'trial a'],
    [COUNTER_JUMP_MAX + 1, 'a COUNTER_JUMP, b SLOT_EMPTY, recovery NO_BOOTABLE_SLOT'],
  ] as const) {
    const own = await makeTinyRepository({ first: { securityCounter: above } });
    const device = await makeTinyDevice(own);
    await device.putFloors({ ...low, root: own.floors.root });
    await device.putSlot('a', own.releases.get('1.0.0') ?? expect.unreachable());
    expect(told(await device.start())).toBe(expected);
  }
});

test('a bundle of one release beside the image of another is refused', async () => {
  const device = await makeTinyDevice(repository);
  await device.putSlot('a', { bundle: two.bundle, image: one.image });
  expect(told(await device.start())).toBe('a IMAGE_HASH_MISMATCH, b SLOT_EMPTY, recovery NO_BOOTABLE_SLOT');
});

test('an image that does not fit its slot is refused before it is read', async () => {
  const large = await makeTinyRepository({ first: { image: new Uint8Array(SMALL_FLASH['slot-a'] + 1) } });
  const device = await makeTinyDevice(large);
  const bundle = large.releases.get('1.0.0')?.bundle ?? expect.unreachable();
  await device.putSlot('a', { bundle, image: new Uint8Array(SMALL_FLASH['slot-a']) });
  expect(told(await device.start())).toBe('a IMAGE_TOO_LARGE, b SLOT_EMPTY, recovery NO_BOOTABLE_SLOT');
});

test('a bundle that is whole on flash but no bundle is refused', async () => {
  const device = await makeTinyDevice(repository);
  const bundle = accepted(parseBootBundle(one.bundle));
  await device.putSlot('a', { bundle: encodeBootBundle({ ...bundle, release: '../1' }), image: one.image });
  expect(told(await device.start())).toContain('a BOOT_BUNDLE_MALFORMED');
});

test('a single damaged byte of a slot or its bundle is found at the next start', async () => {
  const before = (await deviceWithBoth()).flash.image();
  const lengths: Partial<Record<Region, number>> = { 'slot-a': one.image.length, 'bundle-a': oneAgain.bundle.length };
  for (const region of REGIONS) {
    const length = lengths[region] ?? 0;
    for (let at = 0; at < length; at += Math.ceil(length / 40)) {
      const device = await makeTinyDevice(repository, { flash: faultFlash(SMALL_FLASH, before) });
      device.flash.damage(region, at, 0x01);
      expect(told(await device.start()), `${region} byte ${at}`).toMatch(/^a [A-Z_]+, trial b$/);
    }
  }
});
