/** P1 and P2 at the publisher: what a device would refuse is not published, and a refusal writes nothing. */
import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../../formats/sha256.ts';
import { encodeMetadata } from '../../formats/tuf-metadata.ts';
import { makeFaultStore, type FaultStore } from '../../simulation/fault-store.ts';
import type { Changes } from '../../signer/publication.ts';
import { publishChanges } from '../../signer/publish-changes.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { makeTinyRepository, signedOf, type ReleaseOptions, type TinyRepository } from '../tiny-repository.ts';
import { allChanges, deviceSees, filesOf, optionsFor, publishAll } from './publishing.ts';

type Scene = { readonly repository: TinyRepository; readonly publisher: FaultStore };

/** A published tiny repository. */
async function published(first?: ReleaseOptions): Promise<Scene> {
  const repository = await makeTinyRepository(first === undefined ? {} : { first });
  const publisher = makeFaultStore();
  accepted(await publishAll(repository, publisher));
  publisher.restore();
  return { repository, publisher };
}

/** Publishing `changes` is refused with `inner`, and not one write was begun. */
async function expectRefused({ repository, publisher }: Scene, changes: Changes, inner: string): Promise<void> {
  const refusal = await publishChanges(optionsFor(repository, publisher), changes);
  expect(refusal).toMatchObject({ ok: false, code: 'PUBLICATION_REFUSED' });
  expect(refusal.ok ? '' : refusal.detail).toContain(inner);
  expect(publisher.writes()).toBe(0);
}

/** A release signed by its quorum that a device would refuse, as changes to publish. */
async function badRelease({ repository }: Scene, options: ReleaseOptions): Promise<Changes> {
  await repository.publishRelease(options);
  return allChanges(repository);
}

describe('releases that no device would boot', () => {
  test.each<[string, string, ReleaseOptions]>([
    ['built by nobody who is listed', 'EVIDENCE_SIGNATURE_INVALID', { builder: seededSigner('stranger') }],
    ['built from another source', 'PROVENANCE_SOURCE_MISMATCH', { provenance: { ...foreignSource() } }],
    ['built once', 'PROVENANCE_NOT_REPRODUCED', { provenance: { runs: [] } }],
    [
      'with provenance of another image',
      'PROVENANCE_SUBJECT_MISMATCH',
      { provenance: { subjects: [{ name: 'x', sha256: '00'.repeat(32) }] } },
    ],
    ['with a counter that rises by 17', 'COUNTER_JUMP', { securityCounter: 18 }],
    ['with a counter that falls', 'IMAGE_ROLLBACK', { securityCounter: 0 }],
    ['below the least counter of its own channel', 'IMAGE_ROLLBACK', { draft: { minSecurityCounter: 2 } }],
    ['signed by one manager of two', 'METADATA_THRESHOLD_UNMET', { signers: [seededSigner('tiny stable 1')] }],
    ['that expired before it was published', 'METADATA_EXPIRED', { draft: { lifetimeMs: -1 } }],
  ])('a release %s is refused', async (_, inner, options) => {
    const scene = await published();
    await expectRefused(scene, await badRelease(scene, options), inner);
  });

  test('a release whose image the channel revokes is refused', async () => {
    const scene = await published();
    const image = new TextEncoder().encode('revoked');
    const draft = { revokedDigests: [sha256Hex(image)] };
    await expectRefused(scene, await badRelease(scene, { image, draft }), 'IMAGE_REVOKED');
  });

  test('a counter that rises by 16 is published, in one channel as in a channel that lags behind', async () => {
    const { repository, publisher } = await published();
    await repository.publishRelease({ securityCounter: 17, channels: ['beta'] });
    accepted(await publishAll(repository, publisher));
    await repository.publishRelease({ securityCounter: 2, channels: ['stable'] });
    accepted(await publishAll(repository, publisher));
    expect(await deviceSees(publisher.objects, repository)).toEqual({ channel: 2, boots: true });
  });

  test('one component that would not boot on one of its hardware refuses the whole release', async () => {
    const scene = await published();
    const components = [
      { hardwareIds: ['gw-1', 'gw-2'] },
      { component: 'radio', hardwareIds: ['radio-1'], installer: 'transfer' as const, securityCounter: 99 },
    ];
    await expectRefused(scene, await badRelease(scene, { components }), 'COUNTER_JUMP');
  });

  test('two images that start from a slot of the same hardware are refused: none would be the right one', async () => {
    const scene = await published();
    const components = [{ hardwareIds: ['gw-1', 'gw-2'] }, { component: 'other', hardwareIds: ['gw-3', 'gw-2'] }];
    await expectRefused(scene, await badRelease(scene, { components }), 'HARDWARE_MISMATCH');
  });

  test('variants for other hardware, each with the same microcontroller, are published together', async () => {
    const { repository, publisher } = await published();
    const hub = { component: 'hub', hardwareIds: ['primehub', 'inventorhub'], installer: 'transfer' as const };
    await repository.publishRelease({ components: [hub, {}, { component: 'other', hardwareIds: ['gw-2'] }] });
    accepted(await publishAll(repository, publisher));
    expect(await deviceSees(publisher.objects, repository)).toMatchObject({ channel: 2 });
  });
});

