/**
 * The life of a device: start, run the image, poll, install, start again.
 *
 * - Each round begins at the boot stage, as after power-on; the system's part gets a flash that cannot write the floors.
 * - An image on trial is confirmed by its own self-test, never by the server alone (R17); otherwise it is reverted at once.
 * - Without a bootable slot the device is its own installer: it polls, and starts what it could install (R19). Where the good slot
 *   only waits for a component to take its image, it starts anew after each poll.
 * - A release whose wave is not open for this device is told and waited for; the device goes on with what it runs (P3).
 * - Where no way leads on from what it runs, that is told, and it goes on with that.
 * - What it says of a planned release is sent after each poll until it is taken; nothing waits for it (R17).
 * - A network fault is told and waited out; nothing but the poll stops.
 * - A device that has identities brings them up to date after each poll, once its release is confirmed: an update never waits for that.
 */
import { BOOT_STATE_EMPTY } from '../../formats/boot-state.ts';
import type { Clock } from '../../formats/clock.ts';
import { encodeInstant } from '../../formats/instant.ts';
import { OperationError } from '../../formats/operation-error.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import type { Rejected, Verdict } from '../../formats/verdict.ts';
import type { Flash } from '../boot/flash.ts';
import { confirmTrial, dropLapsedTrial, failTrial } from '../boot/plan-start.ts';
import {
  readBootState,
  startDevice,
  writeBootState,
  type Recovery,
  type RefusedSlot,
  type Started,
} from '../boot/start-device.ts';
import type { FindInstaller } from '../boot/installer.ts';
import type { BootIdentityVerdict } from '../boot/measure-boot.ts';
import type { BootPermit } from '../boot/verify-bundle.ts';
import type { FirmwareImage } from '../boot/verify-image.ts';
import type { RunningSlot } from './install.ts';
import { deviceEvent, type DeviceEvent, type DeviceReport } from './device-event.ts';
import type { ImageRunner, RunningImage } from './image-runner.ts';
import { keepIdentity, type IdentityPorts } from './keep-identity.ts';
import { poll, type PollCode, type PollInput, type Polled } from './poll.ts';
import { pollCapsules } from './poll-capsules.ts';
import type { CapsuleFolder } from './capsule-folder.ts';
import { noteOutcome, sendReport, type CheckIn } from './report-outcome.ts';
import type { ReceiptFolder } from './receipt-folder.ts';
import type { RepositoryClient } from './repository-client.ts';
import { leaveReceipt, leaveRefusal } from './write-receipt.ts';
import type { VerifiedCertificate } from './verify-certificate.ts';

export type UpdateSource =
  | { readonly kind: 'server'; readonly client: RepositoryClient }
  | { readonly kind: 'capsules'; readonly folder: CapsuleFolder };

export type DevicePorts = {
  readonly name: string;
  readonly bootFlash: Flash;
  readonly systemFlash: Flash;
  /** Where new releases come from: a server, or files that are carried to the device. */
  readonly source: UpdateSource;
  readonly runImage: ImageRunner;
  /** The ways to the components with a flash of their own, for the boot stage alone. */
  readonly findInstaller: FindInstaller;
  /** Where identities come from; undefined for a device that gets none. */
  readonly identities?: Pick<IdentityPorts, 'client' | 'freshKey'> | undefined;
  readonly check: SignatureCheck;
  /** Its waits end early when the device is to stop. */
  readonly clock: Clock;
  readonly isStopping: () => boolean;
  /** Settles when the device is to stop. */
  readonly stopped: Promise<void>;
  readonly report: DeviceReport;
  /** Takes this device's word on planned releases; without it nothing is said. */
  readonly checkIn?: CheckIn | undefined;
  /** Where this device leaves receipts of what it was brought in files; without it none are written. */
  readonly receipts?: ReceiptFolder | undefined;
};

/** How a round ended: with a new start, or because the device is to stop. */
export type RoundEnd = 'restart' | 'stop';
export type LifeOptions = {
  readonly pollMs: number;
  /** Ends after the first poll that installs nothing, once the boot stage has settled what was on trial. */
  readonly untilSettled: boolean;
};

