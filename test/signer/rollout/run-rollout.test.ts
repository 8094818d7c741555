/** Rollouts by the signer, from the first wave to the last: on published files and signed words alone, through any power cut. */
import { beforeEach, describe, expect, test } from 'vitest';
import { parseTargets } from '../../../formats/tuf-targets.ts';
import { parseWaveStep, type WaveStep } from '../../../formats/wave-step.ts';
import { OperationError } from '../../../formats/operation-error.ts';
import { makeFaultBooks, type FaultBooks } from '../../../simulation/fault-books.ts';
import { makeFaultStore, type FaultStore } from '../../../simulation/fault-store.ts';
import { deviceRegister } from '../../../signer/identity/device-register.ts';
import { publishQueue } from '../../../signer/publish-queue.ts';
import { signerVerbs } from '../../../signer/daemon/signer-verbs.ts';
import { expectedRoot } from '../../../signer/rollout/expected-devices.ts';
import { WORDS_MAX } from '../../../signer/rollout/rollout-book.ts';
import {
  hearConfirmation,
  stepRollouts,
  type RolloutNow,
  type RolloutSigner,
} from '../../../signer/rollout/run-rollout.ts';
import { accepted } from '../../accepted.ts';
import { FAILED, manifestOf, publishFactory, tinyFleet, wordOf, type FleetDevice } from '../../tiny-fleet.ts';
import { makeTinyRepository, type TinyRepository } from '../../tiny-repository.ts';
import { HOUR_MS, publishPlanned } from '../../tiny-rollout.ts';
import { optionsFor, publishAll, refreshFrom } from '../publishing.ts';

const FLEET = tinyFleet(8);
const START_MS = 60_000;
const gate = { expectedMin: 1, confirmedBp: 10_000, deadlineSeconds: 7200 };
const WAVES = [
  { cohortBp: 5000, soakSeconds: 3600, gate },
  { cohortBp: 10_000, soakSeconds: 600, gate },
];

type Scene = {
  readonly repository: TinyRepository;
  readonly publisher: FaultStore;
  readonly books: FaultBooks;
  readonly signer: RolloutSigner;
  readonly start: number;
};
let scene: Scene;

/** A published repository whose factory has listed the fleet, and whose planned release may begin a minute later. */
async function makeScene(): Promise<Scene> {
  const repository = await makeTinyRepository();
  await publishFactory(repository);
  const start = repository.now + START_MS;
  await publishPlanned(repository, '2.0.0', { waves: WAVES, notBefore: start });
  const publisher = makeFaultStore();
  accepted(await publishAll(repository, publisher));
  const books = makeFaultBooks();
  const { now: _, ...publishing } = optionsFor(repository, publisher);
  const onlineSigners = [...publishing.onlineSigners, ...(repository.signers.get('stable-rollout') ?? [])];
  const signer = {
    publishing: { ...publishing, onlineSigners },
    publish: publishQueue({ ...publishing, onlineSigners }),
    books,
    register: deviceRegister(books),
    open: new Map(),
  };
  accepted(
    (await signerVerbs(signer)
      .get('manifest')
      ?.run(await manifestOf(repository, FLEET), repository.now)) ?? NONE,
  );
  return { repository, publisher, books, signer, start };
}

const NONE = { ok: false, code: 'NOT_FOUND', detail: 'there is such a verb' } as const;

beforeEach(async () => {
  scene = await makeScene();
});

async function step(now: number): Promise<RolloutNow> {
  const [rollout] = accepted(await stepRollouts(scene.signer, now));
  if (rollout === undefined) throw new Error('there is a rollout');
  return rollout;
}

/** The newest published step. */
function published(): WaveStep {
  const names = [...scene.publisher.objects.keys()].filter((name) => name.endsWith('.stable-rollout.json'));
  const newest = names
    .sort((a, b) => Number.parseInt(a.split('/')[2] ?? '') - Number.parseInt(b.split('/')[2] ?? ''))
    .at(-1);
  const file = scene.publisher.objects.get(newest ?? '') ?? new Uint8Array();
  return accepted(parseWaveStep(accepted(parseTargets(file)).signed.firmament));
}

/** The devices that the book expects in a wave. */
async function expectedIn(wave: number): Promise<readonly FleetDevice[]> {
  const name = [...scene.books.entries.keys()].find(
    (entry) => entry.endsWith(`-${wave}`) && entry.includes('expected'),
  );
  const bytes = scene.books.entries.get(name ?? '') ?? new Uint8Array();
  const ids = Array.from({ length: bytes.length / 32 }, (_, i) =>
    Buffer.from(bytes.subarray(i * 32, i * 32 + 32)).toString('hex'),
  );
  return Promise.resolve(FLEET.filter(({ deviceId }) => ids.includes(deviceId)));
}

async function say(device: FleetDevice, now: number, change = {}): Promise<boolean> {
  const word = await wordOf(scene.repository, device, change);
  return accepted(await hearConfirmation(scene.signer, word, now)).isNew;
}

