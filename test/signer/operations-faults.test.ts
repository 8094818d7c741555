/**
 * P5 at every operation of the signer: whichever single write is cut, refused by a full disk, or answered to nobody, devices see
 * the state before or the one after, the repository is whole, and asking again comes to the state after.
 */
import { describe, expect, test } from 'vitest';
import type { Refreshed } from '../../bootloader-verifier/agent/refresh.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { parseTimestamp } from '../../formats/tuf-snapshot.ts';
import type { Verdict } from '../../formats/verdict.ts';
import { makeFaultBooks } from '../../simulation/fault-books.ts';
import { makeFaultStore, type FaultKind, type FaultStore } from '../../simulation/fault-store.ts';
import { planGarbage, removeGarbage } from '../../signer/care/collect-garbage.ts';
import { signerVerbs } from '../../signer/daemon/signer-verbs.ts';
import { deviceRegister } from '../../signer/identity/device-register.ts';
import type { Changes } from '../../signer/publication.ts';
import { publishChanges } from '../../signer/publish-changes.ts';
import { publishQueue } from '../../signer/publish-queue.ts';
import { renewTimestamp } from '../../signer/renew-timestamp.ts';
import { stepRollouts, type RolloutSigner } from '../../signer/rollout/run-rollout.ts';
import { withdrawEvent } from '../../signer/sign-event.ts';
import { SNAPSHOT_LIFETIME_MS, TIMESTAMP_LIFETIME_MS } from '../../signer/lifetimes.ts';
import { accepted } from '../accepted.ts';
import { LOGGED } from '../logged-repository.ts';
import { listPeople } from '../tiny-event.ts';
import { makeTinyRepository, type TinyRepository } from '../tiny-repository.ts';
import { LEASE_MS, publishHalt, publishPlanned, tinyPlan } from '../tiny-rollout.ts';
import { checkOnce, found, publishNext, sourceOver } from './care/published.ts';
import { allChanges, filesOf, optionsFor, publishAll, refreshFrom } from './publishing.ts';

const KINDS: readonly FaultKind[] = ['cut', 'full', 'lost'];

type Scene = {
  readonly repository: TinyRepository;
  /** As it stands before the operation. */
  readonly before: FaultStore;
  /** Does the operation, or what is left of it. */
  readonly run: (publisher: FaultStore) => Promise<Verdict<unknown>>;
  /** When devices look; by default when the repository was made. */
  readonly now?: number;
  /** The writes that it takes at least. */
  readonly writesMin: number;
  /** What else it has changed once it is done, beside what devices see. */
  readonly more?: (publisher: FaultStore) => Promise<unknown>;
};

async function founded(): Promise<Pick<Scene, 'repository' | 'before'>> {
  const repository = await makeTinyRepository({ log: LOGGED });
  const before = makeFaultStore();
  accepted(await publishAll(repository, before));
  return { repository, before };
}

/** The newest file of `stable`, and what it names. */
function stableOf(repository: TinyRepository): Changes {
  const targetFiles = [...repository.releases.values()].flatMap(filesOf);
  return { channels: new Map([['stable', repository.newest('stable')]]), targetFiles };
}

function publishing(scene: Pick<Scene, 'repository'>, changes: Changes, now?: number): Scene['run'] {
  return (publisher) => publishChanges(optionsFor(scene.repository, publisher, now), changes);
}

async function aPlan(): Promise<Scene> {
  const { repository, before } = await founded();
  await publishPlanned(repository, '2.0.0');
  return { repository, before, run: publishing({ repository }, allChanges(repository)), writesMin: 8 };
}

/** A published plan without votes, whose first wave may open at once. */
async function planned(): Promise<Pick<Scene, 'repository' | 'before'>> {
  const { repository, before } = await founded();
  const gate = { expectedMin: 0, confirmedBp: 10_000, deadlineSeconds: 7200 };
  const waves = [
    { cohortBp: 5000, soakSeconds: LEASE_MS / 1000, gate },
    { cohortBp: 10_000, soakSeconds: LEASE_MS / 1000, gate },
  ];
  await publishPlanned(repository, '2.0.0', { waves });
  accepted(await publishAll(repository, before));
  return { repository, before };
}