/** Lives until it is to stop. */
export async function liveDevice(device: DevicePorts, options: LifeOptions): Promise<void> {
  let end: RoundEnd = 'restart';
  while (end === 'restart' && !device.isStopping()) end = await liveRound(device, options);
  tell(device, { step: 'stop', ok: true });
}

/** One round: from the boot stage to the next start. */
async function liveRound(device: DevicePorts, options: LifeOptions): Promise<RoundEnd> {
  await dropLapsed(device);
  const started = await startDevice(device.bootFlash, device.check, device.findInstaller);
  tellStart(device, started);
  if (started.kind === 'recovery') {
    const slot = started.waiting === undefined ? undefined : { ...started.waiting, isGood: true };
    return pollUntilRestart(device, options, { slot, running: undefined });
  }
  const { permit } = started.image;
  const slot = { slot: started.slot, permit, isGood: started.mode !== 'trial' };
  const running = device.runImage(started.image, started.mode);
  try {
    const kept = await keepOrRevert(device, started, running);
    const { identity } = started;
    return kept ? await pollUntilRestart(device, options, { slot, running, identity }) : 'restart';
  } finally {
    await running.stop();
  }
}

/** A lease is due again at the start of a trial (rule R13): one that has ended leaves the slot for a later wave. */
async function dropLapsed(device: DevicePorts): Promise<void> {
  const state = await readBootState(device.systemFlash);
  const dropped = state && dropLapsedTrial(state, device.clock.now());
  if (dropped === undefined) return;
  await writeBootState(device.systemFlash, dropped);
  tell(device, { step: 'wave', ok: true, code: 'LEASE_EXPIRED', detail: { slot: state?.trial?.slot } });
}

/** Waits for the self-test; confirms or reverts a trial. A good slot is kept whatever it says: there is nothing better. */
async function keepOrRevert(device: DevicePorts, started: Started, running: RunningImage): Promise<boolean> {
  const { image, mode, slot } = started;
  const digest = image.component.image.sha256;
  const tested = await Promise.race([running.selfTest, device.stopped]);
  const { release } = image.permit;
  if (tested === undefined || device.isStopping()) return true;
  tell(device, {
    step: 'self-test',
    ok: tested.ok,
    digest,
    ...(tested.ok ? {} : { code: tested.code }),
    detail: { release, slot, detail: tested.ok ? tested.value.detail : tested.detail },
  });
  if (mode !== 'trial') {
    if (tested.ok) await note(device, started, undefined);
    return true;
  }
  const state = (await readBootState(device.systemFlash)) ?? BOOT_STATE_EMPTY;
  if (tested.ok) {
    await writeBootState(device.systemFlash, confirmTrial(state, slot));
    await note(device, started, undefined);
    tell(device, { step: 'confirm', ok: true, digest, detail: { release, slot } });
    return true;
  }
  // Said before it is acted on: a cut in between tries again, and no failure stays unsaid.
  await note(device, started, tested.code);
  await writeBootState(device.systemFlash, failTrial(state, image.permit.imagesSha256));
  tell(device, { step: 'revert', ok: false, digest, code: tested.code, detail: { release, slot } });
  return false;
}

/** Writes down this device's word on a planned release, where it can prove what it started. */
async function note(device: DevicePorts, { image, identity }: Started, failure: string | undefined): Promise<void> {
  if (identity?.ok !== true) return;
  const outcome = { permit: image.permit, identity: identity.value, failure, now: device.clock.now() };
  await noteOutcome(device.systemFlash, outcome, device.receipts === undefined ? 'confirmation' : 'receipt');
}

/** Sends what is written down. A fault is told and waited out; the next poll tries again. */
async function report({ checkIn, ...device }: DevicePorts): Promise<void> {
  if (checkIn === undefined) return;
  try {
    const isTaken = await sendReport(device.systemFlash, checkIn);
    if (isTaken !== undefined) tell(device, { step: 'report', ok: isTaken });
  } catch (fault) {
    if (!(fault instanceof OperationError)) throw fault;
    tell(device, { step: 'report', ok: false, code: fault.code, detail: { detail: fault.message } });
  }
}

/** A capsule that was refused: why, and its digest, which is read only where it is told. */
type RefusedCapsule = { readonly code: string; readonly digest: () => Promise<string> };

