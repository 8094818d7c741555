/** Releases: assembled from signed targets, whole or not at all, and the same whatever the order of the file. */
import { expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../formats/json.ts';
import { COMPONENTS_MAX, imagePartToCustom, parseRelease, type ImagePart } from '../../formats/release.ts';
import { parseTargets, type TargetFile } from '../../formats/tuf-targets.ts';
import { accepted } from '../accepted.ts';
import { SAMPLE_FILES } from './sample-repository.ts';

const PART: ImagePart = {
  firmwareVersion: '1.0.0',
  securityCounter: 1,
  hardwareIds: ['gw-1', 'gw-2'],
  installer: 'slot',
  order: 1,
  provenance: 'image.js.provenance.json',
};
const SHA256 = 'ab'.repeat(32);
const IMAGE = '1.0.0/gateway/image.js';

type Listed = readonly [string, TargetFile];

function target(name: string, custom?: JsonObject): Listed {
  return [name, { length: 5, sha256: SHA256, custom }];
}

/** The two targets of one component. */
function component(name: string, change: Partial<ImagePart> = {}): readonly Listed[] {
  const part = { ...PART, ...change };
  return [target(`1.0.0/${name}/image.js`, imagePartToCustom(part)), target(`1.0.0/${name}/${part.provenance}`)];
}

/** How release 1.0.0 of `listed` is judged. */
function judge(...listed: readonly Listed[]): ReturnType<typeof parseRelease> {
  return parseRelease(new Map(listed), '1.0.0');
}

/** The custom part of an image with other members; undefined removes one. */
function custom(change: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const members = new Map(imagePartToCustom(PART).get('firmament') as JsonObject);
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined) members.delete(name);
    else members.set(name, value);
  }
  return new Map([['firmament', members]]);
}

test('an image may name a summary of its judgement, which then is a target beside it', () => {
  const vsa = 'image.js.vsa.json';
  const beside = target(`1.0.0/gateway/${vsa}`);
  expect(judge(...component('gateway', { vsa }), beside)).toMatchObject({
    value: { components: [{ vsa, vsaTarget: { name: `${IMAGE}.vsa.json`, length: 5, sha256: SHA256 } }] },
  });
  expect(judge(...component('gateway', { vsa }))).toMatchObject({ code: 'RELEASE_MALFORMED' });
  expect(judge(...component('gateway', { vsa: '../x' }), beside)).toMatchObject({ code: 'RELEASE_MALFORMED' });
});

test('an image and the provenance that it names make a component, each with its signed length and digest', () => {
  expect(judge(...component('gateway'))).toEqual({
    ok: true,
    value: {
      release: '1.0.0',
      components: [
        {
          ...PART,
          component: 'gateway',
          image: { name: IMAGE, length: 5, sha256: SHA256 },
          provenanceTarget: { name: `${IMAGE}.provenance.json`, length: 5, sha256: SHA256 },
        },
      ],
    },
  });
  const { targets } = accepted(parseTargets(SAMPLE_FILES['1.stable.json'])).signed;
  expect(parseRelease(targets, '1.0.0').ok).toBe(true);
});

test('components stand in the order of installation, however the file lists them', () => {
  const listed = [...component('c', { order: 8 }), ...component('b', { order: 1 }), ...component('a', { order: 3 })];
  for (const order of [listed, listed.toReversed()]) {
    expect(accepted(judge(...order)).components.map((found) => found.component)).toEqual(['b', 'a', 'c']);
  }
});

test('two components of one order are refused: the order of a file is under no signature', () => {
  expect(judge(...component('a', { order: 2 }), ...component('b', { order: 2 }))).toMatchObject({
    ok: false,
    code: 'RELEASE_MALFORMED',
  });
});

test('a release that the channel does not list is refused', () => {
  expect(judge()).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  expect(parseRelease(new Map(component('gateway')), '2.0.0')).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  expect(parseRelease(new Map(component('gateway')), '__proto__')).toMatchObject({ code: 'RELEASE_MALFORMED' });
});

test('targets of other releases, of other tools, and files beside an image are no components', () => {
  const others = [
    target('2.0.0/gateway/image.js', imagePartToCustom(PART)),
    target('1.0.0/gateway/notes.txt'),
    target('1.0.0/gateway/sbom.json', new Map([['vendor', 'x']])),
    target('1.0.0', imagePartToCustom(PART)),
    target('1.0.0/gateway/deep/image.js', imagePartToCustom(PART)),
    target('../1.0.0/gateway/image.js', imagePartToCustom(PART)),
  ];
  expect(accepted(judge(...others, ...component('gateway'))).components).toHaveLength(1);
});

test('an image whose provenance is no target of its component is refused', () => {
  const [image, provenance] = component('gateway');
  expect(judge(image as Listed)).toMatchObject({
    ok: false,
    code: 'RELEASE_MALFORMED',
    detail: `${IMAGE}: ${IMAGE}.provenance.json is not a target`,
  });
  const elsewhere = target(`1.0.0/other/${PART.provenance}`);
  expect(judge(image as Listed, elsewhere)).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  expect(judge(image as Listed, provenance as Listed).ok).toBe(true);
});

test('a component with two images is refused: which of them was approved would be open', () => {
  const second = target('1.0.0/gateway/other.js', imagePartToCustom({ ...PART, order: 2 }));
  expect(judge(...component('gateway'), second)).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
});

test('an image part that lacks, adds or bends a member is refused with its place', () => {
  for (const change of [
    { version: undefined },
    { version: 2 },
    { firmwareVersion: undefined },
    { firmwareVersion: '1.0' },
    { securityCounter: undefined },
    { securityCounter: -1 },
    { securityCounter: '1' },
    { hardwareIds: undefined },
    { hardwareIds: [] },
    { hardwareIds: ['GW-1'] },
    { hardwareIds: 'gw-1' },
    { installer: undefined },
    { installer: 'script' },
    { order: 0 },
    { order: undefined },
    { provenance: undefined },
    { provenance: '../x' },
    { 'x-unknown': 1 },
  ]) {
    const listed = [target(IMAGE, custom(change)), target(`${IMAGE}.provenance.json`)];
    expect(judge(...listed), JSON.stringify(change)).toMatchObject({
      ok: false,
      code: 'RELEASE_MALFORMED',
      detail: expect.stringMatching(/^1\.0\.0\/gateway\/image\.js: \.custom\.firmament(\.|: member)/) as string,
    });
  }
});

test('an image part that is no object is refused, not passed over', () => {
  for (const value of [null, 'x', [], 1, false]) {
    const listed = [target(IMAGE, new Map([['firmament', value]])), ...component('other')];
    expect(judge(...listed), JSON.stringify(value)).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  }
});

test('at most 8 components, 32 hardware ids and an order of 8 are read', () => {
  const many = (count: number): readonly Listed[] =>
    Array.from({ length: count }, (_, i) => component(`c-${i}`, { order: Math.min(i + 1, COMPONENTS_MAX) })).flat();
  expect(accepted(judge(...many(COMPONENTS_MAX))).components).toHaveLength(8);
  expect(judge(...many(COMPONENTS_MAX + 1))).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
  expect(judge(...component('a', { order: COMPONENTS_MAX + 1 }))).toMatchObject({ code: 'RELEASE_MALFORMED' });
  const ids = (count: number): Partial<ImagePart> => ({
    hardwareIds: Array.from({ length: count }, (_, i) => `gw-${i}`),
  });
  expect(judge(...component('a', ids(32))).ok).toBe(true);
  expect(judge(...component('a', ids(33)))).toMatchObject({ ok: false, code: 'RELEASE_MALFORMED' });
});
