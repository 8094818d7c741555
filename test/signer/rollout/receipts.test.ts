/** R14 and R8: a receipt that was carried back counts as its device's confirmation once, and no other file does. */
import { beforeEach, expect, test } from 'vitest';
import type { Verdict } from '../../../formats/verdict.ts';
import { makeFaultBooks } from '../../../simulation/fault-books.ts';
import { makeFaultStore } from '../../../simulation/fault-store.ts';
import { signerVerbs } from '../../../signer/daemon/signer-verbs.ts';
import type { VerbFacts } from '../../../signer/daemon/verb-table.ts';
import { deviceRegister } from '../../../signer/identity/device-register.ts';
import { publishQueue } from '../../../signer/publish-queue.ts';
import { stepRollouts, type RolloutNow, type RolloutSigner } from '../../../signer/rollout/run-rollout.ts';
import { accepted } from '../../accepted.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { manifestOf, publishFactory, tinyFleet, wordOf } from '../../tiny-fleet.ts';
import { makeTinyRepository, type TinyRepository } from '../../tiny-repository.ts';
import { receiptOf } from '../../tiny-receipt.ts';
import { publishPlanned } from '../../tiny-rollout.ts';
import { optionsFor, publishAll } from '../publishing.ts';

const FLEET = tinyFleet(2);
const gate = { expectedMin: 2, confirmedBp: 10_000, deadlineSeconds: 7200 };
const WAVES = [{ cohortBp: 10_000, soakSeconds: 0, gate }];

let repository: TinyRepository;
let signer: RolloutSigner;
let now: number;
const [device, other] = FLEET;
if (device === undefined || other === undefined) throw new Error('a fleet of two');

beforeEach(async () => {
  repository = await makeTinyRepository();
  await publishFactory(repository);
  now = repository.now + 1000;
  await publishPlanned(repository, '2.0.0', { waves: WAVES, notBefore: now, offline: true });
  const publisher = makeFaultStore();
  accepted(await publishAll(repository, publisher));
  const { now: _, ...publishing } = optionsFor(repository, publisher);
  const onlineSigners = [...publishing.onlineSigners, ...(repository.signers.get('stable-rollout') ?? [])];
  const books = makeFaultBooks();
  const online = { ...publishing, onlineSigners };
  const register = deviceRegister(books);
  signer = { publishing: online, publish: publishQueue(online), books, register, open: new Map() };
  accepted(await ask('manifest', await manifestOf(repository, FLEET), repository.now));
  expect(await step()).toMatchObject({ did: 'opened' });
});

async function ask(verb: string, body: Uint8Array, at: number = now): Promise<Verdict<VerbFacts>> {
  const found = signerVerbs(signer).get(verb);
  if (found === undefined) throw new Error(`the daemon knows ${verb}`);
  return found.run(body, at);
}

async function step(): Promise<RolloutNow> {
  const [rollout] = accepted(await stepRollouts(signer, now));
  if (rollout === undefined) throw new Error('there is a rollout');
  return rollout;
}

const stale = { ok: false, code: 'RECEIPT_STALE' };

test('a receipt counts as the confirmation of its device, and completes a rollout that waits for it alone', async () => {
  accepted(await ask('confirm', await wordOf(repository, other)));
  expect(await step()).toMatchObject({ did: 'nothing', because: 'gate-unmet', votes: [{ expected: 2, confirmed: 1 }] });
  expect(await ask('receipt', await receiptOf(repository, device))).toEqual({ ok: true, value: { counts: true } });
  expect(await step()).toMatchObject({ did: 'completed' });
});

test('a receipt handed in twice, and one that is older than what the device has said since, are refused', async () => {
  accepted(await ask('receipt', await receiptOf(repository, device)));
  expect(await ask('receipt', await receiptOf(repository, device))).toMatchObject(stale);
  expect(await ask('receipt', await receiptOf(repository, device, { receipt: { sequence: 4 } }))).toMatchObject(stale);
  expect((await step()).votes).toMatchObject([{ expected: 2, confirmed: 1 }]);
});

test('a device that was heard over the network is not counted again by its receipt, nor the other way round', async () => {
  accepted(await ask('confirm', await wordOf(repository, device, { sequence: 5 })));
  expect(await ask('receipt', await receiptOf(repository, device))).toMatchObject(stale);
  accepted(await ask('confirm', await receiptOf(repository, other)));
  expect(await ask('confirm', await wordOf(repository, other, { sequence: 5 }))).toMatchObject({
    value: { isNew: false },
  });
  expect((await step()).votes).toMatchObject([{ expected: 2, confirmed: 2 }]);
});

test('what was counted is known after a restart of the signer', async () => {
  accepted(await ask('receipt', await receiptOf(repository, device)));
  signer = { ...signer, open: new Map() };
  expect(await ask('receipt', await receiptOf(repository, device))).toMatchObject(stale);
  expect((await step()).votes).toMatchObject([{ expected: 2, confirmed: 1 }]);
});

test('a failed trial is counted as failed', async () => {
  const failed = { outcome: 'failed', code: 'SELF_TEST_FAILED', failures: 1 } as const;
  accepted(await ask('receipt', await receiptOf(repository, device, { receipt: failed })));
  expect(await step()).toMatchObject({ because: 'gate-lost', votes: [{ confirmed: 0, failed: 1 }] });
});

test('forged, altered, of another product, of another plan, of a refused file, or no receipt at all: nothing counts', async () => {
  const [stranger] = tinyFleet(1, 'strangers');
  if (stranger === undefined) throw new Error('a stranger');
  const refusals = [
    ['RECEIPT_SIGNATURE_INVALID', await receiptOf(repository, device, { by: seededSigner('thief') })],
    ['RECEIPT_SIGNATURE_INVALID', await receiptOf(repository, stranger)],
    ['RECEIPT_SIGNATURE_INVALID', await receiptOf(repository, device, { receipt: { deviceId: other.deviceId } })],
    ['RECEIPT_SIGNATURE_INVALID', await receiptOf(repository, device, { receipt: { release: '3.0.0' } })],
    ['REPOSITORY_MISMATCH', await receiptOf(repository, device, { receipt: { product: 'other' } })],
    ['CONFIRMATION_REFUSED', await receiptOf(repository, device, { receipt: { plan: 'cd'.repeat(32) } })],
    ['CONFIRMATION_REFUSED', await receiptOf(repository, device, { receipt: { plan: undefined } })],
    [
      'CONFIRMATION_REFUSED',
      await receiptOf(repository, device, {
        receipt: { outcome: 'refused', code: 'OFFLINE_NOT_ALLOWED', capsule: 'ef'.repeat(32) },
      }),
    ],
    ['RECEIPT_MALFORMED', await wordOf(repository, device)],
    ['RECEIPT_MALFORMED', new Uint8Array(100)],
  ] as const;
  for (const [code, file] of refusals) expect(await ask('receipt', file), code).toMatchObject({ ok: false, code });
  expect((await step()).votes).toMatchObject([{ expected: 2, confirmed: 0, failed: 0 }]);
});
