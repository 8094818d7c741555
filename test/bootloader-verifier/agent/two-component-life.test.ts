/**
 * The life of a device with a microcontroller: the release is tried, confirmed and reverted as one.
 *
 * - That no main image ever runs beside a foreign microcontroller image, the simulator asserts at every single start.
 */
import { beforeEach, expect, test } from 'vitest';
import { sha256Hex } from '../../../formats/sha256.ts';
import { standsBeside } from '../../../simulation/simulated-microcontroller.ts';
import { simulatedImage, type Behaviour } from '../../../simulation/simulated-device.ts';
import { makeTinyDevice, steps, type TinyDevice } from '../../tiny-device.ts';
import { makeTinyRepository, type ReleaseOptions, type TinyRepository } from '../../tiny-repository.ts';

const HUB = { component: 'hub', hardwareId: 'primehub', installer: 'transfer' } as const;
const OF_HUB = { component: 'hub', hardwareIds: ['primehub'], installer: 'transfer' } as const;
const POLL_MS = 300_000;

let repository: TinyRepository;
let device: TinyDevice;
/** Called when the device fetches an image of its microcontroller. */
let duringFetch: () => void;

beforeEach(async () => {
  repository = await makeTinyRepository({ parts: [HUB], first: { image: simulatedImage('one', 'healthy') } });
  duringFetch = () => undefined;
  const choose = ({ name }: { readonly name: string }): undefined => {
    if (/^targets\/[^/]+\/hub\//.test(name)) duringFetch();
  };
  device = await makeTinyDevice(repository, { faults: { choose } });
  await device.live();
});

function publish(
  name: string,
  behaviour: Behaviour,
  options: ReleaseOptions = {},
): ReturnType<TinyRepository['publishRelease']> {
  return repository.publishRelease({ image: simulatedImage(name, behaviour), ...options });
}

/** The name of the release whose image the microcontroller holds. */
function lying(): string | undefined {
  const image = (release: string): Uint8Array =>
    repository.releases.get(release)?.components.find(({ draft }) => draft.component === 'hub')?.image ??
    new Uint8Array();
  const flash = device.flash.microcontroller.lying();
  return [...repository.releases.keys()].find(
    (release) => sha256Hex(flash.subarray(0, image(release).length)) === sha256Hex(image(release)),
  );
}

function running(): string | undefined {
  return device.runs.at(-1)?.sha256;
}

test('a release brings its microcontroller along, before its main image runs, and raises the floors of both', async () => {
  expect(lying()).toBe('1.0.0');
  await publish('two', 'healthy', {
    components: [
      { ...OF_HUB, securityCounter: 3 },
      { image: simulatedImage('two', 'healthy'), securityCounter: 2 },
    ],
  });
  expect(steps(await device.live())).toEqual([
    'start',
    'self-test',
    'install',
    'transfer',
    'start',
    'self-test',
    'confirm',
    'poll',
    'start',
    'self-test',
    'poll',
    'stop',
  ]);
  expect(lying()).toBe('2.0.0');
  expect((await device.floors()).securityCounters).toEqual(
    new Map([
      ['gateway', 2],
      ['hub', 3],
    ]),
  );
});

test('a release that fails its self-test takes the microcontroller back with it', async () => {
  await publish('two', 'unhealthy', { securityCounter: 2 });
  const told = steps(await device.live());
  expect(told.slice(2, 7)).toEqual([
    'install',
    'transfer',
    'start',
    'self-test SELF_TEST_FAILED',
    'revert SELF_TEST_FAILED',
  ]);
  expect(told.slice(7, 9)).toEqual(['transfer', 'start']);
  expect([lying(), running()]).toEqual(['1.0.0', sha256Hex(simulatedImage('one', 'healthy'))]);
  expect((await device.floors()).securityCounters).toEqual(
    new Map([
      ['gateway', 1],
      ['hub', 1],
    ]),
  );
});

test('a release that changes the microcontroller alone is installed, and tried and remembered by both images', async () => {
  const { writes } = device.microcontroller;
  const image = simulatedImage('one', 'healthy');
  await repository.publishRelease({ image });
  await device.live();
  expect([lying(), running(), writes()]).toEqual(['2.0.0', sha256Hex(image), 2]);
  device.microcontroller.turn('worn');
  await repository.publishRelease({ image });
  const told = steps(await device.live());
  expect(told).toContain('slot-refused COMPONENT_INSTALL_FAILED');
  device.microcontroller.turn('sound');
  expect(steps(await device.live())).toContain('poll IMAGE_TRIED_BEFORE');
  expect(lying()).toBe('2.0.0');
  await repository.publishRelease({ image });
  await device.live();
  expect(lying()).toBe('4.0.0');
});

test('a microcontroller that holds its image already is left alone', async () => {
  expect(device.microcontroller.writes()).toBe(1);
  await device.live();
  expect(device.microcontroller.writes()).toBe(1);
});

test('a microcontroller that was altered by hand, anywhere in its flash, is repaired before the main image runs', async () => {
  for (const at of [0, 5, 63]) {
    device.flash.damage('microcontroller', at, 1);
    const started = await device.start();
    expect(started).toMatchObject({ kind: 'started', transferred: [{ component: { component: 'hub' } }] });
    expect(started.kind === 'started' && standsBeside(device.flash, started.image)).toBe(true);
  }
});

test.each(['silent', 'worn'] as const)(
  'a microcontroller that is %s fails the trial of a release, which is remembered, and the old release comes back with its own',
  async (state) => {
    await publish('two', 'healthy', { securityCounter: 2 });
    duringFetch = () => device.microcontroller.turn(state);
    const before = device.runs.length;
    expect(steps(await device.live())).toContain('slot-refused COMPONENT_INSTALL_FAILED');
    expect(device.runs.slice(before).every(({ mode }) => mode === 'normal')).toBe(true);
    expect((await device.state())?.failed).toEqual([repository.releases.get('2.0.0')?.imagesSha256]);
    device.microcontroller.turn('sound');
    await device.live();
    expect([lying(), running()]).toEqual(['1.0.0', sha256Hex(simulatedImage('one', 'healthy'))]);
    expect((await device.floors()).securityCounters.get('gateway')).toBe(1);
  },
);

test('a good release waits for a microcontroller that does not answer, and runs as soon as it does', async () => {
  device.microcontroller.turn('silent');
  const before = device.runs.length;
  const life = device.run(POLL_MS);
  await device.clock.advance(3 * POLL_MS);
  expect(device.runs).toHaveLength(before);
  expect(steps(device.events.slice(-3))).toEqual([
    'slot-refused COMPONENT_INSTALL_FAILED',
    'recovery COMPONENT_INSTALL_FAILED',
    'poll',
  ]);
  expect(await device.state()).toEqual({ good: 'a', trial: undefined, confirmed: undefined, failed: [] });
  device.microcontroller.turn('sound');
  await device.clock.advance(POLL_MS);
  expect(device.runs).toHaveLength(before + 1);
  device.flash.cutPower();
  await life;
});

test('a release without the microcontroller, or with one for other hardware, is not installed: no image is written', async () => {
  for (const components of [[{}], [{}, { ...OF_HUB, hardwareIds: ['cityhub'] }]]) {
    await repository.publishRelease({ components });
    const before = device.flash.writes();
    expect(steps(await device.live())).toContain('poll HARDWARE_MISMATCH');
    const written = [...device.flash.writes()].filter(([place, count]) => count !== (before.get(place) ?? 0));
    expect(['cache', 'bundle-a', 'protected']).toEqual(expect.arrayContaining(written.map(([place]) => place)));
  }
  expect(lying()).toBe('1.0.0');
});

test('a counter of the microcontroller below its floor refuses the release, although the main one rises', async () => {
  await repository.publishRelease({ components: [{ securityCounter: 2 }, { ...OF_HUB, securityCounter: 0 }] });
  expect(steps(await device.live())).toContain('poll IMAGE_ROLLBACK');
  expect(lying()).toBe('1.0.0');
});

test('images swapped on flash between the components, or mixed from two releases, never run', async () => {
  await publish('two', 'healthy', { securityCounter: 2 });
  await device.live();
  const one = repository.releases.get('1.0.0') ?? expect.unreachable();
  const system = device.flash.view('system');
  await system.write('parts-b', 0, one.components[1]?.image ?? expect.unreachable());
  expect(await device.start()).toMatchObject({
    kind: 'recovery',
    refused: [{ slot: 'b', refusal: { code: 'IMAGE_HASH_MISMATCH' } }, expect.anything()],
  });
});
