/** Plans, steps and halts at the publisher: what one version at a time cannot show a device, nobody gets published (P3). */
import { describe, expect, test } from 'vitest';
import { parseChannelPart } from '../../formats/channel-part.ts';
import { HALTS_MAX, haltPartToJson, type Halt } from '../../formats/halt.ts';
import { planDigest, type Plan } from '../../formats/plan.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { parseTargets, targetsToJson } from '../../formats/tuf-targets.ts';
import { bindingToJson } from '../../formats/binding.ts';
import { makeFaultStore, type FaultStore } from '../../simulation/fault-store.ts';
import { draftChannel } from '../../signer/draft-channel.ts';
import { draftTargets } from '../../signer/draft-targets.ts';
import type { Changes } from '../../signer/publication.ts';
import { publishChanges } from '../../signer/publish-changes.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { makeTinyRepository, signedOf, type TinyRepository } from '../tiny-repository.ts';
import { HOUR_MS, placeOf, planInForce, publishHalt, publishPlanned, publishStep, tinyPlan } from '../tiny-rollout.ts';
import { allChanges, optionsFor, publishAll } from './publishing.ts';

type Scene = { readonly repository: TinyRepository; readonly publisher: FaultStore; readonly start: number };

/** A published repository with a planned release. */
async function planned(): Promise<Scene> {
  const repository = await makeTinyRepository();
  await publishPlanned(repository, '2.0.0');
  const publisher = makeFaultStore();
  accepted(await publishAll(repository, publisher));
  publisher.restore();
  return { repository, publisher, start: repository.now };
}

const roles = (repository: TinyRepository, ...names: readonly string[]): Changes => ({
  channels: new Map(names.map((name) => [name, repository.newest(name)] as const)),
});

function publish({ repository, publisher }: Scene, changes: Changes, now?: number): ReturnType<typeof publishChanges> {
  return publishChanges(optionsFor(repository, publisher, now), changes);
}

/** `at` tells the inner code, and the time where it is not that of the repository. */
async function expectRefused(scene: Scene, changes: Changes, at: string | readonly [string, number]): Promise<void> {
  const [inner, now] = typeof at === 'string' ? [at] : at;
  scene.publisher.restore();
  const refusal = await publish(scene, changes, now);
  expect(refusal).toMatchObject({ ok: false, code: 'PUBLICATION_REFUSED' });
  expect(refusal.ok ? '' : refusal.detail).toContain(inner);
  expect(scene.publisher.writes()).toBe(0);
}

describe('steps', () => {
  test('a first step, a renewal and a further wave are published; each names the former one', async () => {
    const scene = await planned();
    const { repository, start } = scene;
    await publishStep(repository, [start]);
    accepted(await publish(scene, roles(repository, 'stable-rollout')));
    await publishStep(repository, [start], { now: start + 1000 });
    accepted(await publish(scene, roles(repository, 'stable-rollout'), start + 1000));
    await publishStep(repository, [start, start + HOUR_MS], { joinsLast: start });
    accepted(await publish(scene, roles(repository, 'stable-rollout'), start + HOUR_MS));
  });

  test('a step that no device would follow is not published: too early, expired, too long, of another plan', async () => {
    const scene = await planned();
    const { repository, start } = scene;
    const late = { expires: start + 24 * HOUR_MS };
    for (const [opened, change, inner] of [
      [[start, start], {}, 'WAVE_TOO_EARLY'],
      [[start - 1000], { now: start }, 'WAVE_TOO_EARLY'],
      [[start], { expires: start }, 'METADATA_EXPIRED'],
      [[start], late, 'LEASE_TOO_LONG'],
      [[start], { plan: '00'.repeat(32) }, 'PLAN_MISMATCH'],
    ] as const) {
      await publishStep(repository, opened, { ...change, former: undefined });
      await expectRefused(scene, roles(repository, 'stable-rollout'), inner);
      repository.files.delete('metadata/1.stable-rollout.json');
    }
  });

  test('a step that changes the anchor, an open wave, or the former file is refused', async () => {
    const scene = await planned();
    const { repository, start } = scene;
    await publishStep(repository, [start]);
    accepted(await publish(scene, roles(repository, 'stable-rollout')));
    for (const change of [{ anchor: 'ab'.repeat(32) }, { joinsLast: start + 1000 }]) {
      await publishStep(repository, [start], change);
      await expectRefused(scene, roles(repository, 'stable-rollout'), 'STEP_REFUSED');
      repository.files.delete('metadata/2.stable-rollout.json');
    }
    await publishStep(repository, [start + 1000], { joinsLast: start });
    await expectRefused(scene, roles(repository, 'stable-rollout'), 'STEP_REFUSED');
    repository.files.delete('metadata/2.stable-rollout.json');
    await publishStep(repository, [start], { now: start + 1000 });
    const signed = signedOf(repository.newest('stable-rollout'));
    const { firmament } = accepted(parseTargets(repository.newest('stable-rollout'))).signed;
    signed.set('firmament', new Map([...(firmament ?? []), ['former', 'ab'.repeat(32)] as const]));
    repository.put('stable-rollout', await repository.sign('stable-rollout', signed));
    await expectRefused(scene, roles(repository, 'stable-rollout'), ['STEP_REFUSED', start + 1000]);
  });

  test('no lease is renewed and no wave opened once the plan is halted', async () => {
    const scene = await planned();
    const { repository, start } = scene;
    await publishHalt(repository, start);
    accepted(await publish(scene, roles(repository, 'stable-halt')));
    await publishStep(repository, [start]);
    await expectRefused(scene, roles(repository, 'stable-rollout'), 'PLAN_HALTED');
  });
});

