/** P5 on the server's side: a cut at any write leaves a repository that devices refresh, and running again finishes. */
import { describe, expect, test } from 'vitest';
import { makeFaultStore, type FaultStore } from '../../simulation/fault-store.ts';
import type { Changes } from '../../signer/publication.ts';
import { publishChanges } from '../../signer/publish-changes.ts';
import { signedOf, makeTinyRepository, type TinyRepository } from '../tiny-repository.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { allChanges, deviceSees, optionsFor, publishAll } from './publishing.ts';

type Scene = { readonly repository: TinyRepository; readonly faulty: FaultStore; readonly changes: Changes };

/** A published repository, and the next release signed. */
async function withNextRelease(): Promise<Scene> {
  const repository = await makeTinyRepository();
  const faulty = makeFaultStore();
  accepted(await publishAll(repository, faulty));
  await repository.publishRelease({ securityCounter: 2 });
  return { repository, faulty, changes: allChanges(repository) };
}

/** The same, and a root that hands every role of people to other keys; all files signed by the old and the new ones. */
async function withRotation(): Promise<Scene> {
  const repository = await makeTinyRepository();
  const faulty = makeFaultStore();
  accepted(await publishAll(repository, faulty));
  const next = [1, 2].map((i) => seededSigner(`rotated ${i}`));
  const quorum = { keys: next.map(({ key }) => key), threshold: 2 };
  await repository.publishRoot({ quorums: { root: quorum, targets: quorum }, signers: next });
  await repository.publishTargets();
  const both = [...(repository.signers.get('targets') ?? []).slice(0, 2), ...next];
  repository.put('targets', await repository.sign('targets', signedOf(repository.newest('targets')), both));
  await repository.publishRelease({ securityCounter: 2 });
  return { repository, faulty, changes: allChanges(repository) };
}

/** The same, and a root that only lives longer. */
async function withRenewedRoot(): Promise<Scene> {
  const { repository, faulty } = await withNextRelease();
  await repository.publishRoot();
  return { repository, faulty, changes: allChanges(repository) };
}

const OLD = { channel: 1, boots: true };
const NEW = { channel: 2, boots: true };

const STAGES: readonly (readonly [string, () => Promise<Scene>])[] = [
  ['a release', withNextRelease],
  ['a renewed root together with a release', withRenewedRoot],
  ['a rotation of all people together with a release', withRotation],
];

describe.each(STAGES)('%s', (_, makeScene) => {
  test('survives a cut at every write: devices refresh, and a second run publishes', async () => {
    const { repository, faulty, changes } = await makeScene();
    const whole = faulty.copy();
    accepted(await publishChanges(optionsFor(repository, whole), changes));
    expect(whole.writes()).toBeGreaterThanOrEqual(7);
    let old = 0;
    for (let at = 1; at <= whole.writes(); at++) {
      const cut = faulty.copy();
      cut.cutAt(at);
      await expect(publishChanges(optionsFor(repository, cut), changes)).rejects.toMatchObject({ code: 'POWER_CUT' });
      cut.restore();
      const seen = await deviceSees(cut.objects, repository);
      expect([OLD, NEW]).toContainEqual(seen);
      if (typeof seen === 'object' && seen.channel === OLD.channel) old++;
      accepted(await publishChanges(optionsFor(repository, cut), changes));
      expect(await deviceSees(cut.objects, repository)).toEqual(NEW);
    }
    expect(old).toBeGreaterThan(0);
  });
});

test('a first publication survives a cut at every write: devices find nothing, or all of it', async () => {
  const repository = await makeTinyRepository();
  const whole = makeFaultStore();
  accepted(await publishAll(repository, whole));
  for (let at = 1; at <= whole.writes(); at++) {
    const faulty = makeFaultStore();
    faulty.cutAt(at);
    await expect(publishAll(repository, faulty)).rejects.toMatchObject({ code: 'POWER_CUT' });
    faulty.restore();
    await expect(deviceSees(faulty.objects, repository)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    accepted(await publishAll(repository, faulty));
    expect(await deviceSees(faulty.objects, repository)).toEqual(OLD);
  }
});

test('devices refresh at every moment between two writes of a publication', async () => {
  const { repository, faulty, changes } = await withRotation();
  const seen: unknown[] = [];
  faulty.beforeWrite(async (objects) => void seen.push(await deviceSees(objects, repository)));
  accepted(await publishChanges(optionsFor(repository, faulty), changes));
  expect(seen.length).toBeGreaterThanOrEqual(7);
  for (const state of seen) expect([OLD, NEW]).toContainEqual(state);
});

test('a publication cut before its timestamp is finished by the next refresh of the online roles', async () => {
  const { repository, faulty, changes } = await withNextRelease();
  const whole = faulty.copy();
  accepted(await publishChanges(optionsFor(repository, whole), changes));
  const cut = faulty.copy();
  cut.cutAt(whole.writes());
  await expect(publishChanges(optionsFor(repository, cut), changes)).rejects.toMatchObject({ code: 'POWER_CUT' });
  cut.restore();
  expect(await deviceSees(cut.objects, repository)).toEqual(OLD);
  accepted(await publishChanges(optionsFor(repository, cut), {}));
  expect(await deviceSees(cut.objects, repository)).toEqual(NEW);
});

test('a store that holds nothing of the product is said to be the wrong one, or not there, and nothing is signed', async () => {
  const { repository, faulty } = await withNextRelease();
  faulty.objects.clear();
  faulty.restore();
  const refused = await publishChanges(optionsFor(repository, faulty), {});
  expect(refused).toMatchObject({ ok: false, code: 'REPOSITORY_CONFLICT' });
  expect(refused.ok ? '' : refused.detail).toContain('the store holds nothing of gateway');
  expect(faulty.writes()).toBe(0);
});

test('a root that the store has lost is missed: nothing is signed under the one before it, whose keys it may have retired', async () => {
  const { repository, faulty, changes } = await withRenewedRoot();
  accepted(await publishChanges(optionsFor(repository, faulty), changes));
  const root = faulty.objects.get('gateway/metadata/2.root.json') ?? new Uint8Array();
  faulty.objects.delete('gateway/metadata/2.root.json');
  faulty.restore();
  const refused = await publishChanges(optionsFor(repository, faulty), {});
  expect(refused).toMatchObject({ ok: false, code: 'REPOSITORY_CONFLICT' });
  expect(refused.ok ? '' : refused.detail).toContain('2.root.json is lost: bring it back');
  expect(faulty.writes()).toBe(0);
  faulty.objects.set('gateway/metadata/2.root.json', root);
  accepted(await publishChanges(optionsFor(repository, faulty), {}));
});
