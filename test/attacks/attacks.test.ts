/**
 * The attacks of the threat model, each against a whole device: it keeps what it runs, says why, and nothing changes on its flash
 * but what the row allows.
 *
 * - The device runs 2.0.0 with its floors risen to counter 2; the adversary owns what the row says, and always the network.
 * - What it tells is the code that an operator looks up.
 */
import { describe, expect, test } from 'vitest';
import type { Code } from '../../formats/codes.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { REGIONS } from '../../bootloader-verifier/boot/flash.ts';
import type { Place } from '../../simulation/fault-flash.ts';
import { simulatedImage } from '../../simulation/simulated-device.ts';
import { publishForged } from '../stolen-online-keys.ts';
import { makeTinyDevice, type TinyDevice } from '../tiny-device.ts';
import { makeTinyRepository, type TinyRepository } from '../tiny-repository.ts';
import { ATTACKS, type Attack } from './attack-table.ts';

/** A settled device of a repository that has moved on by one release. */
async function settled(): Promise<{ repository: TinyRepository; device: TinyDevice }> {
  const repository = await makeTinyRepository({ first: { image: simulatedImage('one', 'healthy') } });
  const device = await makeTinyDevice(repository);
  await device.live();
  await repository.publishRelease({ image: simulatedImage('two', 'healthy'), securityCounter: 2 });
  await device.live();
  return { repository, device };
}

function changedRegions(before: ReadonlyMap<Place, Uint8Array>, device: TinyDevice): readonly Place[] {
  const after = device.flash.image();
  return [...REGIONS, 'microcontroller' as const].filter(
    (region) => sha256Hex(before.get(region) ?? new Uint8Array()) !== digestOf(after, region),
  );
}

function digestOf(image: ReadonlyMap<Place, Uint8Array>, region: Place): string {
  return sha256Hex(image.get(region) ?? new Uint8Array());
}

async function expectRefused({ code, mayChange, mount }: Attack): Promise<void> {
  const { repository, device } = await settled();
  const running = sha256Hex(simulatedImage('two', 'healthy'));
  const mounted = await mount({ repository, device });
  const target = await makeTinyDevice(repository, { flash: device.flash, ...mounted });
  if (mounted?.now !== undefined) await target.clock.advance(mounted.now - target.clock.now());
  const before = target.flash.image();
  const floors = await target.floors();
  const told = await target.live();
  const refusals = told.filter(({ step, ok }) => step === 'poll' && !ok);
  expect(refusals.map((event) => event.code)).toEqual([code]);
  expect(target.runs).toEqual([{ sha256: running, mode: 'normal' }]);
  expect(mayChange).toEqual(expect.arrayContaining([...changedRegions(before, target)]));
  const again = await target.start();
  expect(again).toMatchObject({
    kind: 'started',
    mode: 'normal',
    image: { component: { image: { sha256: running } } },
  });
  expect(await target.floors()).toMatchObject({ securityCounters: floors.securityCounters });
}

describe.each([...Map.groupBy(ATTACKS, ({ owns }) => owns)])('an adversary who owns %s', (_, attacks) => {
  test.each(attacks.map((attack) => [attack.attack, attack.code, attack] as const))(
    '%s: %s',
    async (_name, _code, attack) => {
      await expectRefused(attack);
    },
  );
});

describe('an adversary who owns the system on the device, and with it every slot, bundle and the boot state', () => {
  const evil = simulatedImage('evil', 'healthy');

  /** What the boot stage says of slot a, and that it never starts the adversary's image. */
  async function judgeSlotA(device: TinyDevice): Promise<Code | undefined> {
    const start = await device.start();
    expect(device.runs.every(({ sha256 }) => sha256 !== sha256Hex(evil))).toBe(true);
    if (start.kind === 'started') expect(start.slot).toBe('b');
    return start.refused.find(({ slot }) => slot === 'a')?.refusal.code;
  }

  test('cannot start an image of its own under the permission of another: IMAGE_HASH_MISMATCH', async () => {
    const { repository, device } = await settled();
    await device.putSlot('a', { bundle: repository.bundle('2.0.0'), image: evil });
    await device.putState({ good: 'a', confirmed: 'a' });
    expect(await judgeSlotA(device)).toBe('IMAGE_HASH_MISMATCH');
  });

  test('cannot start an older release with the bundle under which it once started: CHANNEL_ROLLBACK', async () => {
    const { repository, device } = await settled();
    const one = repository.releases.get('1.0.0') ?? expect.unreachable();
    await device.putSlot('a', one);
    await device.putState({ good: 'a', confirmed: 'a' });
    expect(await judgeSlotA(device)).toBe('CHANNEL_ROLLBACK');
  });

  test('cannot start an older release that is still listed, below the floor of its counter: IMAGE_ROLLBACK', async () => {
    const { repository, device } = await settled();
    const { image } = repository.releases.get('1.0.0') ?? expect.unreachable();
    await device.putSlot('a', { bundle: repository.bundle('1.0.0'), image });
    await device.putState({ trial: { slot: 'a', starts: 0 } });
    expect(await judgeSlotA(device)).toBe('IMAGE_ROLLBACK');
  });

  test('cannot write the floors, nor the factory record: its flash refuses', async () => {
    const { device } = await settled();
    const system = device.flash.view('system');
    for (const region of ['protected', 'factory'] as const) {
      await expect(system.write(region, 0, new Uint8Array(4))).rejects.toThrow(`system may not write ${region}`);
    }
  });

  test('cannot use retired root keys, however far their chain goes: ROOT_ROLLBACK', async () => {
    const { repository, device } = await settled();
    const stolen = await makeTinyRepository({ first: { image: evil, securityCounter: 3 } });
    for (let i = 0; i < 4; i++) await stolen.publishRoot();
    const keys = (repository.signers.get('beta') ?? []).map(({ key }) => key);
    await repository.publishRoot({
      quorums: { root: { keys, threshold: 2 } },
      signers: (repository.signers.get('beta') ?? []).slice(0, 2),
    });
    await publishForged(repository, {});
    await device.live();
    await device.start();
    expect((await device.floors()).root.version).toBe(2);
    await device.putSlot('a', { bundle: stolen.bundle('1.0.0'), image: evil });
    await device.putState({ good: 'a' });
    expect(await judgeSlotA(device)).toBe('ROOT_ROLLBACK');
  });
});