test('the first wave opens when the plan begins, the next after soak and gate, and the last completes it', async () => {
  const { start } = scene;
  expect(await step(start - 1000)).toMatchObject({ did: 'nothing', because: 'not-begun' });
  expect(await step(start)).toMatchObject({ did: 'opened', open: 1 });
  const first = await expectedIn(0);
  expect(published().open[0]?.expected).toEqual({
    count: first.length,
    merkleRoot: expectedRoot(first.map(({ deviceId }) => deviceId).sort()),
  });
  expect(await step(start + HOUR_MS)).toMatchObject({ did: 'renewed', open: 1 });
  for (const device of first) expect(await say(device, start + HOUR_MS)).toBe(true);
  expect(await step(start + HOUR_MS)).toMatchObject({ did: 'opened', open: 2 });
  const second = await expectedIn(1);
  expect(first.length + second.length).toBe(FLEET.length);
  for (const device of second) await say(device, start + HOUR_MS + 1000);
  expect(await step(start + HOUR_MS + 600_000)).toMatchObject({ did: 'completed' });
  expect(published().completedAt).toBe(start + HOUR_MS + 600_000);
  expect(await step(start + 2 * HOUR_MS)).toMatchObject({ did: 'nothing', because: 'completed' });
});

test('one silent device keeps the next wave shut, and after the deadline for ever', async () => {
  const { start } = scene;
  await step(start);
  const [silent, ...others] = await expectedIn(0);
  for (const device of others) await say(device, start + 1000);
  expect(await step(start + HOUR_MS)).toMatchObject({ open: 1, did: 'renewed' });
  if (silent === undefined) throw new Error('somebody is expected');
  await say(silent, start + 3 * HOUR_MS);
  expect(await step(start + 3 * HOUR_MS)).toMatchObject({ open: 1, because: 'gate-lost' });
});

test('a failure ends the leases: the rollout stands still without anybody having halted it', async () => {
  const { start } = scene;
  await step(start);
  const [first] = await expectedIn(0);
  if (first === undefined) throw new Error('somebody is expected');
  await say(first, start + 1000);
  await say(first, start + 2000, FAILED);
  expect(await step(start + 400_000)).toMatchObject({ did: 'nothing', because: 'gate-lost' });
});

describe('a vote', () => {
  test('is one a device, however often and in whatever order it speaks', async () => {
    const { start } = scene;
    await step(start);
    const [device] = await expectedIn(0);
    if (device === undefined) throw new Error('somebody is expected');
    expect(await say(device, start + 1000, { sequence: 5 })).toBe(true);
    expect(await say(device, start + 1000, { sequence: 5 })).toBe(false);
    expect(await say(device, start + 1000, { ...FAILED, sequence: 4 })).toBe(false);
    expect((await step(start + 2000)).votes[0]).toMatchObject({ confirmed: 1, failed: 0 });
    for (let sequence = 6; sequence < 6 + WORDS_MAX; sequence++) await say(device, start + 1000, { sequence });
    expect([...scene.books.entries.keys()].filter((name) => name.includes('word-'))).toHaveLength(WORDS_MAX);
  });

  test('is not had by a device whose wave is not open, that nobody has listed, or for another plan', async () => {
    const { start, repository, signer } = scene;
    const hear = async (word: Promise<Uint8Array>): Promise<unknown> => hearConfirmation(signer, await word, start);
    const [anybody, ...others] = FLEET;
    if (anybody === undefined) throw new Error('there is a fleet');
    expect(await hear(wordOf(repository, anybody))).toMatchObject({ code: 'CONFIRMATION_REFUSED' });
    await step(start);
    const first = await expectedIn(0);
    const later = [anybody, ...others].find((device) => !first.includes(device));
    if (later === undefined || first[0] === undefined) throw new Error('both waves have devices');
    expect(await hear(wordOf(repository, later))).toMatchObject({ code: 'CONFIRMATION_REFUSED' });
    const [stranger] = tinyFleet(1, 'stranger');
    if (stranger === undefined) throw new Error('there is a stranger');
    expect(await hear(wordOf(repository, stranger))).toMatchObject({ code: 'CONFIRMATION_SIGNATURE_INVALID' });
    const other = { plan: '00'.repeat(32) };
    expect(await hear(wordOf(repository, first[0], other))).toMatchObject({ code: 'CONFIRMATION_REFUSED' });
  });

  test('is not had by a device that was listed after the plan began', async () => {
    const { start, repository, signer } = scene;
    const late = tinyFleet(8, 'late');
    const manifest = await manifestOf(repository, late, 'second');
    accepted(
      (await signerVerbs(signer)
        .get('manifest')
        ?.run(manifest, start + 1000)) ?? NONE,
    );
    await step(start + 2000);
    expect(published().open[0]?.expected.count).toBe((await expectedIn(0)).length);
  });
});

