/**
 * The device that no network reaches: a release is carried to it in one file.
 *
 * - The capsule is packed from what the server shows anybody; no key is needed for it.
 * - The device finds it in a folder, as on a stick, judges it by the code that judges a server, and confirms by its own self-test.
 * - Its process is given no address at all.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltRelease } from './builds.ts';
import { firmament, textOf } from './child.ts';
import { runDeviceVerb, startDevice } from './device-process.ts';
import type { PilotRepository } from './founding.ts';
import { CHANNEL, DEVICE_OPTIONS, flashOptions, tell, type Stage } from './stage.ts';

const DEVICE = 'gateway-offline';
const LOOK_MS = '200';

/** Carries the release in force, `newest`, to a device without network, and waits until it has confirmed it. */
export async function carryOffline(
  stage: Stage,
  from: { readonly repository: PilotRepository; readonly url: string },
  newest: BuiltRelease,
): Promise<void> {
  const { release } = newest.plan;
  const stick = join(stage.folder, 'stick');
  const flash = join(stage.folder, 'offline', 'flash');
  await mkdir(stick, { recursive: true });
  await tell(stage, { step: `capsule ${release}`, by: 'the operator' }, async () => {
    const { root } = from.repository;
    const out = join(stick, `${release}.capsule`);
    const packed = await firmament(
      'capsule',
      ...['--url', from.url, '--root-one', root, '--channel', CHANNEL, '--out', out],
    );
    return { detail: `release ${textOf(packed, 'release')} in one file of ${String(packed.get('bytes'))} bytes` };
  });
  await tell(stage, { step: `offline ${release}`, by: DEVICE }, async () => {
    await runDeviceVerb('provision', '--flash', flash, '--root', from.repository.root, ...DEVICE_OPTIONS);
    const device = startDevice(
      [...flashOptions(flash), '--capsules', stick, '--name', DEVICE, '--poll-ms', LOOK_MS],
      stage.onDeviceEvent,
    );
    try {
      const confirmed = await device.next(`confirmation of ${release}`, ({ step }) => step === 'confirm');
      const ok = confirmed.digest === newest.sha256;
      return { ok, digest: confirmed.digest, detail: 'installed from the file alone, tried and confirmed' };
    } finally {
      await device.stop();
    }
  });
}