/** A source that the targets role does not list, stated without contradiction. */
function foreignSource(): NonNullable<ReleaseOptions['provenance']> {
  const uri = 'git+https://elsewhere.example/fork.git';
  return {
    source: { uri, commit: 'ab'.repeat(20), algorithm: 'gitCommit' },
    externalParameters: {
      source: uri,
      folder: '.',
      command: ['node', 'build.ts'],
      output: 'dist/image.js',
      environment: new Map(),
    },
  };
}

describe('files that do not fit', () => {
  test('a missing image, missing evidence or a file that no channel names refuses the publication', async () => {
    const scene = await published();
    const release = await scene.repository.publishRelease();
    const changes = allChanges(scene.repository);
    await expectRefused(scene, { ...changes, targetFiles: [release.provenance] }, 'NOT_FOUND');
    await expectRefused(scene, { ...changes, targetFiles: [release.image] }, 'NOT_FOUND');
    const stray = new TextEncoder().encode('something else');
    await expectRefused(scene, { ...changes, targetFiles: [...filesOf(release), stray] }, 'IMAGE_HASH_MISMATCH');
  });

  test('an image of another length than was signed is refused, though its digest fits', async () => {
    const scene = await published();
    await scene.repository.publishRelease({ channels: ['stable'], image: new Uint8Array(20) });
    const signed = signedOf(scene.repository.newest('stable'));
    const text = new TextDecoder().decode(encodeMetadata(signed, []));
    const longer = new TextEncoder().encode(text.replaceAll('"length":20}', '"length":21}'));
    scene.repository.put('stable', await scene.repository.sign('stable', signedOf(longer)));
    await expectRefused(scene, allChanges(scene.repository), 'IMAGE_LENGTH_MISMATCH');
  });

  test('a target whose name climbs out of its folder is refused, though the quorum signed it', async () => {
    const scene = await published();
    await scene.repository.publishRelease({ channels: ['stable'] });
    const text = new TextDecoder().decode(encodeMetadata(signedOf(scene.repository.newest('stable')), []));
    const extra = `"../gateway/evil.js":{"hashes":{"sha256":"${sha256Hex(new Uint8Array(3))}"},"length":3},`;
    const climbing = new TextEncoder().encode(text.replace('"targets":{', `"targets":{${extra}`));
    scene.repository.put('stable', await scene.repository.sign('stable', signedOf(climbing)));
    const changes = allChanges(scene.repository);
    const targetFiles = [...(changes.targetFiles ?? []), new Uint8Array(3)];
    await expectRefused(scene, { ...changes, targetFiles }, 'TARGET_NAME_REFUSED');
  });

  test('a release name is given once: other content under it is refused, in the same channel and in another', async () => {
    for (const channels of [['stable'], ['beta']]) {
      const scene = await published();
      const { repository } = scene;
      const release = await repository.publishRelease({ channels: ['stable'] });
      accepted(await publishAll(repository, scene.publisher));
      scene.publisher.restore();
      const draft = { withoutReleases: channels.includes('stable') ? [release.release] : [] };
      const image = new TextEncoder().encode('other content');
      const again = await makeTinyRepository();
      await again.publishRelease({ channels: ['stable'] });
      await again.publishRelease({ release: '3.0.0', channels, draft });
      await again.publishRelease({ release: release.release, channels, image });
      await expectRefused(scene, allChanges(again), 'release names are given once');
    }
  });

  test('a release whose files lie in the store already, by another channel, needs no second upload', async () => {
    const { repository, publisher } = await published();
    const release = await repository.publishRelease({ channels: ['beta'] });
    accepted(await publishAll(repository, publisher));
    await repository.publishRelease({ release: release.release, channels: ['stable'] });
    accepted(await publishChanges(optionsFor(repository, publisher), { ...allChanges(repository), targetFiles: [] }));
    expect(await deviceSees(publisher.objects, repository)).toEqual({ channel: 2, boots: true });
  });
});

