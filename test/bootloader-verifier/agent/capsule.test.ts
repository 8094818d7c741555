/** P7: a device without network installs from a capsule with the verdicts it would give a server, and nothing it could not prove. */
import { beforeEach, expect, test } from 'vitest';
import type { CapsuleFolder } from '../../../bootloader-verifier/agent/capsule-folder.ts';
import { packCapsule } from '../../../cli/pack-capsule.ts';
import { concatBytes, equalBytes } from '../../../formats/bytes.ts';
import { encodeCapsuleHead, parseCapsuleHead } from '../../../formats/capsule.ts';
import { isJsonObject, type JsonValue } from '../../../formats/json.ts';
import { planToJson } from '../../../formats/plan.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { checkSignaturePortable } from '../../../formats/signature-check.ts';
import { faultFlash, SMALL_FLASH } from '../../../simulation/fault-flash.ts';
import { seededRandom } from '../../../simulation/seed.ts';
import { simulatedImage } from '../../../simulation/simulated-device.ts';
import { accepted } from '../../accepted.ts';
import { SEED } from '../../simulation/seed.ts';
import { makeTinyDevice, steps, type TinyDevice } from '../../tiny-device.ts';
import { SAMPLE_PLAN } from '../../formats/sample-plan.ts';
import { makeTinyRepository, signedOf, TINY_NOW, type TinyRepository } from '../../tiny-repository.ts';

let repository: TinyRepository;
let carried: Map<string, Uint8Array>;
let device: TinyDevice;

beforeEach(async () => {
  repository = await makeTinyRepository({ first: { image: simulatedImage('one', 'healthy') } });
  carried = new Map();
  device = await makeTinyDevice(repository, { source: { kind: 'capsules', folder: folderOf(carried) } });
});

/** A folder in memory; a capsule's digest is its mark. */
function folderOf(capsules: ReadonlyMap<string, Uint8Array>): CapsuleFolder {
  return {
    list: () => Promise.resolve([...capsules].sort().map(([name, bytes]) => ({ name, mark: sha256Hex(bytes) }))),
    read: (name, work) => {
      const bytes = capsules.get(name) ?? new Uint8Array();
      const read = (offset: number, length: number): Promise<Uint8Array> =>
        Promise.resolve(bytes.slice(offset, offset + length));
      return work({ length: bytes.length, read });
    },
  };
}

function packing({ client, id, factory, now }: TinyRepository): Parameters<typeof packCapsule>[0] {
  const rootOne = factory.root;
  return { client, repository: id, rootOne, channel: 'stable', components: [], check: checkSignaturePortable, now };
}

async function pack(of: TinyRepository = repository): Promise<Uint8Array> {
  return accepted(await packCapsule(packing(of))).bytes;
}

async function publish(name: string, securityCounter: number): Promise<string> {
  const { image } = await repository.publishRelease({ image: simulatedImage(name, 'healthy'), securityCounter });
  return sha256Hex(image);
}

/** The files of a capsule by name, and a capsule of others. */
function unpack(capsule: Uint8Array): Map<string, Uint8Array> {
  const files = accepted(parseCapsuleHead(capsule, capsule.length));
  return new Map(files.map(({ name, offset, length }) => [name, capsule.slice(offset, offset + length)]));
}
function repack(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  return concatBytes(
    encodeCapsuleHead(sorted.map(([name, { length }]) => ({ name, length }))),
    ...sorted.map(([, bytes]) => bytes),
  );
}

function running(): string | undefined {
  return device.runs.at(-1)?.sha256;
}

async function refusedWith(capsule: Uint8Array): Promise<readonly string[]> {
  carried.set('x.capsule', capsule);
  return steps(await device.live()).filter((step) => step.startsWith('capsule'));
}

test('a blank device without network installs, tries and confirms what a capsule carries, and later what another one does', async () => {
  carried.set('1.capsule', await pack());
  expect(steps(await device.live())).toEqual(
    expect.arrayContaining(['recovery NO_BOOTABLE_SLOT', 'install', 'confirm', 'stop']),
  );
  const two = await publish('two', 2);
  carried.set('2.capsule', await pack());
  await device.live();
  expect(running()).toBe(two);
  expect((await device.floors()).securityCounters.get('gateway')).toBe(2);
});

test('what a capsule installs is byte for byte what a server would have installed', async () => {
  carried.set('1.capsule', await pack());
  await device.live();
  const online = await makeTinyDevice(repository);
  await online.live();
  for (const region of ['bundle-a', 'slot-a', 'protected'] as const) {
    const read = (from: TinyDevice): Promise<Uint8Array> =>
      from.flash.view('system').read(region, 0, SMALL_FLASH[region]);
    expect(equalBytes(await read(device), await read(online)), region).toBe(true);
  }
});

test('a capsule holds no proof of freshness: neither timestamp nor snapshot', async () => {
  const names = [...unpack(await pack()).keys()];
  expect(names).toContain('metadata/1.root.json');
  expect(names.filter((name) => name.includes('timestamp') || name.includes('snapshot'))).toEqual([]);
});

test('a capsule of another product, whose files are all validly signed, is refused by its roots', async () => {
  const other = await makeTinyRepository({ product: 'other', seed: 'other' });
  expect(await refusedWith(await pack(other))).toEqual(['capsule REPOSITORY_MISMATCH']);
});

test('an altered byte in any file of a capsule is refused, and nothing is installed', async () => {
  const files = unpack(await pack());
  for (const [name, bytes] of files) {
    const altered = Uint8Array.from(bytes);
    altered[altered.length >> 1] = (altered[altered.length >> 1] ?? 0) ^ 1;
    expect((await refusedWith(repack(new Map([...files, [name, altered]])))).length, name).toBeGreaterThan(0);
    expect(device.runs, name).toEqual([]);
  }
});