test('the power fails at any entry or write while a wave opens: afterwards it is open once, with the expected set of the first try', async () => {
  for (const side of ['before', 'after'] as const) {
    scene = await makeScene();
    scene.books.cutAt(1, side);
    await expect(stepRollouts(scene.signer, scene.start)).rejects.toThrow(OperationError);
    scene.books.restore();
    expect(await step(scene.start + 1000)).toMatchObject({ did: 'opened', open: 1 });
  }
  for (let write = 1; ; write++) {
    scene = await makeScene();
    scene.publisher.cutAt(write);
    const cut = await stepRollouts(scene.signer, scene.start).catch((fault: unknown) => fault);
    scene.publisher.restore();
    if (!(cut instanceof OperationError)) {
      expect(write).toBeGreaterThan(3);
      return;
    }
    const after = await step(scene.start + 1000);
    expect(after.open, `cut at write ${write}`).toBe(1);
    expect(published().open).toHaveLength(1);
  }
});

test('a word is heard once through any cut', async () => {
  const { start } = scene;
  await step(start);
  const [device] = await expectedIn(0);
  if (device === undefined) throw new Error('somebody is expected');
  const word = await wordOf(scene.repository, device);
  for (const side of ['before', 'after'] as const) {
    scene.books.cutAt(1, side);
    await expect(hearConfirmation(scene.signer, word, start + 1000)).rejects.toThrow(OperationError);
    scene.books.restore();
  }
  accepted(await hearConfirmation(scene.signer, word, start + 1000));
  expect([...scene.books.entries.keys()].filter((name) => name.includes('word-'))).toHaveLength(1);
});

describe('a book that was restored from a backup', () => {
  /** The signer goes on with the entries of its book that `kept` lets through, as a restored one does. */
  function restoreBook(kept: (name: string) => boolean): void {
    const books = makeFaultBooks();
    const entries = [...scene.books.entries].filter(([name]) => kept(name));
    Object.assign(scene, {
      books,
      signer: { ...scene.signer, books, register: deviceRegister(books), open: new Map() },
    });
    for (const [name, bytes] of entries) void books.keep(name, bytes);
  }

  test('a wave that opened since is not opened again: who is expected in it is drawn again, as it was logged', async () => {
    const { start } = scene;
    await step(start);
    const before = await expectedIn(0);
    restoreBook((name) => name.startsWith('devices/'));
    const shown = published();
    expect(await step(start + 60_000)).toMatchObject({ did: 'nothing', because: 'soaking', open: 1 });
    expect(published()).toEqual(shown);
    expect(await expectedIn(0)).toEqual(before);
    for (const device of before) expect(await say(device, start + HOUR_MS)).toBe(true);
    expect(await step(start + HOUR_MS)).toMatchObject({ did: 'opened', open: 2 });
  });

  test('words that it lost count as silence, those that it kept count once', async () => {
    const { start } = scene;
    await step(start);
    const [first, ...others] = await expectedIn(0);
    if (first === undefined) throw new Error('somebody is expected');
    await say(first, start + 60_000);
    for (const device of others) await say(device, start + 120_000);
    restoreBook((name) => !/word-[1-9]/.test(name));
    const { votes } = await step(start + 180_000);
    expect(votes[0]).toMatchObject({ confirmed: 1, failed: 0 });
    expect(await say(first, start + 180_000)).toBe(false);
    for (const device of others) expect(await say(device, start + 180_000)).toBe(true);
    expect((await step(start + HOUR_MS)).open).toBe(2);
  });

  test('where the devices of a wave are not known any more nothing is opened or renewed, whatever is said', async () => {
    const { start } = scene;
    await step(start);
    restoreBook(() => false);
    const shown = published();
    expect(await step(start + 2 * HOUR_MS)).toMatchObject({ did: 'nothing', because: 'book-lost' });
    const again = await manifestOf(scene.repository, FLEET);
    accepted(
      (await signerVerbs(scene.signer)
        .get('manifest')
        ?.run(again, start + 2 * HOUR_MS)) ?? NONE,
    );
    expect(await step(start + 2 * HOUR_MS)).toMatchObject({ did: 'nothing', because: 'book-lost' });
    expect(published()).toEqual(shown);
  });

  test('an expected set that is another than the logged one counts nobody', async () => {
    const { start } = scene;
    await step(start);
    const name = [...scene.books.entries.keys()].find((entry) => entry.includes('expected')) ?? '';
    restoreBook((entry) => entry !== name);
    await scene.books.keep(name, new Uint8Array());
    expect(await step(start + HOUR_MS)).toMatchObject({ did: 'nothing', because: 'book-lost' });
  });

  test('steps are published in versions far above those before, and devices follow them', async () => {
    const { start, publisher, repository } = scene;
    await step(start);
    const state = await publisher.memory.read();
    if (state === undefined) throw new Error('it is published');
    const versionFloor = start + 1_000_000;
    accepted(await publisher.memory.write({ ...state, versionFloor }, state));
    expect(await step(start + HOUR_MS)).toMatchObject({ did: 'renewed' });
    const names = [...publisher.objects.keys()];
    expect(names).toContain(`gateway/metadata/${versionFloor}.stable-rollout.json`);
    expect(names).toContain(`gateway/metadata/${versionFloor}.snapshot.json`);
    accepted(await refreshFrom(publisher.objects, repository, { now: start + HOUR_MS }));
  });
});