/** The signer of rollouts as it starts: with nothing in its process but what its books hold. */
function rolloutSigner(repository: TinyRepository, publisher: FaultStore): RolloutSigner {
  const { now: _, ...options } = optionsFor(repository, publisher);
  const onlineSigners = [...options.onlineSigners, ...(repository.signers.get('stable-rollout') ?? [])];
  const books = makeFaultBooks();
  return {
    publishing: { ...options, onlineSigners },
    publish: publishQueue({ ...options, onlineSigners }),
    ...{ books, register: deviceRegister(books), open: new Map() },
  };
}

/** What is done in a rollout at `now`; once it is done, a look again finds nothing to do. */
function stepping(repository: TinyRepository, now: number): Scene['run'] {
  return (publisher) => stepRollouts(rolloutSigner(repository, publisher), now);
}

/** A rollout after so many steps, each `LEASE_MS` after the former one; the next one is the operation. */
async function aStep(steps: number, afterMs: number): Promise<Scene> {
  const { repository, before } = await planned();
  let now = repository.now;
  for (let step = 0; step < steps; step++, now += LEASE_MS) accepted(await stepping(repository, now)(before));
  const at = (steps === 0 ? repository.now : now - LEASE_MS) + afterMs;
  return { repository, before, run: stepping(repository, at), now: at, writesMin: 4 };
}

async function aHalt(): Promise<Scene> {
  const { repository, before } = await planned();
  accepted(await stepping(repository, repository.now)(before));
  await publishHalt(repository, repository.now);
  const run: Scene['run'] = (publisher) =>
    signerVerbs(rolloutSigner(repository, publisher))
      .get('halt')
      ?.run(repository.newest('stable-halt'), repository.now) ?? Promise.reject(new Error('there is such a verb'));
  return { repository, before, run, writesMin: 4 };
}

async function aResume(): Promise<Scene> {
  const { repository, before, run } = await aHalt();
  accepted(await run(before));
  const release = '2.0.0';
  const halt = sha256Hex(repository.newest('stable-halt'));
  await repository.publishRelease({
    release,
    channels: ['stable'],
    draft: { plan: tinyPlan(repository.now), resumes: [halt] },
  });
  return { repository, before, run: publishing({ repository }, stableOf(repository)), writesMin: 8 };
}

async function aWithdrawal(): Promise<Scene> {
  const repository = await makeTinyRepository({ channels: ['stable'] });
  const before = makeFaultStore();
  const publish = async (more: Changes): Promise<void> => {
    const changes = { ...stableOf(repository), targets: repository.newest('targets'), ...more };
    accepted(await publishChanges(optionsFor(repository, before), changes));
  };
  await publish({ roots: repository.roots() });
  const { managers, event } = await listPeople(repository);
  await publish({});
  const { role, metadata, withdrawn } = accepted(await withdrawEvent(await event(), managers.dee));
  const withdrawals = [{ role, metadata, envelopes: withdrawn }];
  const more: Scene['more'] = async ({ memory }) => (await memory.read())?.withdrawn;
  return { repository, before, run: publishing({ repository }, { withdrawals }), writesMin: 2, more };
}

async function aRenewal(): Promise<Scene> {
  const { repository, before } = await founded();
  const now = repository.now + TIMESTAMP_LIFETIME_MS / 2;
  const run: Scene['run'] = async (publisher) => {
    const options = optionsFor(repository, publisher, now);
    // As the daemon does: the cheap way where it is safe, else all of it.
    return (await renewTimestamp(options)) ? { ok: true, value: undefined } : publishChanges(options, {});
  };
  return { repository, before, run, now, writesMin: 2, more: endOf };
}

async function aNewSnapshot(): Promise<Scene> {
  const { repository, before } = await founded();
  const now = repository.now + TIMESTAMP_LIFETIME_MS / 2;
  // Due, because it has less left than half of what it would live.
  const lived = { snapshotLifetimeMs: 2 * SNAPSHOT_LIFETIME_MS };
  const run: Scene['run'] = (publisher) => publishChanges({ ...optionsFor(repository, publisher, now), ...lived }, {});
  return { repository, before, run, now, writesMin: 3, more: endOf };
}

/** When the timestamp ends that is shown. */
async function endOf({ objects }: FaultStore): Promise<unknown> {
  const shown = objects.get('gateway/metadata/timestamp.json') ?? new Uint8Array();
  return Promise.resolve(accepted(parseTimestamp(shown)).signed.expires);
}