test.each([
  ['no targets role', 'metadata/1.targets.json', 'CAPSULE_INCOMPLETE'],
  ['no file of the channel', 'metadata/1.stable.json', 'CAPSULE_INCOMPLETE'],
  ['no root that the device pins', 'metadata/1.root.json', 'CAPSULE_INCOMPLETE'],
])('a capsule with %s is refused as incomplete', async (_, missing, code) => {
  const files = unpack(await pack());
  expect(files.delete(missing)).toBe(true);
  expect(await refusedWith(repack(files))).toEqual([`capsule ${code}`]);
});

test('a capsule that names two files of the channel lets nobody choose between them', async () => {
  const files = unpack(await pack());
  await publish('two', 2);
  const both = new Map([...unpack(await pack()), ...files]);
  expect(await refusedWith(repack(both))).toEqual(['capsule CAPSULE_INCOMPLETE']);
});

test('a capsule that was cut short is refused as such', async () => {
  const capsule = await pack();
  expect(await refusedWith(capsule.slice(0, -1))).toEqual(['capsule CAPSULE_MALFORMED']);
});

test('an older capsule never leads back: not before the floors have risen, and not after', async () => {
  const older = await pack();
  const two = await publish('two', 1);
  carried.set('1.capsule', await pack());
  carried.set('2.capsule', older);
  const told = steps(await device.live());
  expect(told).toContain('capsule CHANNEL_ROLLBACK');
  expect(device.runs.every(({ sha256 }) => sha256 === two)).toBe(true);
  expect(steps(await device.live())).toContain('capsule CHANNEL_ROLLBACK');
  expect(running()).toBe(two);
});

test.each([
  ['does not allow it', { offline: false }],
  ['allowed it until yesterday', { offline: true, offlineUntil: TINY_NOW - 86_400_000 }],
])('a release is not installed from a file where its plan %s', async (_, change) => {
  const plan = {
    ...SAMPLE_PLAN,
    release: '1.0.0',
    base: undefined,
    offlineUntil: undefined,
    direction: undefined,
    ...change,
  };
  const signed = signedOf(repository.newest('stable'));
  const firmament = signed.get('firmament');
  if (!isJsonObject(firmament)) throw new Error('a channel has its part');
  const part = new Map<string, JsonValue>([...firmament, ['plan', planToJson(plan)]]);
  const planned = new Map<string, JsonValue>([...signed, ['firmament', part], ['version', 2]]);
  repository.put('stable', await repository.sign('stable', planned));
  await repository.publishOnline();
  expect(await refusedWith(await pack())).toEqual(['capsule OFFLINE_NOT_ALLOWED']);
});

test('a refused capsule does not stand in the way of a good one', async () => {
  carried.set('0.capsule', new Uint8Array(9));
  carried.set('1.capsule', await pack());
  expect(steps(await device.live())).toEqual(expect.arrayContaining(['capsule CAPSULE_MALFORMED', 'confirm']));
});

test('a release that devices would refuse is not even packed', async () => {
  const revokedDigests = [sha256Hex(simulatedImage('two', 'healthy'))];
  await repository.publishRelease({ image: simulatedImage('two', 'healthy'), draft: { revokedDigests } });
  await expect(pack()).rejects.toThrow('IMAGE_REVOKED');
  const late = repository.now + 400 * 86_400_000;
  expect(await packCapsule({ ...packing(repository), now: late })).toMatchObject({
    ok: false,
    code: 'METADATA_EXPIRED',
  });
});

test(`power that is cut at any write of an installation from a capsule leaves what ran, or the new release (seed ${SEED})`, async () => {
  carried.set('1.capsule', await pack());
  await device.live();
  const before = device.flash.image();
  const one = running();
  const two = await publish('two', 2);
  carried.set('1.capsule', await pack());
  let cut = true;
  for (let write = 1; cut; write++) {
    const flash = faultFlash(SMALL_FLASH, before);
    flash.cutAfter(write - 1, seededRandom(SEED));
    const again = await makeTinyDevice(repository, { flash, source: { kind: 'capsules', folder: folderOf(carried) } });
    await again.live();
    cut = !flash.isOn();
    if (cut) flash.powerOn();
    expect([one, two, undefined]).toContain(again.runs.at(-1)?.sha256);
    await again.live();
    expect(again.runs.at(-1)?.sha256, `cut at write ${write}`).toBe(two);
  }
});

test('a device below a waypoint refuses a capsule of the last hop alone, and goes both hops by one that carries the waypoint', async () => {
  carried.set('1.capsule', await pack());
  await device.live();
  await publish('two', 1);
  const image = simulatedImage('three', 'healthy');
  await repository.publishRelease({ image, securityCounter: 1, draft: { graph: { waypoints: ['2.0.0'] } } });
  expect(await refusedWith(await pack())).toContain('capsule WAYPOINT_FIRST');
  expect(running()).toBe(sha256Hex(simulatedImage('one', 'healthy')));
  const ran = device.runs.length;
  carried.set('x.capsule', accepted(await packCapsule({ ...packing(repository), waypoints: true })).bytes);
  await device.live();
  await device.live();
  const since = [...new Set(device.runs.slice(ran).map(({ sha256 }) => sha256))];
  const names = ['one', 'two', 'three'].map((name) => sha256Hex(simulatedImage(name, 'healthy')));
  expect(since).toEqual(names);
});
