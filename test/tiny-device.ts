/**
 * A simulated device of a tiny repository, provisioned and powered, with everything about it at hand.
 *
 * - Its flash is small, its clock stands at the time of the repository, its network passes everything unless a test says otherwise.
 * - Signatures are really checked, each one once: lives by the thousand ask about the same few.
 */
import { encodeHex } from '../formats/bytes.ts';
import { encodeBootState, type BootState, type SlotId } from '../formats/boot-state.ts';
import { encodeFactoryRecord } from '../formats/factory-record.ts';
import { encodeFloors, parseFloors, type Floors } from '../formats/floors.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';
import { checkSignature } from '../signer/signature-check-node.ts';
import type { UpdateSource } from '../bootloader-verifier/agent/device.ts';
import type { DeviceEvent } from '../bootloader-verifier/agent/device-event.ts';
import { readRecord, writeRecord, writeRecordTwice } from '../bootloader-verifier/boot/flash-records.ts';
import type { ReceiptFolder } from '../bootloader-verifier/agent/receipt-folder.ts';
import type { CheckIn } from '../bootloader-verifier/agent/report-outcome.ts';
import { provisionFlash } from '../bootloader-verifier/boot/protected-store.ts';
import { readBootState, startDevice, type Recovery, type Started } from '../bootloader-verifier/boot/start-device.ts';
import { faultFlash, SMALL_FLASH, type FaultFlash } from '../simulation/fault-flash.ts';
import { faultNetwork, NO_FAULTS, type FaultNetwork, type NetworkFaults } from '../simulation/fault-network.ts';
import { simulatedDevice, type SimulatedDevice, type SimulatedParts } from '../simulation/simulated-device.ts';
import { virtualClock, type VirtualClock } from '../simulation/virtual-clock.ts';
import { accepted } from './accepted.ts';
import type { TinyRepository } from './tiny-repository.ts';

export type TinyDevice = SimulatedDevice & {
  readonly network: FaultNetwork;
  readonly clock: VirtualClock;
  /** Runs the boot stage alone, as after power-on. */
  start(): Promise<Started | Recovery>;
  state(): Promise<BootState | undefined>;
  /** What the protected store says; fails the test if it cannot be read. */
  floors(): Promise<Floors>;
  /** Puts bundle and image into a slot, whatever they are. */
  putSlot(slot: SlotId, content: { readonly bundle: Uint8Array; readonly image: Uint8Array }): Promise<void>;
  putState(state: Partial<BootState>): Promise<void>;
  putFloors(floors: Floors): Promise<void>;
};
export type TinyDeviceOptions = {
  /** Where releases come from; by default the repository, over the network. */
  readonly source?: UpdateSource;
  /** Flash of another device, to go on from; blank and provisioned by default. */
  readonly flash?: FaultFlash;
  /** What the server serves, by default what the repository publishes. */
  readonly files?: ReadonlyMap<string, Uint8Array>;
  readonly faults?: Partial<NetworkFaults>;
  /** Its factory key in hex, which decides about its place in rollouts; none by default. */
  readonly deviceKey?: string;
  /** Its own secret, 32 bytes: with one it can prove what it starts. */
  readonly secret?: Uint8Array;
  readonly checkIn?: CheckIn;
  readonly receipts?: ReceiptFolder;
  readonly identities?: SimulatedParts['identities'];
  /** How it checks signatures; strictly by default. */
  readonly check?: SignatureCheck;
};

/** A check that asks the portable one once for each signature, key and message. */
export function rememberingCheck(): SignatureCheck {
  const known = new Map<string, boolean>();
  return (key, message, signature) => {
    const asked = [key.keytype, key.scheme, key.public, sha256Hex(message), encodeHex(signature)].join(' ');
    const valid = known.get(asked) ?? checkSignature(key, message, signature);
    known.set(asked, valid);
    return valid;
  };
}

const strict = rememberingCheck();

/** A device of `repository`. */
export async function makeTinyDevice(repository: TinyRepository, options: TinyDeviceOptions = {}): Promise<TinyDevice> {
  const { check = strict } = options;
  const clock = virtualClock(repository.now);
  const flash = options.flash ?? faultFlash(SMALL_FLASH);
  if (options.flash === undefined) {
    await provisionFlash(flash.view('factory'), { ...repository.factory, secret: options.secret });
  }
  const { deviceKey } = options;
  if (deviceKey !== undefined) {
    const record = encodeFactoryRecord({ ...repository.factory, deviceKey });
    await writeRecordTwice(flash.view('factory'), 'factory', record);
  }
  const faults = { ...NO_FAULTS, sleep: clock.sleep, ...options.faults };
  const network = faultNetwork(options.files ?? repository.files, faults);
  const system = flash.view('system');
  const simulated = simulatedDevice({
    flash,
    source: options.source ?? { kind: 'server', client: network },
    clock,
    check,
    checkIn: options.checkIn,
    receipts: options.receipts,
    identities: options.identities,
  });
  const { installer } = simulated.microcontroller;
  return {
    ...simulated,
    network,
    clock,
    start: () => startDevice(flash.view('boot-stage'), check, () => installer),
    state: () => readBootState(system),
    floors: () => floorsOf(flash),
    putSlot: async (slot, { bundle, image }) => {
      await system.write(`slot-${slot}`, 0, image);
      await writeRecord(system, `bundle-${slot}`, bundle);
    },
    putState: async (state) => {
      const empty = { good: undefined, trial: undefined, confirmed: undefined, failed: [] };
      await writeRecord(system, 'state', encodeBootState({ ...empty, ...state }));
    },
    putFloors: async (floors) => {
      await writeRecordTwice(flash.view('factory'), 'protected', encodeFloors(floors));
    },
  };
}

/** The floors on `flash`. */
export async function floorsOf(flash: FaultFlash): Promise<Floors> {
  const bytes = await readRecord(flash.view('system'), 'protected');
  if (bytes === undefined) throw new Error('no floors can be read');
  return accepted(parseFloors(bytes));
}

/** What `events` say, one short line each: the step, and its code if it has one. */
export function steps(events: readonly DeviceEvent[]): readonly string[] {
  return events.map(({ step, code }) => (code === undefined ? step : `${step} ${code}`));
}
