/** The tiny repository is itself held to what devices demand: it must fail tests for no reason of its own. */
import { expect, test } from 'vitest';
import { refresh } from '../bootloader-verifier/agent/refresh.ts';
import { verifyBundle } from '../bootloader-verifier/boot/verify-bundle.ts';
import { verifyImages } from '../bootloader-verifier/boot/verify-image.ts';
import { accepted } from './accepted.ts';
import { makeTinyRepository, type TinyRepository } from './tiny-repository.ts';

async function refreshed(repository: TinyRepository): ReturnType<typeof refresh> {
  const { client, now, factory } = repository;
  return refresh({ device: repository.device(), client, rootsAtHand: [factory.root], seen: undefined, now });
}

test('a device refreshes the tiny repository, and its boot check permits the release', async () => {
  const repository = await makeTinyRepository();
  accepted(await refreshed(repository));
  const release = await repository.publishRelease({ securityCounter: 2 });
  const { channel } = accepted(await refreshed(repository));
  expect(channel).toEqual(repository.newest('stable'));
  const permit = accepted(verifyBundle(release.bundle, repository.device()));
  expect(permit).toMatchObject({
    release: '2.0.0',
    main: { securityCounter: 2 },
    channel: { name: 'stable', version: 2 },
  });
  expect(verifyImages(permit, [release.image]).ok).toBe(true);
});

test('it stays valid over new roots, new targets and several components', async () => {
  const repository = await makeTinyRepository({ product: 'other', component: 'sensor', hardwareId: 'hw-9' });
  await repository.publishRoot();
  await repository.publishTargets();
  const components = [
    { component: 'radio', hardwareIds: ['radio-1'], installer: 'transfer' as const },
    { component: 'sensor', hardwareIds: ['hw-9'] },
  ];
  await repository.publishRelease({ components });
  accepted(await refreshed(repository));
  expect(repository.roots()).toHaveLength(2);
  expect(accepted(verifyBundle(repository.bundle('1.0.0'), repository.device())).main.component).toBe('sensor');
});

test('the same options give the same bytes, and another seed shares no key', async () => {
  const [one, same, other] = await Promise.all([
    makeTinyRepository(),
    makeTinyRepository(),
    makeTinyRepository({ seed: 'other' }),
  ]);
  expect([...same.files]).toEqual([...one.files]);
  const keyids = (repository: TinyRepository): readonly string[] =>
    [...repository.signers.values()].flat().map(({ keyid }) => keyid);
  expect(keyids(one).filter((keyid) => keyids(other).includes(keyid))).toEqual([]);
});
