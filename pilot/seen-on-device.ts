/**
 * What the device made of a release, told in the account by the device's own events.
 */
import { readFile } from 'node:fs/promises';
import { sha256Hex } from '../formats/sha256.ts';
import type { BuiltRelease } from './builds.ts';
import type { DeviceProcess, ToldEvent } from './device-process.ts';
import type { Member } from './fleet.ts';
import { BUILDER_ID, MICROCONTROLLER, microcontrollerOf, tell, type Stage } from './stage.ts';

/** A release on its way to a device: what the device has kept before it, if anything. */
export type Seen = {
  readonly built: BuiltRelease;
  readonly kept: BuiltRelease | undefined;
  readonly member: Member;
};

/** Waits until the device has installed, started and kept the release, or reverted it, as planned. */
export async function seeRelease(stage: Stage, device: DeviceProcess, seen: Seen): Promise<void> {
  const { built, kept, member } = seen;
  const by = member.name;
  const { release, outcome } = built.plan;
  const about = ({ digest }: ToldEvent): boolean => digest === built.sha256;
  await tell(stage, { step: `install ${release}`, by }, async () => {
    const installed = await device.next(`install of ${release}`, (event) => event.step === 'install' && about(event));
    return { digest: installed.digest, detail: 'verified before it was fetched, and again before it was written' };
  });
  if (kept?.microcontroller.sha256 !== built.microcontroller.sha256) await seeTransfer(stage, device, seen);
  await tell(stage, { step: `start ${release}`, by }, async () => {
    const started = await device.next(`start of ${release}`, (event) => event.step === 'start' && about(event));
    return {
      digest: started.digest,
      detail: `slot ${String(started.detail.get('slot'))}, on trial, run from the bytes read back`,
    };
  });
  if (outcome === 'reverted') await seeRevert(stage, device, seen);
  else await seeConfirmed(stage, device, seen);
  stage.onRelease({
    ...{ release, digest: built.sha256, builtBy: BUILDER_ID },
    outcome: outcome === 'kept' ? 'confirmed by its self-test' : 'reverted: its self-test failed',
  });
}

/** The microcontroller gets the image of this release before its gateway image starts. */
async function seeTransfer(
  stage: Stage,
  device: DeviceProcess,
  { built: { plan, microcontroller }, member: { name: by } }: Seen,
): Promise<void> {
  const { version } = plan.microcontroller;
  await tell(stage, { step: `transfer ${plan.release}`, by }, async () => {
    const { digest, detail } = await device.next(`transfer of ${plan.release}`, ({ step }) => step === 'transfer');
    return {
      ok: digest === microcontroller.sha256,
      digest,
      detail: `${MICROCONTROLLER} ${version} written from slot ${String(detail.get('slot'))} and read back, before the gateway starts`,
    };
  });
}

/** Whether the microcontroller's flash holds the image of `built`, seen from outside of the device. */
async function isOnMicrocontroller(flash: string, { microcontroller }: BuiltRelease): Promise<boolean> {
  const lying = await readFile(microcontrollerOf(flash));
  const { length } = await readFile(microcontroller.image);
  return sha256Hex(lying.subarray(0, length)) === microcontroller.sha256;
}

async function seeConfirmed(stage: Stage, device: DeviceProcess, { built, member }: Seen): Promise<void> {
  const { name: by, flash } = member;
  const { plan, sha256 } = built;
  await tell(stage, { step: `confirm ${plan.release}`, by }, async () => {
    const tested = await device.next(
      `self-test of ${plan.release}`,
      ({ step, digest }) => step === 'self-test' && digest === sha256,
    );
    await device.next(`confirmation of ${plan.release}`, ({ step, digest }) => step === 'confirm' && digest === sha256);
    const ok = await isOnMicrocontroller(flash, built);
    const beside = `${MICROCONTROLLER} ${plan.microcontroller.version} beside it`;
    return { ok, digest: sha256, detail: `${String(tested.detail.get('detail'))}; ${beside}` };
  });
}

async function seeRevert(stage: Stage, device: DeviceProcess, { built, kept, member }: Seen): Promise<void> {
  const { name: by, flash } = member;
  const { plan, sha256 } = built;
  if (kept === undefined) throw new Error('there is nothing to go back to');
  await tell(stage, { step: `revert ${plan.release}`, by }, async () => {
    const tested = await device.next(
      `self-test of ${plan.release}`,
      ({ step, digest }) => step === 'self-test' && digest === sha256,
    );
    const reverted = await device.next(
      `revert of ${plan.release}`,
      ({ step, digest }) => step === 'revert' && digest === sha256,
    );
    const taken = await device.next('transfer of the release before', ({ step }) => step === 'transfer');
    const back = await device.next(
      'start of the release before',
      ({ step, digest }) => step === 'start' && digest !== sha256,
    );
    const { version } = kept.plan.microcontroller;
    return {
      ok: taken.digest === kept.microcontroller.sha256 && (await isOnMicrocontroller(flash, kept)),
      ...{ digest: back.digest, code: reverted.code },
      detail: `${String(tested.detail.get('detail'))}; back to ${String(back.detail.get('release'))}, with ${MICROCONTROLLER} ${version}`,
    };
  });
}

/** After a power cycle: the confirmed release starts, and the floors stand where it is. */
export async function seeFloors(
  stage: Stage,
  { device, name: by }: { readonly device: DeviceProcess; readonly name: string },
  newest: BuiltRelease,
): Promise<void> {
  await tell(stage, { step: 'power cycle', by }, async () => {
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
