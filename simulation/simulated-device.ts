/**
 * A whole device in memory: the production boot stage and agent over simulated flash, network, clock and images.
 *
 * - An image is a line of JSON that says how it behaves, so that thousands of starts run in seconds and yet every byte of it
 *   is verified; what is no such line behaves as a healthy image.
 * - No main image ever runs beside a microcontroller that holds anything else than its release says: that is asserted at every start.
 * - Power that fails ends the life of the device at this very point; the next life starts from what lies on flash.
 */
import assert from 'node:assert/strict';
import { decodeJson, object, oneOf, text } from '../formats/decode.ts';
import { encodeUtf8 } from '../formats/bytes.ts';
import { OperationError } from '../formats/operation-error.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';
import { accept, reject } from '../formats/verdict.ts';
import type { DeviceEvent } from '../bootloader-verifier/agent/device-event.ts';
import {
  liveDevice,
  type DevicePorts,
  type LifeOptions,
  type UpdateSource,
} from '../bootloader-verifier/agent/device.ts';
import type { ImageRunner, RunningImage, RunMode } from '../bootloader-verifier/agent/image-runner.ts';
import type { ComponentInstaller } from '../bootloader-verifier/boot/installer.ts';
import type { ReceiptFolder } from '../bootloader-verifier/agent/receipt-folder.ts';
import type { CheckIn } from '../bootloader-verifier/agent/report-outcome.ts';
import type { FirmwareImage } from '../bootloader-verifier/boot/verify-image.ts';
import type { FaultFlash } from './fault-flash.ts';
import {
  MICROCONTROLLER,
  simulatedMicrocontroller,
  standsBeside,
  type SimulatedMicrocontroller,
} from './simulated-microcontroller.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What an image does: passes its self-test, fails it, says nothing, takes the device down, or ends after it has passed. */
export type Behaviour = 'healthy' | 'unhealthy' | 'silent' | 'resets' | 'ends';
export type Run = { readonly sha256: string; readonly mode: RunMode };
export type SimulatedDevice = {
  readonly flash: FaultFlash;
  /** All that the device has told, over all its lives. */
  readonly events: readonly DeviceEvent[];
  readonly microcontroller: SimulatedMicrocontroller;
  /** Every image that was ever brought to life. */
  readonly runs: readonly Run[];
  /** One life, from power-on until it has settled or power fails. Returns what the device has told in it. */
  readonly live: () => Promise<readonly DeviceEvent[]>;
  /** One life until power fails, with a poll every `pollMs`; whoever calls moves the clock. */
  readonly run: (pollMs: number) => Promise<void>;
};
export type SimulatedParts = {
  readonly flash: FaultFlash;
  readonly source: UpdateSource;
  readonly clock: VirtualClock;
  readonly check: SignatureCheck;
  readonly checkIn?: CheckIn | undefined;
  readonly receipts?: ReceiptFolder | undefined;
  /** Where identities come from; without it the device asks for none. */
  readonly identities?: DevicePorts['identities'];
};

const SELF_TEST_MS_MAX = 30_000;
const POLL_MS = 300_000;
/** How many images one life may bring up: a life is to settle long before. */
const RUNS_MAX = 100;
const SETTLED: LifeOptions = { pollMs: POLL_MS, untilSettled: true };

const imageDecoder = object('ignored', {
  behaviour: oneOf('healthy', 'unhealthy', 'silent', 'resets', 'ends'),
  name: text(64),
});

/** The bytes of an image that behaves so; `name` makes it differ from others. */
export function simulatedImage(name: string, behaviour: Behaviour): Uint8Array {
  return encodeUtf8(`${JSON.stringify({ behaviour, name })}\n`);
}

/** A device of these parts; it must have been provisioned. */
export function simulatedDevice(parts: SimulatedParts): SimulatedDevice {
  const events: DeviceEvent[] = [];
  const runs: Run[] = [];
  const microcontroller = simulatedMicrocontroller(parts.flash);
  const start = (options: LifeOptions): Promise<void> =>
    startLife(parts, { events, runs, installer: microcontroller.installer }, options);
  return {
    flash: parts.flash,
    microcontroller,
    events,
    runs,
    live: async () => {
      const from = events.length;
      await parts.clock.during(start(SETTLED));
      return events.slice(from);
    },
    run: (pollMs) => start({ pollMs, untilSettled: false }),
  };
}

type LifeRecord = {
  readonly events: DeviceEvent[];
  readonly runs: Run[];
  readonly installer: ComponentInstaller;
};

async function startLife(
  parts: SimulatedParts,
  { events, runs, installer }: LifeRecord,
  options: LifeOptions,
): Promise<void> {
  const { flash, clock } = parts;
  const stopped = flash.powerLost();
  const ports = {
    name: 'simulated',
    bootFlash: flash.view('boot-stage'),
    systemFlash: flash.view('system'),
    source: parts.source,
    runImage: runner(parts, runs),
    findInstaller: (component: string) => (component === MICROCONTROLLER ? installer : undefined),
    check: parts.check,
    checkIn: parts.checkIn,
    receipts: parts.receipts,
    identities: parts.identities,
    clock: { now: clock.now, sleep: (ms: number) => Promise.race([clock.sleep(ms), stopped]) },
    isStopping: () => !flash.isOn(),
    stopped,
    report: (event: DeviceEvent) => events.push(event),
  };
  await liveDevice(ports, options).catch(expectPowerCut);
}

function expectPowerCut(fault: unknown): void {
  if (!(fault instanceof OperationError) || fault.code !== 'POWER_CUT') throw fault;
}

function runner({ clock, flash }: SimulatedParts, runs: Run[]): ImageRunner {
  const runsMax = runs.length + RUNS_MAX;
  return (image, mode) => {
    assert(runs.length < runsMax, 'a device that starts this often is caught in a loop');
    assert(standsBeside(flash, image), 'no image runs beside a microcontroller of another release');
    runs.push({ sha256: image.component.image.sha256, mode });
    return bringToLife(image, clock, flash);
  };
}

function bringToLife(image: FirmwareImage, clock: VirtualClock, flash: FaultFlash): RunningImage {
  const { firmwareVersion } = image.component;
  const passed = accept({ firmwareVersion, detail: 'as simulated' });
  const never = new Promise<void>(() => undefined);
  const stop = (): Promise<void> => Promise.resolve();
  switch (behaviourOf(image)) {
    case 'healthy':
      return { selfTest: Promise.resolve(passed), ended: never, stop };
    case 'ends':
      return { selfTest: Promise.resolve(passed), ended: clock.sleep(1_000), stop };
    case 'unhealthy':
      return { selfTest: Promise.resolve(reject('SELF_TEST_FAILED', 'as simulated')), ended: never, stop };
    case 'silent': {
      const timeout = reject('SELF_TEST_TIMEOUT', 'as simulated');
      return { selfTest: clock.sleep(SELF_TEST_MS_MAX).then(() => timeout), ended: never, stop };
    }
    case 'resets':
      flash.cutPower();
      return { selfTest: new Promise(() => undefined), ended: never, stop };
  }
}

function behaviourOf(image: FirmwareImage): Behaviour {
  const said = decodeJson(image.bytes, image.bytes.length, imageDecoder);
  return said.ok ? said.value.behaviour : 'healthy';
}
