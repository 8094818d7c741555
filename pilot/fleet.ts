/**
 * The fleet of the pilot: three devices on the network and one that no network reaches, made and listed by one factory.
 *
 * - Each has a key of its own from its provisioning on, and is known by the digest of that key.
 * - Only what the factory's station has signed is listed with the signer: by batches, so that a device counts from its batch on.
 * - A device is a process; it is started and stopped as by a switch, and keeps its flash.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { systemClock } from '../bootloader-verifier/agent/clock-system.ts';
import { runVerb } from '../bootloader-verifier/agent/verbs.ts';
import { encodeUtf8 } from '../formats/bytes.ts';
import { parseProvisioned } from '../formats/provisioned.ts';
import type { Company } from './company.ts';
import { startDevice, type DeviceProcess } from './device-process.ts';
import { must } from './forgery.ts';
import type { PilotRepository } from './founding.ts';
import {
  COMPONENT,
  DEVICE_OPTIONS,
  FACTORY,
  HARDWARE,
  MICROCONTROLLER,
  MICROCONTROLLER_HARDWARE,
  runOptions,
  tell,
  type Stage,
} from './stage.ts';

const ONLINE = ['gateway-1', 'gateway-2', 'gateway-3'] as const;
const OFFLINE = 'gateway-offline';
const POLL_MS = '200';

/** A device as the factory made it. */
export type Member = {
  readonly name: string;
  readonly deviceId: string;
  readonly flash: string;
  /** Its factory key, as provisioning said it to the station. */
  readonly publicKey: string;
};
export type Fleet = {
  /** The device that has identities, too. */
  readonly first: Member;
  /** All that reach the network. */
  readonly online: readonly Member[];
  readonly offline: Member;
  /** Devices that run, by name. */
  readonly running: Map<string, DeviceProcess>;
};

/** Provisions all devices: each trusts root 1 and runs nothing yet. */
export async function makeFleet(stage: Stage, repository: PilotRepository): Promise<Fleet> {
  const { members } = await tell(stage, { step: 'provision', by: 'factory' }, async () => ({
    members: await Promise.all([...ONLINE, OFFLINE].map((name) => provision(stage, repository, name))),
    detail: 'four empty devices that trust root 1, each with a key of its own',
  }));
  const offline = members.at(-1);
  const [first, ...others] = members.slice(0, -1);
  if (first === undefined || offline === undefined) throw new Error('a fleet has devices');
  return { first, online: [first, ...others], offline, running: new Map() };
}

/** Provisions one device at the station, which notes what the device says of itself. */
async function provision(stage: Stage, { root }: PilotRepository, name: string): Promise<Member> {
  const flash = join(stage.folder, name, 'flash');
  const lines: string[] = [];
  const exit = await runVerb(['provision', '--flash', flash, '--root', root, ...DEVICE_OPTIONS], {
    nodePath: process.execPath,
    clock: { ...systemClock(), now: stage.now },
    newSecret: (count) => Uint8Array.from(randomBytes(count)),
    writeLine: (line) => void lines.push(line),
    writeNote: () => undefined,
    stop: new AbortController().signal,
  });
  if (exit !== 0) throw new Error(`${name} was not provisioned: ${lines.join(' ')}`);
  return { name, flash, ...must(parseProvisioned(encodeUtf8(lines[0] ?? ''))) };
}

/** Has the station sign the list of `members` and hand it to the signer. */
export async function listDevices(
  stage: Stage,
  at: { readonly company: Company; readonly repository: PilotRepository; readonly batch: string },
  members: readonly Member[],
): Promise<void> {
  const { company, repository, batch } = at;
  const { tool, keyFile, passphraseFile } = company.factory;
  await tell(stage, { step: `manifest ${batch}`, by: 'factory' }, async () => {
    const parts = [`${COMPONENT}:${HARDWARE}`, `${MICROCONTROLLER}:${MICROCONTROLLER_HARDWARE}`];
    await tool.run(
      ...['manifest', '--root-one', repository.root, '--factory', FACTORY, '--batch', batch, '--component', ...parts],
      ...['--device', ...members.map(({ publicKey }) => publicKey)],
      ...['--key', keyFile, '--passphrase-file', passphraseFile],
      ...['--out', join(repository.desk, `${batch}.manifest.json`), '--signer', repository.signer.socket],
    );
    return { detail: `${members.map(({ name }) => name).join(', ')}: listed with the signer, signed by the factory` };
  });
}

/** The device `member` as a process that polls `url`: the one that runs, or a new one. */
export function switchOn(
  at: { readonly stage: Stage; readonly fleet: Fleet; readonly url: string; readonly est: string },
  { name, flash }: Member,
): DeviceProcess {
  const { stage, fleet, url, est } = at;
  const { running, first } = fleet;
  const identity = name === first.name ? ['--est', est] : [];
  const options = [...runOptions(flash, url), ...identity, '--name', name, '--poll-ms', POLL_MS];
  const device = running.get(name) ?? startDevice(options, stage.onDeviceEvent);
  running.set(name, device);
  return device;
}

/** Ends the process of `member`, if one runs. */
export async function switchOff({ running }: Fleet, { name }: Member): Promise<void> {
  const device = running.get(name);
  running.delete(name);
  await device?.stop();
}

/** Ends all devices. */
export async function switchAllOff(fleet: Fleet): Promise<void> {
  await Promise.all([...fleet.online, fleet.offline].map((member) => switchOff(fleet, member)));
}