describe('halts', () => {
  /** The next version of the halt role with exactly these halts. */
  async function putHalts(repository: TinyRepository, version: number, halts: readonly Halt[]): Promise<void> {
    const former = version === 1 ? undefined : sha256Hex(repository.newest('stable-halt'));
    const content = targetsToJson({
      type: 'targets',
      version,
      expires: repository.now + HOUR_MS,
      firmament: bindingToJson({ ...repository.id, role: 'stable-halt' }, haltPartToJson({ halts, former })),
      targets: new Map(),
      delegations: undefined,
    });
    repository.put('stable-halt', await repository.sign('stable-halt', content));
  }
  const haltOf = (plan: string, at: number): Halt => ({ plan, at, reason: 'for a test' });

  test('one manager cannot take back what another one halted', async () => {
    const scene = await planned();
    const { repository, start } = scene;
    await publishHalt(repository, start);
    accepted(await publish(scene, roles(repository, 'stable-halt')));
    await putHalts(repository, 2, [haltOf('ab'.repeat(32), start)]);
    await expectRefused(scene, roles(repository, 'stable-halt'), 'HALT_DROPPED');
  });

  test('a halt drafted over an older version than the published one is refused, not lost', async () => {
    const scene = await planned();
    const { repository, start } = scene;
    await putHalts(repository, 1, [haltOf('ab'.repeat(32), start)]);
    accepted(await publish(scene, roles(repository, 'stable-halt')));
    repository.files.delete('metadata/1.stable-halt.json');
    await putHalts(repository, 1, [haltOf('cd'.repeat(32), start)]);
    const other = repository.newest('stable-halt');
    await expectRefused(scene, { channels: new Map([['stable-halt', other]]) }, 'HALT_DROPPED');
  });

  test('a full list leaves out the oldest halts of other plans, and never one of the plan in force', async () => {
    const scene = await planned();
    const { repository, start } = scene;
    const inForce = planDigest(planInForce(repository), placeOf(repository));
    const old = haltOf('ab'.repeat(32), start);
    const full = [
      old,
      haltOf(inForce, start),
      ...Array.from({ length: HALTS_MAX - 2 }, () => haltOf(inForce, start + 1000)),
    ];
    await putHalts(repository, 1, full);
    accepted(await publish(scene, roles(repository, 'stable-halt')));
    const more = haltOf(inForce, start + 2000);
    await putHalts(repository, 2, [old, ...full.slice(2), more]);
    await expectRefused(scene, roles(repository, 'stable-halt'), 'HALT_DROPPED');
    repository.files.delete('metadata/2.stable-halt.json');
    await putHalts(repository, 2, [...full.slice(1), more]);
    accepted(await publish(scene, roles(repository, 'stable-halt')));
  });
});

