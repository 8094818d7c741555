/** A release of two components on one device: permitted as one, or refused as one. */
import { describe, expect, test } from 'vitest';
import { parseBootBundle, type BootBundle } from '../../../formats/boot-bundle.ts';
import { COUNTER_JUMP_MAX } from '../../../formats/floors.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import type { Verdict } from '../../../formats/verdict.ts';
import { verifyBundle, type BootPermit } from '../../../bootloader-verifier/boot/verify-bundle.ts';
import { verifyImages } from '../../../bootloader-verifier/boot/verify-image.ts';
import { accepted } from '../../accepted.ts';
import { withPart } from '../../edited-metadata.ts';
import { rememberingCheck } from '../../tiny-device.ts';
import { makeTinyRepository, type ReleaseOptions, type TinyRepository } from '../../tiny-repository.ts';

const HUB = { component: 'hub', hardwareId: 'primehub', installer: 'transfer' } as const;
const OF_HUB = { component: 'hub', hardwareIds: ['primehub'], installer: 'transfer' } as const;
const check = rememberingCheck();
const repository = await makeTinyRepository({ parts: [HUB] });
const release = repository.releases.get('1.0.0') ?? expect.unreachable();
const { evidence } = accepted(parseBootBundle(release.bundle));
const files = release.components.map(({ image }) => image);

/** What the device of `repository` answers to its bundle of release 1.0.0, changed so. */
function judge(change: Partial<BootBundle> = {}, own: TinyRepository = repository): Verdict<BootPermit> {
  return verifyBundle(own.bundle('1.0.0', change), own.device({ check }));
}

/** A device with the hub, of a repository whose first release is another one. */
function published(first: ReleaseOptions): Promise<TinyRepository> {
  return makeTinyRepository({ parts: [HUB], first });
}

describe('the permit', () => {
  test('names every component in the order that people signed, the main one among them, and all images at once', async () => {
    const own = await published({ components: [OF_HUB, {}] });
    const permit = accepted(judge({}, own));
    expect(permit.components.map(({ component, order }) => [component, order])).toEqual([
      ['hub', 1],
      ['gateway', 2],
    ]);
    expect(permit.main).toBe(permit.components[1]);
    expect(permit.imagesSha256).not.toBe(accepted(judge()).imagesSha256);
  });

  test('a release without one of the components is refused', async () => {
    const own = await published({ components: [{}] });
    expect(judge({}, own)).toMatchObject({ code: 'HARDWARE_MISMATCH' });
  });

  test('a component of other hardware is refused, also beside a main image that fits', async () => {
    const own = await published({ components: [{}, { ...OF_HUB, hardwareIds: ['cityhub'] }] });
    expect(judge({}, own)).toMatchObject({ code: 'HARDWARE_MISMATCH' });
  });

  test('an image is not started from a slot if it is to be transferred, nor the other way round', async () => {
    const both = [{}, { ...OF_HUB, installer: 'slot' as const }];
    expect(judge({}, await published({ components: both }))).toMatchObject({ code: 'HARDWARE_MISMATCH' });
    const swapped = [{ installer: 'transfer' as const }, { ...OF_HUB, installer: 'slot' as const }];
    expect(judge({}, await published({ components: swapped }))).toMatchObject({ code: 'HARDWARE_MISMATCH' });
  });

  test('a component for this hardware that the device does not know is refused; one for other hardware is passed over', async () => {
    const other = { component: 'radio', installer: 'transfer' as const };
    const meant = await published({ components: [{}, OF_HUB, { ...other, hardwareIds: ['radio-1', 'primehub'] }] });
    expect(judge({}, meant)).toMatchObject({ code: 'HARDWARE_MISMATCH' });
    const foreign = await published({ components: [{}, { ...other, hardwareIds: ['radio-1'] }, OF_HUB] });
    expect(accepted(judge({}, foreign)).components.map(({ component }) => component)).toEqual(['gateway', 'hub']);
  });
});

