/** R14: a device that was brought a file answers with a signed receipt, once for each outcome, through any cut and any absent stick. */
import { beforeEach, expect, test } from 'vitest';
import type { CapsuleFolder } from '../../../bootloader-verifier/agent/capsule-folder.ts';
import type { ReceiptFolder } from '../../../bootloader-verifier/agent/receipt-folder.ts';
import { packCapsule } from '../../../cli/pack-capsule.ts';
import { encodeHex, encodeUtf8 } from '../../../formats/bytes.ts';
import { CAPSULE_HEAD_BYTES_MAX } from '../../../formats/capsule.ts';
import { deviceIdOf } from '../../../formats/device-id.ts';
import { deriveKeySeed } from '../../../formats/dice.ts';
import { ed25519PublicKey } from '../../../formats/ed25519-key.ts';
import { OperationError } from '../../../formats/operation-error.ts';
import { planDigest } from '../../../formats/plan.ts';
import type { Receipt } from '../../../formats/receipt.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { checkSignaturePortable } from '../../../formats/signature-check.ts';
import { verifyReceipt } from '../../../formats/verify-receipt.ts';
import { seededRandom } from '../../../simulation/seed.ts';
import { simulatedImage, type Behaviour } from '../../../simulation/simulated-device.ts';
import { accepted } from '../../accepted.ts';
import { SEED } from '../../simulation/seed.ts';
import { makeTinyDevice, steps, type TinyDevice } from '../../tiny-device.ts';
import { makeTinyRepository, type TinyRepository } from '../../tiny-repository.ts';
import { placeOf, planInForce, publishPlanned } from '../../tiny-rollout.ts';

const SECRET = new Uint8Array(32).fill(7);
const FACTORY_KEY = ed25519PublicKey(deriveKeySeed(SECRET));
const DEVICE_ID = deviceIdOf(FACTORY_KEY);
const ALL = { cohortBp: 10_000, soakSeconds: 0, gate: { expectedMin: 0, confirmedBp: 0, deadlineSeconds: 1 } };

/** So far a file can be read whose name says that it is torn: its head is whole, what follows is not. */
const READABLE_BYTES = CAPSULE_HEAD_BYTES_MAX;

let repository: TinyRepository;
let carried: Map<string, Uint8Array>;
let stick: Map<string, Uint8Array>;
let isPlugged: boolean;

beforeEach(async () => {
  repository = await makeTinyRepository({ first: { image: simulatedImage('one', 'healthy') } });
  carried = new Map([['1.capsule', await pack()]]);
  stick = new Map();
  isPlugged = true;
});

async function pack(): Promise<Uint8Array> {
  const { client, id, factory, now } = repository;
  const packing = { client, repository: id, rootOne: factory.root, channel: 'stable', components: [], now };
  return accepted(await packCapsule({ ...packing, check: checkSignaturePortable })).bytes;
}

/** A planned release, which may travel, is what the capsule brings. */
async function bring(behaviour: Behaviour): Promise<void> {
  await publishPlanned(repository, '2.0.0', { waves: [ALL], offline: true, image: simulatedImage('two', behaviour) });
  carried.set('2.capsule', await pack());
}

function folderOf(capsules: ReadonlyMap<string, Uint8Array>): CapsuleFolder {
  return {
    list: () => Promise.resolve([...capsules].sort().map(([name, bytes]) => ({ name, mark: sha256Hex(bytes) }))),
    read: (name, work) => {
      const bytes = capsules.get(name) ?? new Uint8Array();
      return work({
        length: bytes.length,
        read: (offset, length) =>
          name.startsWith('torn') && offset + length > READABLE_BYTES
            ? Promise.reject(new OperationError('FILE_UNREADABLE', 'the medium is damaged', { retriable: true }))
            : Promise.resolve(bytes.slice(offset, offset + length)),
      });
    },
  };
}

const receipts: ReceiptFolder = {
  has: (name) => Promise.resolve(stick.has(name)),
  write: (name, bytes) => {
    if (!isPlugged) throw new OperationError('FILE_UNWRITABLE', 'no stick', { retriable: true });
    stick.set(name, bytes.slice());
    return Promise.resolve();
  },
};

function makeDevice(flash?: TinyDevice['flash']): Promise<TinyDevice> {
  const source = { kind: 'capsules', folder: folderOf(carried) } as const;
  return makeTinyDevice(repository, { source, receipts, secret: SECRET, ...(flash && { flash }) });
}

/** What lies on the stick, as an operator reads it: every file must be a receipt that holds. */
function read(): readonly Receipt[] {
  const key = { keytype: 'ed25519', scheme: 'ed25519', public: encodeHex(FACTORY_KEY) };
  const trust = { repository: repository.id, keyOf: (id: string) => (id === DEVICE_ID ? key : undefined) };
  return [...stick.values()].map((bytes) => accepted(verifyReceipt(bytes, trust, checkSignaturePortable)));
}

