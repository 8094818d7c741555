/**
 * What the device made of a release, told in the account by the device's own events.
 */
import type { DeviceProcess, ToldEvent } from './device-process.ts';
import type { BuiltRelease } from './releases.ts';
import { BUILDER_ID, tell, type Stage } from './stage.ts';

const DEVICE = 'gateway-1';

/** Waits until the device has installed, started and kept the release, or reverted it, as planned. */
export async function seeRelease(stage: Stage, device: DeviceProcess, built: BuiltRelease): Promise<void> {
  const { release, outcome } = built.plan;
  const about = ({ digest }: ToldEvent): boolean => digest === built.sha256;
  await tell(stage, { step: `install ${release}`, by: DEVICE }, async () => {
    const installed = await device.next(`install of ${release}`, (event) => event.step === 'install' && about(event));
    return { digest: installed.digest, detail: 'verified before it was fetched, and again before it was written' };
  });
  await tell(stage, { step: `start ${release}`, by: DEVICE }, async () => {
    const started = await device.next(`start of ${release}`, (event) => event.step === 'start' && about(event));
    return {
      digest: started.digest,
      detail: `slot ${String(started.detail.get('slot'))}, on trial, run from the bytes read back`,
    };
  });
  if (outcome === 'reverted') await seeRevert(stage, device, built);
  else await seeConfirmed(stage, device, built);
  stage.onRelease({
    ...{ release, digest: built.sha256, builtBy: BUILDER_ID },
    outcome: outcome === 'kept' ? 'confirmed by its self-test' : 'reverted: its self-test failed',
  });
}

async function seeConfirmed(stage: Stage, device: DeviceProcess, { plan, sha256 }: BuiltRelease): Promise<void> {
  await tell(stage, { step: `confirm ${plan.release}`, by: DEVICE }, async () => {
    const tested = await device.next(
      `self-test of ${plan.release}`,
      ({ step, digest }) => step === 'self-test' && digest === sha256,
    );
    await device.next(`confirmation of ${plan.release}`, ({ step, digest }) => step === 'confirm' && digest === sha256);
    return { digest: sha256, detail: String(tested.detail.get('detail')) };
  });
}

async function seeRevert(stage: Stage, device: DeviceProcess, { plan, sha256 }: BuiltRelease): Promise<void> {
  await tell(stage, { step: `revert ${plan.release}`, by: DEVICE }, async () => {
    const tested = await device.next(
      `self-test of ${plan.release}`,
      ({ step, digest }) => step === 'self-test' && digest === sha256,
    );
    const reverted = await device.next(
      `revert of ${plan.release}`,
      ({ step, digest }) => step === 'revert' && digest === sha256,
    );
    const back = await device.next(
      'start of the release before',
      ({ step, digest }) => step === 'start' && digest !== sha256,
    );
    return {
      ...{ digest: back.digest, code: reverted.code },
      detail: `${String(tested.detail.get('detail'))}; back to ${String(back.detail.get('release'))}`,
    };
  });
}

/** After a power cycle: the confirmed release starts, and the floors stand where it is. */
export async function seeFloors(stage: Stage, device: DeviceProcess, newest: BuiltRelease): Promise<void> {
  await tell(stage, { step: 'power cycle', by: DEVICE }, async () => {
    const started = await device.next('start after power-on', ({ step }) => step === 'start');
    const { detail, digest } = started;
    const floor = detail.get('counterFloor');
    return {
      ok: digest === newest.sha256 && floor === newest.plan.securityCounter,
      digest,
      detail: `floors: root ${String(detail.get('rootFloor'))}, channel ${String(detail.get('channelFloor'))}, counter ${String(floor)}`,
    };
  });
}
