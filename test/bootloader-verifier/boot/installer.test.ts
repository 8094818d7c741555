/** Bringing components to a release: in order, only what differs, read back, and a refusal for each way to fail. */
import { expect, test } from 'vitest';
import { sha256Hex } from '../../../formats/sha256.ts';
import { installComponents, type ComponentInstaller } from '../../../bootloader-verifier/boot/installer.ts';
import { verifyBundle } from '../../../bootloader-verifier/boot/verify-bundle.ts';
import { verifyImages, type ReleaseImages } from '../../../bootloader-verifier/boot/verify-image.ts';
import { accepted } from '../../accepted.ts';
import { rememberingCheck } from '../../tiny-device.ts';
import { makeTinyRepository } from '../../tiny-repository.ts';

const SIZE = 64;
const part = (component: string): { component: string; hardwareIds: string[]; installer: 'transfer' } => ({
  component,
  hardwareIds: [`${component}-1`],
  installer: 'transfer',
});
const repository = await makeTinyRepository({
  parts: ['radio', 'hub'].map((component) => ({ component, hardwareId: `${component}-1`, installer: 'transfer' })),
  first: { components: [part('hub'), {}, part('radio')] },
});
const images = releaseImages();

function releaseImages(): ReleaseImages {
  const { bundle, components } = repository.releases.get('1.0.0') ?? expect.unreachable();
  const permit = accepted(verifyBundle(bundle, repository.device({ check: rememberingCheck() })));
  return accepted(
    verifyImages(
      permit,
      components.map(({ image }) => image),
    ),
  );
}

/** A component in memory; `told` gets what is asked of it. */
function component(name: string, told: string[], change: Partial<ComponentInstaller> = {}): ComponentInstaller {
  const flash = new Uint8Array(SIZE).fill(0xff);
  return {
    size: SIZE,
    digest: async () => {
      told.push(`${name} digest`);
      return sha256Hex(flash);
    },
    write: async ({ bytes }) => {
      told.push(`${name} write`);
      flash.fill(0xff);
      flash.set(bytes);
    },
    ...change,
  };
}

test('components are written in the order of installation, each read back before the next, and left alone afterwards', async () => {
  const told: string[] = [];
  const found = new Map(['radio', 'hub'].map((name) => [name, component(name, told)]));
  const written = accepted(await installComponents(images, (name) => found.get(name)));
  expect(written.map((image) => image.component.component)).toEqual(['hub', 'radio']);
  const once = (name: string): string[] => [`${name} digest`, `${name} write`, `${name} digest`];
  expect(told.splice(0)).toEqual([...once('hub'), ...once('radio')]);
  expect(accepted(await installComponents(images, (name) => found.get(name)))).toEqual([]);
  expect(told).toEqual(['hub digest', 'radio digest']);
});

test.each<[string, Partial<ComponentInstaller> | undefined, readonly string[]]>([
  ['there is no way to it', undefined, []],
  ['it does not answer', { digest: async () => undefined }, []],
  ['it falls silent while it is written', silentAfter(1), ['hub write']],
  ['it does not hold what was written', { digest: async () => '00'.repeat(32) }, ['hub write']],
  ['its flash is smaller than the image by one byte', { size: (images.images[0]?.bytes.length ?? 0) - 1 }, []],
])('where %s the release fails, and no later component is touched', async (_, change, expected) => {
  const told: string[] = [];
  const hub = change === undefined ? undefined : component('hub', told, change);
  const radio = component('radio', told);
  const verdict = await installComponents(images, (name) => (name === 'hub' ? hub : radio));
  expect(verdict).toMatchObject({ ok: false, code: 'COMPONENT_INSTALL_FAILED' });
  expect(told).toEqual(expected);
});

test('an image that fills the whole flash is installed', async () => {
  const { length } = images.images[0]?.bytes ?? expect.unreachable();
  const flash = new Uint8Array(length);
  const exact: ComponentInstaller = {
    size: length,
    digest: async () => sha256Hex(flash),
    write: async ({ bytes }) => flash.set(bytes),
  };
  const find = (name: string): ComponentInstaller => (name === 'hub' ? exact : component(name, []));
  expect(accepted(await installComponents(images, find))).toHaveLength(2);
});

/** Answers `answers` times, then no more. */
function silentAfter(answers: number): Partial<ComponentInstaller> {
  let left = answers;
  return { digest: async () => (left-- > 0 ? '00'.repeat(32) : undefined) };
}