async function aRotation(): Promise<Scene> {
  const { repository, before } = await founded();
  await publishNext({ repository, store: before.copy() }, true);
  return { repository, before, run: publishing({ repository }, allChanges(repository)), writesMin: 12 };
}

async function aCollection(): Promise<Scene> {
  const { repository, before } = await founded();
  for (let i = 0; i < 2; i++) await publishNext({ repository, store: before });
  const run: Scene['run'] = async (publisher) => {
    const input = {
      ...{ ...sourceOver(publisher.objects), repository: repository.id, check: checkOnce, now: repository.now },
      limits: { peopleMs: 0, onlineMs: 0 },
      rules: { versionsMin: 1, ageMs: 1, incomingAgeMs: 1 },
      memory: publisher.memory,
    };
    const garbage = await planGarbage(input);
    return garbage.ok ? removeGarbage(input, garbage.value, publisher.remover) : garbage;
  };
  return { repository, before, run, writesMin: 8, more: async ({ objects }) => Promise.resolve(objects.size) };
}

const OPERATIONS: readonly (readonly [string, () => Promise<Scene>])[] = [
  ['a plan', aPlan],
  ['a wave that opens', () => aStep(0, 0)],
  ['a lease that is renewed', () => aStep(2, LEASE_MS / 2)],
  ['a rollout that completes', () => aStep(2, LEASE_MS)],
  ['a halt', aHalt],
  ['a resume', aResume],
  ['a withdrawal', aWithdrawal],
  ['a renewal of the timestamp', aRenewal],
  ['a snapshot that is due', aNewSnapshot],
  ['a rotation of all people, logged, with a release', aRotation],
  ['a collection of garbage', aCollection],
];

/** What a device acts by; numbers of steps that a cut left behind do not matter to it. */
function seen({ targets, channel, rollout }: Refreshed): unknown {
  return { targets: sha256Hex(targets), channel: sha256Hex(channel), rollout: rolloutOf(rollout) };
}

function rolloutOf({ rollout, halts }: Refreshed['rollout']): unknown {
  return { step: rollout && { ...rollout.step, former: undefined, expires: rollout.expires }, halts };
}

async function look({ repository, now }: Scene, { objects }: FaultStore): Promise<Refreshed> {
  return accepted(await refreshFrom(objects, repository, { now: now ?? repository.now }));
}

/** Roots belong to the end alone: one that is shown after the timestamp may come late, and changes nothing until then. */
async function stateOf(scene: Scene, publisher: FaultStore): Promise<unknown> {
  const refreshed = await look(scene, publisher);
  return { device: seen(refreshed), roots: refreshed.roots.length, more: await scene.more?.(publisher) };
}

/** What `fsck` finds that is neither left behind nor about to be finished. */
async function unclean({ repository, now }: Scene, store: FaultStore): Promise<unknown> {
  const findings = await found({ repository, store, former: new Map() }, store.objects, { now: now ?? repository.now });
  return findings.filter(({ level, code }) => level === 'damage' || code.startsWith('SIGNER_'));
}

describe.each(OPERATIONS)('%s', (_, makeScene) => {
  test.each(KINDS)('survives a fault at every write: %s', async (kind) => {
    const scene = await makeScene();
    const { before, run, writesMin } = scene;
    const whole = before.copy();
    accepted(await run(whole));
    const next = await stateOf(scene, whole);
    expect(next).not.toEqual(await stateOf(scene, before));
    const either = [seen(await look(scene, before)), seen(await look(scene, whole))];
    expect(whole.writes()).toBeGreaterThanOrEqual(writesMin);
    for (let write = 1; write <= whole.writes(); write++) {
      const publisher = before.copy();
      publisher.failAt(write, kind);
      await expect(run(publisher), `write ${write}`).rejects.toMatchObject({ name: 'OperationError', retriable: true });
      publisher.restore();
      expect(either, `write ${write}`).toContainEqual(seen(await look(scene, publisher)));
      expect(await unclean(scene, publisher), `write ${write}`).toEqual([]);
      accepted(await run(publisher));
      expect(await stateOf(scene, publisher), `write ${write}`).toEqual(next);
      expect(await unclean(scene, publisher), `write ${write}`).toEqual([]);
    }
  });
});