/** Leaves the receipt that is written down, and one of each file that was refused. A fault is told; the next poll tries again. */
async function leaveReceipts(
  { receipts, ...device }: DevicePorts,
  { identity }: Life,
  refused: readonly RefusedCapsule[],
): Promise<void> {
  if (receipts === undefined) return;
  const flash = device.systemFlash;
  const tellLeft = (name: string | undefined): void => {
    if (name !== undefined) tell(device, { step: 'receipt', ok: true, detail: { name } });
  };
  try {
    tellLeft(await leaveReceipt(flash, receipts));
    if (identity?.ok !== true) return;
    const by = { identity: identity.value, now: device.clock.now() };
    for (const { code, digest } of refused) {
      tellLeft(await leaveRefusal(flash, receipts, { code, sha256: await digest(), ...by }));
    }
  } catch (fault) {
    if (!(fault instanceof OperationError)) throw fault;
    tell(device, { step: 'receipt', ok: false, code: fault.code, detail: { detail: fault.message } });
  }
}

/** What a round lives with: the slot that it started, and its image; or a slot that waits for a component; or nothing. */
type Life = {
  readonly slot: RunningSlot | undefined;
  readonly running: RunningImage | undefined;
  readonly identity?: BootIdentityVerdict | undefined;
};

async function pollUntilRestart(device: DevicePorts, options: LifeOptions, life: Life): Promise<RoundEnd> {
  let settled: Uint8Array | undefined;
  const refused: RefusedCapsule[] = [];
  while (!device.isStopping()) {
    const polled = await pollOnce(device, { running: life.slot, settled }, (capsule) => void refused.push(capsule));
    await report(device);
    await leaveReceipts(device, life, refused.splice(0));
    if (polled?.ok === true) {
      settled = polled.value.settled;
      if (polled.value.outcome.kind === 'installed') return 'restart';
    }
    if (life.identity !== undefined) await updateIdentity(device, life.identity);
    if (options.untilSettled) return life.slot?.isGood === false ? 'restart' : 'stop';
    const ended = await Promise.race([device.clock.sleep(options.pollMs).then(() => false), imageEnded(life.running)]);
    if (ended && !device.isStopping()) {
      tell(device, { step: 'image-ended', ok: false, code: 'SELF_TEST_FAILED' });
      await device.clock.sleep(options.pollMs);
      return 'restart';
    }
    const isWaiting = life.slot !== undefined && life.running === undefined;
    if (isWaiting && !device.isStopping()) return 'restart';
  }
  return 'stop';
}

function imageEnded(running: RunningImage | undefined): Promise<boolean> {
  return running === undefined ? new Promise(() => undefined) : running.ended.then(() => true);
}

async function pollOnce(
  device: DevicePorts,
  { running, settled }: Pick<PollInput, 'running' | 'settled'>,
  refused: (capsule: RefusedCapsule) => void,
): Promise<Verdict<Polled, PollCode> | undefined> {
  const { systemFlash: flash, check } = device;
  try {
    const polled = await pollSource(device, { flash, check, now: device.clock.now(), running, settled }, refused);
    tellPoll(device, polled);
    return polled;
  } catch (fault) {
    if (!(fault instanceof OperationError)) throw fault;
    tell(device, { step: 'poll', ok: false, code: fault.code, detail: { detail: fault.message } });
    return undefined;
  }
}

async function updateIdentity(device: DevicePorts, identity: BootIdentityVerdict): Promise<void> {
  const { identities, systemFlash: flash, check } = device;
  if (identities === undefined || device.isStopping()) return;
  if (!identity.ok) return tell(device, { step: 'identity', ok: false, code: identity.code });
  try {
    const kept = await keepIdentity({ ...identities, flash, check, now: device.clock.now() }, identity.value);
    if (!kept.ok) tell(device, { step: 'identity', ok: false, code: kept.code, detail: { detail: kept.detail } });
    else if (kept.value.kind === 'new')
      tell(device, { step: 'identity', ok: true, detail: told(kept.value.certificate) });
  } catch (fault) {
    if (!(fault instanceof OperationError)) throw fault;
    tell(device, { step: 'identity', ok: false, code: fault.code, detail: { detail: fault.message } });
  }
}