test('what a capsule brought is answered once, by the start that confirmed it, with plan, channel, images and counter', async () => {
  await bring('healthy');
  const device = await makeDevice();
  await device.live();
  await device.live();
  const [one, two, ...more] = read().filter(({ outcome }) => outcome !== 'refused');
  expect(more).toEqual([]);
  expect(one).toMatchObject({ outcome: 'confirmed', release: '1.0.0', plan: undefined });
  expect(two).toMatchObject({
    ...{ deviceId: DEVICE_ID, outcome: 'confirmed', release: '2.0.0', channel: 'stable', failures: 0 },
    plan: planDigest(planInForce(repository), placeOf(repository)),
    components: [{ component: 'gateway', image: sha256Hex(simulatedImage('two', 'healthy')) }],
  });
  expect(two?.sequence).toBeGreaterThan(one?.sequence ?? Number.NaN);
});

test('a release that failed its trial is answered with its code, by the start that failed', async () => {
  await bring('unhealthy');
  const device = await makeDevice();
  await device.live();
  const failed = read().find(({ outcome }) => outcome === 'failed');
  expect(failed).toMatchObject({ release: '2.0.0', code: 'SELF_TEST_FAILED', failures: 1 });
});

test('a file that is refused is answered by what runs on, with the digest of that file, once', async () => {
  const device = await makeDevice();
  await device.live();
  const junk = encodeUtf8('no capsule at all');
  carried.set('9.capsule', junk);
  await device.live();
  await device.live();
  const refused = read().filter(({ outcome }) => outcome === 'refused');
  expect(refused).toMatchObject([{ code: 'CAPSULE_MALFORMED', capsule: sha256Hex(junk), release: '1.0.0' }]);
});

test('a refused file whose rest cannot be read stands in the way of no other: what is left out is its receipt, and that is told', async () => {
  const first = carried.get('1.capsule') ?? new Uint8Array();
  carried = new Map([['torn.capsule', new Uint8Array(2 * READABLE_BYTES)]]);
  const device = await makeDevice();
  carried.set('whole.capsule', first);
  const told = steps(await device.live());
  expect(told).toEqual(expect.arrayContaining(['capsule CAPSULE_MALFORMED', 'confirm', 'receipt FILE_UNREADABLE']));
  expect(read()).toMatchObject([{ outcome: 'confirmed', release: '1.0.0' }]);
});

test('a release whose plan allows no file is answered as refused, and the device runs on', async () => {
  const device = await makeDevice();
  await device.live();
  await publishPlanned(repository, '2.0.0', { waves: [ALL], image: simulatedImage('two', 'healthy') });
  carried.set('2.capsule', await pack());
  await device.live();
  const refused = read().filter(({ outcome }) => outcome === 'refused');
  expect(refused).toMatchObject([{ code: 'OFFLINE_NOT_ALLOWED', release: '1.0.0' }]);
});

test('while the stick is away nothing is lost, nothing waits, and the receipt is left once it is back', async () => {
  isPlugged = false;
  const device = await makeDevice();
  expect(steps(await device.live())).toEqual(expect.arrayContaining(['confirm', 'receipt FILE_UNWRITABLE']));
  expect(stick.size).toBe(0);
  isPlugged = true;
  expect(steps(await device.live())).toContain('receipt');
  expect(read()).toMatchObject([{ outcome: 'confirmed', release: '1.0.0' }]);
  await device.live();
  expect(stick.size).toBe(1);
});

test('a device that runs nothing, or has no identity, leaves no receipt', async () => {
  carried = new Map([['9.capsule', encodeUtf8('no capsule')]]);
  await (await makeDevice()).live();
  expect(stick.size).toBe(0);
  carried = new Map([['1.capsule', await pack()]]);
  const source = { kind: 'capsules', folder: folderOf(carried) } as const;
  const nameless = await makeTinyDevice(repository, { source, receipts });
  expect(steps(await nameless.live())).toContain('confirm');
  expect(stick.size).toBe(0);
});

test.each(['healthy', 'unhealthy'] as const)(
  'the power fails at any write while a %s release is brought: its receipt is there in the end, and always the same one',
  async (behaviour) => {
    await bring(behaviour);
    const random = seededRandom(SEED);
    let cutReports = 0;
    for (let writes = 0; ; writes++) {
      stick = new Map();
      const cut = await makeDevice();
      cut.flash.cutAfter(writes, random);
      await cut.live();
      const isCut = !cut.flash.isOn();
      const before = cut.flash.writes().get('reports') ?? 0;
      if (isCut) cut.flash.powerOn();
      await cut.live();
      if (isCut && before > 0) cutReports++;
      const said = read().filter(({ release, outcome }) => release === '2.0.0' && outcome !== 'refused');
      expect(new Set(said.map(({ sequence }) => sequence)).size, `write ${writes}, seed ${SEED}`).toBe(1);
      expect(said[0]?.outcome, `write ${writes}, seed ${SEED}`).toBe(behaviour === 'healthy' ? 'confirmed' : 'failed');
      if (!isCut) break;
    }
    expect(cutReports).toBeGreaterThan(0);
  },
);