describe('one component that fails refuses the release', () => {
  test('a counter of the second component below its floor', () => {
    const floors = { ...repository.floors, securityCounters: new Map([['hub', 2]]) };
    expect(verifyBundle(release.bundle, repository.device({ check, floors }))).toMatchObject({
      code: 'IMAGE_ROLLBACK',
    });
  });

  test('a counter of the second component that jumps', async () => {
    const components = [{}, { ...OF_HUB, securityCounter: COUNTER_JUMP_MAX + 1 }];
    expect(judge({}, await published({ components }))).toMatchObject({ code: 'COUNTER_JUMP' });
  });

  test('a revoked image of the second component', async () => {
    const revokedDigests = [sha256Hex(files[1] ?? expect.unreachable())];
    const channel = await repository.sign('stable', withPart(repository.newest('stable'), { revokedDigests }));
    expect(judge({ channel })).toMatchObject({ code: 'IMAGE_REVOKED' });
  });

  test('a second image that was not built twice, although the first one was', async () => {
    const components = [{}, { ...OF_HUB, provenance: { runs: [] } }];
    expect(judge({}, await published({ components }))).toMatchObject({ ok: false });
  });
});

describe('the evidence', () => {
  test.each<[string, BootBundle['evidence']]>([
    ['in another order', evidence.toReversed()],
    ['of one component alone', evidence.slice(0, 1)],
    ['of one component twice', [...evidence.slice(0, 1), ...evidence.slice(0, 1)]],
    ['of more components than the device has', [...evidence, ...evidence.slice(0, 1)]],
    ['swapped between the components', evidence.map((item, index) => ({ ...item, ...provenanceAt(1 - index) }))],
    ['under the name of another component', evidence.map((item) => ({ ...item, component: 'radio' }))],
  ])('%s is refused', (_, changed) => {
    expect(judge({ evidence: changed })).toMatchObject({ code: 'EVIDENCE_MISMATCH' });
  });

  test('of another release for one component is refused: a mixture carries no approval', async () => {
    const own = await makeTinyRepository({ parts: [HUB] });
    await own.publishRelease();
    const [, newer = expect.unreachable()] = accepted(parseBootBundle(own.bundle('2.0.0'))).evidence;
    expect(judge({ evidence: [...evidence.slice(0, 1), newer] }, own)).toMatchObject({ code: 'EVIDENCE_MISMATCH' });
  });
});

describe('the images', () => {
  test('all are handed out together, each for its component', () => {
    const permit = accepted(judge());
    const { main, images } = accepted(verifyImages(permit, files));
    expect(images.map(({ bytes }) => bytes)).toEqual(files);
    expect(images.map(({ component }) => component.component)).toEqual(['gateway', 'hub']);
    expect(main).toBe(images[0]);
  });

  test('swapped between the components, or one of them missing or changed, none is handed out', async () => {
    const permit = accepted(judge());
    const [first = expect.unreachable(), second = expect.unreachable()] = files;
    const changed = second.slice();
    changed[0] = (changed[0] ?? 0) ^ 1;
    expect(verifyImages(permit, [first, changed])).toMatchObject({ code: 'IMAGE_HASH_MISMATCH' });
    expect(verifyImages(permit, [first])).toMatchObject({ code: 'IMAGE_LENGTH_MISMATCH' });
    expect(verifyImages(permit, [second, first]).ok).toBe(false);
    const image = new Uint8Array(first.length).fill(7);
    const equal = await published({ components: [{}, { ...OF_HUB, image }] });
    expect(verifyImages(accepted(judge({}, equal)), [image, first])).toMatchObject({ code: 'IMAGE_HASH_MISMATCH' });
  });
});

function provenanceAt(index: number): { readonly provenance: Uint8Array } {
  return { provenance: evidence[index]?.provenance ?? new Uint8Array() };
}