describe('roles and roots', () => {
  test('metadata of another repository, or of another role, is refused', async () => {
    const scene = await published();
    const other = await makeTinyRepository({ now: scene.repository.now + 1000 });
    await expectRefused(scene, { targets: other.newest('targets') }, 'REPOSITORY_MISMATCH');
    const { repository } = scene;
    const beta = await repository.publishRelease({ channels: ['beta'] });
    const channels = new Map([['stable', await repository.sign('stable', signedOf(repository.newest('beta')))]]);
    await expectRefused(scene, { channels, targetFiles: filesOf(beta) }, 'ROLE_MISMATCH');
  });

  test('an older version of a channel is refused, and the same version with other bytes is a conflict', async () => {
    const scene = await published();
    const { repository, publisher } = scene;
    const old = new Map([['stable', repository.newest('stable')]]);
    await repository.publishRelease();
    accepted(await publishAll(repository, publisher));
    publisher.restore();
    await expectRefused(scene, { channels: old }, 'SNAPSHOT_ROLLBACK');
    const again = await repository.sign(
      'stable',
      signedOf(repository.newest('stable')),
      repository.signers.get('stable'),
    );
    const conflict = await publishChanges(optionsFor(repository, publisher), {
      channels: new Map([['stable', again]]),
    });
    expect(conflict).toMatchObject({ ok: false, code: 'REPOSITORY_CONFLICT' });
    expect(await deviceSees(publisher.objects, repository)).toEqual({ channel: 2, boots: true });
  });

  test('a delegated channel without a file, and a file of a channel that is not delegated, are refused', async () => {
    const scene = await published();
    const { repository } = scene;
    const [one = seededSigner('1')] = repository.signers.get('stable') ?? [];
    const quorum = { keys: [one.key], threshold: 1 };
    const targets = await repository.publishTargets({ channels: [{ name: 'nightly', quorum }] });
    await expectRefused(scene, { targets }, 'ROLE_NOT_DELEGATED');
    const channels = new Map([['canary', repository.newest('stable')]]);
    await expectRefused(scene, { channels }, 'ROLE_NOT_DELEGATED');
  });

  test('targets that drop the builder of a release in force are refused: its devices could not start again', async () => {
    const scene = await published();
    const builder = { id: 'https://new.example', key: seededSigner('new').key, source: 'git+https://new.example' };
    const withoutBuilders = ['https://builder.example/two-runs'];
    const targets = await scene.repository.publishTargets({ builders: [builder], withoutBuilders });
    await expectRefused(scene, { targets }, 'EVIDENCE_SIGNATURE_INVALID');
  });

  test('a first root without its own quorum, a root that the former did not sign, and a gap between roots are refused', async () => {
    const repository = await makeTinyRepository();
    const first = { repository, publisher: makeFaultStore() };
    const unsigned = encodeMetadata(signedOf(repository.factory.root), []);
    await expectRefused(first, { ...allChanges(repository), roots: [unsigned] }, 'METADATA_THRESHOLD_UNMET');
    const scene = await published();
    const next = await scene.repository.publishRoot();
    const own = await scene.repository.sign('root', signedOf(next), [seededSigner('thief')]);
    await expectRefused(scene, { roots: [own] }, 'METADATA_THRESHOLD_UNMET');
    const third = await scene.repository.publishRoot();
    await expectRefused(scene, { roots: [third] }, 'ROOT_VERSION_NOT_NEXT');
  });

  test('a published root never changes', async () => {
    const { repository, publisher } = await published();
    const other = await repository.sign('root', signedOf(repository.factory.root), repository.signers.get('root'));
    expect(await publishChanges(optionsFor(repository, publisher), { roots: [other] })).toMatchObject({
      ok: false,
      code: 'REPOSITORY_CONFLICT',
    });
  });

  test('an immutable file that stands there with other bytes, shorter or longer, is a conflict, and devices see no change', async () => {
    const { repository, publisher } = await published();
    await repository.publishRelease();
    for (const other of [new Uint8Array(1), new Uint8Array(100_000)]) {
      publisher.objects.set('gateway/metadata/2.stable.json', other);
      expect(await publishAll(repository, publisher)).toMatchObject({ ok: false, code: 'REPOSITORY_CONFLICT' });
      expect(await deviceSees(publisher.objects, repository)).toEqual({ channel: 1, boots: true });
    }
  });

  test('a root that hands targets to new keys is refused unless both sides signed: no device is locked out meanwhile', async () => {
    const scene = await published();
    const next = seededSigner('next');
    const roots = [await scene.repository.publishRoot({ quorums: { targets: { keys: [next.key], threshold: 1 } } })];
    await scene.repository.publishTargets();
    const targets = await scene.repository.sign('targets', signedOf(scene.repository.newest('targets')), [next]);
    await expectRefused(scene, { roots, targets }, 'sign for both roots');
  });

  test('a repository is not founded under the name of another product', async () => {
    const repository = await makeTinyRepository();
    const options = { ...optionsFor(repository, makeFaultStore()), product: 'other' };
    const refusal = await publishChanges(options, allChanges(repository));
    expect(refusal).toMatchObject({ ok: false, code: 'PUBLICATION_REFUSED' });
  });

  test('a timestamp is not signed by a key that the root does not list for it', async () => {
    const { repository, publisher } = await published();
    const options = { ...optionsFor(repository, publisher), onlineSigners: [seededSigner('thief')] };
    publisher.restore();
    const refusal = await publishChanges(options, {});
    expect(refusal).toMatchObject({ ok: false, code: 'PUBLICATION_REFUSED' });
    expect(publisher.writes()).toBe(0);
  });
});
