/** A device's word on a planned release: its own, about what it really started, said once, and sent until it is taken. */
import { beforeEach, expect, test } from 'vitest';
import { ed25519PublicKey } from '../../../formats/ed25519-key.ts';
import { deriveKeySeed } from '../../../formats/dice.ts';
import { deviceIdOf } from '../../../formats/device-id.ts';
import { encodeHex } from '../../../formats/bytes.ts';
import type { Confirmation } from '../../../formats/confirmation.ts';
import { OperationError } from '../../../formats/operation-error.ts';
import { planDigest } from '../../../formats/plan.ts';
import { checkSignaturePortable } from '../../../formats/signature-check.ts';
import { verifyConfirmation } from '../../../formats/verify-confirmation.ts';
import { simulatedImage, type Behaviour } from '../../../simulation/simulated-device.ts';
import { seededRandom } from '../../../simulation/seed.ts';
import { SEED } from '../../simulation/seed.ts';
import { accepted } from '../../accepted.ts';
import { makeTinyDevice, steps, type TinyDevice } from '../../tiny-device.ts';
import { makeTinyRepository, type TinyRepository } from '../../tiny-repository.ts';
import { placeOf, planInForce, publishPlanned, publishStep } from '../../tiny-rollout.ts';

const SECRET = new Uint8Array(32).fill(7);
const FACTORY_KEY = ed25519PublicKey(deriveKeySeed(SECRET));
const DEVICE_ID = deviceIdOf(FACTORY_KEY);
const ALL = { cohortBp: 10_000, soakSeconds: 0, gate: { expectedMin: 0, confirmedBp: 0, deadlineSeconds: 1 } };

let repository: TinyRepository;
let words: Uint8Array[];
let answer: () => Promise<boolean>;
let device: TinyDevice;

beforeEach(async () => {
  repository = await makeTinyRepository({ first: { image: simulatedImage('one', 'healthy') } });
  words = [];
  answer = () => Promise.resolve(true);
  device = await makeTinyDevice(repository, {
    secret: SECRET,
    checkIn: (word) => {
      words.push(word);
      return answer();
    },
  });
  await device.live();
});

/** Opens release 2.0.0, which behaves so, to every device. */
async function rollOut(behaviour: Behaviour): Promise<void> {
  await publishPlanned(repository, '2.0.0', { waves: [ALL], image: simulatedImage('two', behaviour) });
  await publishStep(repository, [repository.now]);
}

/** What the signer would make of a word. */
function heard(word: Uint8Array | undefined): Confirmation {
  const key = { keytype: 'ed25519', scheme: 'ed25519', public: encodeHex(FACTORY_KEY) };
  const trust = { repository: repository.id, keyOf: (id: string) => (id === DEVICE_ID ? key : undefined) };
  return accepted(verifyConfirmation(word ?? new Uint8Array(), trust, checkSignaturePortable));
}

test('a release without a plan is confirmed without a word', () => {
  expect(words).toEqual([]);
});

test('a confirmed release is told once, with its plan, under the key of the very start that confirmed it', async () => {
  await rollOut('healthy');
  await device.live();
  await device.live();
  expect(words).toHaveLength(1);
  expect(heard(words[0])).toMatchObject({
    ...{ deviceId: DEVICE_ID, release: '2.0.0', outcome: 'confirmed', failures: 0 },
    plan: planDigest(planInForce(repository), placeOf(repository)),
  });
});

test('a failed release is told as failed, with its code and the count of failures', async () => {
  await rollOut('unhealthy');
  await device.live();
  expect(words).toHaveLength(1);
  expect(heard(words[0])).toMatchObject({ outcome: 'failed', code: 'SELF_TEST_FAILED', failures: 1 });
});

test('a failure is told though the release before it had a plan too, and that one is not told again', async () => {
  await rollOut('healthy');
  await device.live();
  await publishPlanned(repository, '3.0.0', { waves: [ALL], image: simulatedImage('three', 'unhealthy') });
  await publishStep(repository, [repository.now]);
  await device.live();
  await device.live();
  expect(words.map((word) => heard(word)).map(({ release, outcome }) => [release, outcome])).toEqual([
    ['2.0.0', 'confirmed'],
    ['3.0.0', 'failed'],
  ]);
});

test('a word that is not taken, or that nobody answers, is sent again; the update does not wait for it', async () => {
  await rollOut('healthy');
  answer = () => Promise.resolve(false);
  expect(steps(await device.live())).toContain('confirm');
  answer = () => Promise.reject(new OperationError('NETWORK_UNREACHABLE', 'for a test', { retriable: true }));
  expect(steps(await device.live())).toContain('report NETWORK_UNREACHABLE');
  answer = () => Promise.resolve(true);
  expect(steps(await device.live())).toContain('report');
  const sent = words.length;
  await device.live();
  expect(words).toHaveLength(sent);
  expect(new Set(words.map((word) => heard(word).sequence)).size).toBe(1);
});

test('a device that cannot prove what it started says nothing', async () => {
  const other = await makeTinyDevice(repository, {
    checkIn: () => Promise.reject(new Error('nothing is to be said')),
  });
  await rollOut('healthy');
  await other.live();
  expect(other.events.map(({ step }) => step)).toContain('confirm');
  expect(other.events.map(({ step }) => step)).not.toContain('report');
});

test('the power fails at any write of a planned update: the word is said in the end, and always the same one', async () => {
  await rollOut('healthy');
  const random = seededRandom(SEED);
  let cutReports = 0;
  for (let writes = 0; ; writes++) {
    words = [];
    const checkIn = (word: Uint8Array): Promise<boolean> => Promise.resolve(words.push(word) > 0);
    const cut = await makeTinyDevice(repository, { secret: SECRET, checkIn });
    cut.flash.cutAfter(writes, random);
    await cut.live();
    const isCut = !cut.flash.isOn();
    const before = cut.flash.writes().get('reports') ?? 0;
    if (isCut) cut.flash.powerOn();
    await cut.live();
    if (isCut && before > 0) cutReports++;
    expect(words.length, `write ${writes}, seed ${SEED}`).toBeGreaterThanOrEqual(1);
    for (const word of words) expect(heard(word)).toMatchObject({ outcome: 'confirmed', release: '2.0.0' });
    if (!isCut) break;
  }
  expect(cutReports).toBeGreaterThan(0);
});