function told({ serial, notAfter, extension }: VerifiedCertificate): DeviceEvent['detail'] {
  return { serial, notAfter: encodeInstant(notAfter), class: extension.class, release: extension.release };
}

function pollSource(
  device: DevicePorts,
  input: Omit<PollInput, 'client'>,
  refused: (capsule: RefusedCapsule) => void,
): Promise<Verdict<Polled, PollCode>> {
  const { source } = device;
  if (source.kind === 'server') return poll({ ...input, client: source.client });
  const tellRefusal = (capsule: string, { code, detail }: Rejected, digest: () => Promise<string>): void => {
    tell(device, { step: 'capsule', ok: false, code, detail: { capsule, detail } });
    refused({ code, digest });
  };
  return pollCapsules({ ...input, folder: source.folder, refused: tellRefusal });
}

function tellStart(device: DevicePorts, started: Started | Recovery): void {
  for (const refused of started.refused) tellRefused(device, refused);
  if (started.kind === 'recovery') {
    const { code, detail } = started.refusal;
    tell(device, { step: 'recovery', ok: false, code, detail: { detail } });
    return;
  }
  for (const image of started.transferred) tellTransfer(device, started, image);
  const { permit, component } = started.image;
  tell(device, {
    step: 'start',
    ok: true,
    digest: component.image.sha256,
    detail: {
      mode: started.mode,
      slot: started.slot,
      release: permit.release,
      firmwareVersion: component.firmwareVersion,
      securityCounter: component.securityCounter,
      counterFloor: started.floors.securityCounters.get(component.component),
      channelFloor: started.floors.channelVersions.get(permit.channel.name),
      rootFloor: started.floors.root.version,
      builder: component.builderId,
      components: versionsOf(permit),
    },
  });
}

function tellTransfer(device: DevicePorts, { slot }: Started, { permit, component }: FirmwareImage): void {
  const { component: name, firmwareVersion, image } = component;
  const detail = { component: name, firmwareVersion, release: permit.release, slot };
  tell(device, { step: 'transfer', ok: true, digest: image.sha256, detail });
}

function tellRefused(device: DevicePorts, { slot, refusal }: RefusedSlot): void {
  tell(device, { step: 'slot-refused', ok: false, code: refusal.code, detail: { slot, detail: refusal.detail } });
}

function tellPoll(device: DevicePorts, polled: Verdict<Polled, PollCode>): void {
  if (!polled.ok) {
    tell(device, { step: 'poll', ok: false, code: polled.code, detail: { detail: polled.detail } });
    return;
  }
  const { outcome, trustRefused } = polled.value;
  if (trustRefused !== undefined) {
    tell(device, { step: 'trust', ok: false, code: trustRefused.code, detail: { detail: trustRefused.detail } });
  }
  if (outcome.kind === 'unchanged') {
    tell(device, { step: 'poll', ok: true, detail: { outcome: 'unchanged' } });
    return;
  }
  if (outcome.kind === 'held') {
    const { code, detail, cohort, boundBp } = outcome.wave;
    tell(device, { step: 'wave', ok: true, code, detail: { release: outcome.release, cohort, boundBp, detail } });
    return;
  }
  if (outcome.kind === 'stuck') {
    const { code, detail, release } = outcome;
    return tell(device, { step: 'way', ok: true, code, detail: { release, detail } });
  }
  const { permit } = outcome;
  tell(device, {
    step: outcome.kind === 'installed' ? 'install' : 'poll',
    ok: true,
    digest: permit.main.image.sha256,
    detail: {
      outcome: outcome.kind,
      release: permit.release,
      channelVersion: permit.channel.version,
      components: versionsOf(permit),
    },
  });
}

/** What a release is made of, for people: each component with its version, in the order of installation. */
function versionsOf({ components }: BootPermit): string {
  return components.map(({ component, firmwareVersion }) => `${component} ${firmwareVersion}`).join(', ');
}

function tell(device: DevicePorts, told: Parameters<typeof deviceEvent>[2]): void {
  const event: DeviceEvent = deviceEvent(device.name, device.clock.now(), told);
  device.report(event);
}