describe('plans', () => {
  test('a plan whose waves nobody may open is not published', async () => {
    const repository = await makeTinyRepository();
    const publisher = makeFaultStore();
    const plan = tinyPlan(repository.now);
    await repository.publishRelease({ release: '2.0.0', channels: ['stable'], draft: { plan } });
    await expectRefused({ repository, publisher, start: 0 }, allChanges(repository), 'ROLLOUT_NOT_DELEGATED');
  });

  test('a plan is carried on as long as its release is in force, and a new one says since when', async () => {
    const { repository } = await planned();
    const read = (file: Uint8Array): Plan | undefined =>
      accepted(parseChannelPart(accepted(parseTargets(file)).signed.firmament)).plan;
    const former = repository.newest('stable');
    const base = { repository: repository.id, channel: 'stable', now: repository.now, former };
    const renewed = read(accepted(draftChannel({ ...base, resumes: ['ab'.repeat(32)] })));
    const before = planInForce(repository);
    expect(renewed).toEqual({ ...before, resumes: ['ab'.repeat(32)] });
    expect(read(accepted(draftChannel({ ...base, inForce: '1.0.0' })))).toBeUndefined();
    const again = read(accepted(draftChannel({ ...base, plan: tinyPlan(repository.now) })));
    expect(again?.since).toBe(before.since + 1);
    expect(draftChannel({ ...base, inForce: '1.0.0', resumes: ['ab'.repeat(32)] })).toMatchObject({
      code: 'DRAFT_REFUSED',
    });
    expect(draftChannel({ ...base, plan: tinyPlan(0, { waves: [] }) })).toMatchObject({ code: 'DRAFT_REFUSED' });
  });

  test('a plan that says since a version that does not bring it first is refused', async () => {
    const scene = await planned();
    const { repository } = scene;
    // The draft of version 3, signed over again as version 4: its plan still says 3.
    await repository.publishRelease({ release: '3.0.0', channels: ['stable'], draft: { plan: tinyPlan(0) } });
    const { signed } = accepted(parseTargets(repository.newest('stable')));
    const later = targetsToJson({ ...signed, version: signed.version + 1 });
    repository.put('stable', await repository.sign('stable', later));
    await expectRefused(scene, allChanges(repository), 'PLAN_MISMATCH');
  });
});

describe('delegations', () => {
  const rollout = seededSigner('tiny stable-rollout 1').key;

  test('the roles beside a channel have one key to open and each manager to halt, over no target of ours', async () => {
    const { repository } = await planned();
    const all = accepted(parseTargets(repository.newest('targets'))).signed.delegations?.roles ?? [];
    const find = (name: string): (typeof all)[number] | undefined => all.find((role) => role.name === name);
    expect(find('stable-rollout')).toMatchObject({ threshold: 1, paths: ['-'], keyids: [expect.any(String)] });
    expect(find('stable-halt')).toMatchObject({ threshold: 1, paths: ['-'], keyids: find('stable')?.keyids });
    expect(find('beta-rollout')).toBeUndefined();
  });

  test('who signs the channel from now on also halts it from now on', async () => {
    const { repository } = await planned();
    const keys = ['new 1', 'new 2'].map((name) => seededSigner(name).key);
    const former = repository.newest('targets');
    const channels = [{ name: 'stable', quorum: { keys, threshold: 2 } }];
    const draft = accepted(draftTargets({ repository: repository.id, former, now: repository.now, channels }));
    const all = accepted(parseTargets(draft)).signed.delegations?.roles ?? [];
    const halt = all.find(({ name }) => name === 'stable-halt');
    expect(halt?.keyids).toEqual(['new 1', 'new 2'].map((name) => seededSigner(name).keyid));
    const gone = accepted(
      draftTargets({ repository: repository.id, former, now: repository.now, withoutChannels: ['stable'] }),
    );
    const left = accepted(parseTargets(gone)).signed.delegations?.roles.map(({ name }) => name);
    expect(left).toEqual(['beta']);
  });

  test('no channel has the name of a role beside one, nor one too long for that, and no waves have no channel', async () => {
    const { repository } = await planned();
    const base = { repository: repository.id, former: repository.newest('targets'), now: repository.now };
    const quorum = { keys: [rollout], threshold: 1 };
    for (const name of ['beta-rollout', 'beta-halt', 'a'.repeat(56)]) {
      expect(draftTargets({ ...base, channels: [{ name, quorum }] })).toMatchObject({ code: 'DRAFT_REFUSED' });
    }
    expect(draftTargets({ ...base, channels: [{ name: 'a'.repeat(55), quorum }] }).ok).toBe(true);
    expect(draftTargets({ ...base, rollouts: [{ channel: 'nightly', keys: [rollout] }] })).toMatchObject({
      code: 'DRAFT_REFUSED',
    });
  });
});
