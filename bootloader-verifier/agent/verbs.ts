/**
 * The verbs of `firmament-device`: `provision` a blank flash folder, `run` the device, tell its `status`.
 *
 * - On standard output stands one JSON line a step; people's text goes to standard error.
 * - Exits by kind: 0 done, 1 refused, 64 usage, 69 unavailable, 70 bug.
 */
import { readFile } from 'node:fs/promises';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { parseHex } from '../../formats/bytes.ts';
import type { Clock } from '../../formats/clock.ts';
import { deviceIdOf } from '../../formats/device-id.ts';
import { DICE_SECRET_BYTES } from '../../formats/dice.ts';
import { parseFactoryRecord, type DeviceComponent, type FactoryRecord } from '../../formats/factory-record.ts';
import { encodeDeviceStatus } from '../../formats/device-status.ts';
import { nameDecoder } from '../../formats/names.ts';
import { OperationError } from '../../formats/operation-error.ts';
import { installerDecoder } from '../../formats/release.ts';
import type { Rejected } from '../../formats/verdict.ts';
import { readRecord } from '../boot/flash-records.ts';
import type { ComponentInstaller } from '../boot/installer.ts';
import type { DeviceEvent } from './device-event.ts';
import { capsuleFolder } from './capsule-folder.ts';
import { liveDevice, type DevicePorts, type UpdateSource } from './device.ts';
import { flashFiles } from './flash-files.ts';
import { identityClientFolder } from './identity-client-folder.ts';
import { identityClientHttp } from './identity-client-http.ts';
import { freshKeyNode } from './identity-key-node.ts';
import { IMAGE_TIMES, imageRunnerNode } from './image-runner-node.ts';
import { installerFile, MICROCONTROLLER_BYTES } from './installer-file.ts';
import { checkInHttp } from './check-in-http.ts';
import { receiptFolder } from './receipt-folder.ts';
import type { CheckIn } from './report-outcome.ts';
import { readStatus } from './read-status.ts';
import { provisionDevice } from './provision.ts';
import {
  PRODUCT_ADDRESS_EXPECTED,
  productAddress,
  repositoryClientHttp,
  SILENCE_MS_MAX,
} from './repository-client-http.ts';
import { checkSignatureDevice } from './signature-check-device-node.ts';

/** What the verbs take from the process that they run in. */
export type Host = {
  readonly nodePath: string;
  /** Its waits end when the process is asked to. */
  readonly clock: Clock;
  /** `count` random bytes, fit for keys. */
  readonly newSecret: (count: number) => Uint8Array;
  readonly writeLine: (line: string) => void;
  readonly writeNote: (text: string) => void;
  /** Aborted when the process is asked to end. */
  readonly stop: AbortSignal;
};

type Outcome = { exit: number };

const COMPONENT_OPTION =
  'what has an image of its own: gateway:gw-1:slot for the one that starts, hub:primehub:transfer for a microcontroller';

/**
 * Runs `firmament-device` with `args`.
 * @returns the exit code of the process.
 */
export async function runVerb(args: readonly string[], host: Host): Promise<number> {
  const outcome: Outcome = { exit: 0 };
  try {
    await deviceCommand(host, outcome).parseAsync(args, { from: 'user' });
    return outcome.exit;
  } catch (fault) {
    if (fault instanceof CommanderError) return endUsage(fault, host);
    if (!(fault instanceof OperationError)) throw fault;
    host.writeLine(JSON.stringify({ ok: false, code: fault.code, detail: fault.message }));
    return 69;
  }
}

/** What the parser of the command line ends with: help was asked for, or the line is not understood. */
function endUsage(fault: CommanderError, host: Host): number {
  if (fault.exitCode === 0) return 0;
  host.writeLine(JSON.stringify({ ok: false, code: 'USAGE', detail: fault.message }));
  return 64;
}

function deviceCommand(host: Host, outcome: Outcome): Command {
  const device = new Command('firmament-device')
    .description('the program on the device: verifies, starts and updates its firmware')
    .exitOverride()
    .configureOutput({ writeOut: host.writeNote, writeErr: host.writeNote })
    .showHelpAfterError();
  device
    .command('provision')
    .description('tell a blank device what it is and which root it trusts')
    .requiredOption('--flash <folder>', 'where the device keeps its flash')
    .requiredOption('--root <file>', 'the file of root version 1')
    .requiredOption('--product <name>', 'the product it belongs to', parseName)
    .requiredOption('--component <name:hardware:installer...>', COMPONENT_OPTION, parseComponents)
    .requiredOption('--channel <name>', 'the channel it follows', parseName)
    .action(async (options: ProvisionOptions) => provision(options, { host, outcome }));
  device
    .command('run')
    .description('start what passes the boot checks, then poll, install and start again')
    .requiredOption('--flash <folder>', 'where the device keeps its flash')
    .option('--url <address>', "the product's address, like http://127.0.0.1:8080/r/gateway/", parseAddress)
    .option('--capsules <folder>', 'without network: the folder where *.capsule files arrive')
    .option('--receipts <folder>', 'where receipts go, if not beside capsules')
    .option('--microcontroller <name=file...>', 'the flash of a component that is transferred', parseMicrocontrollers)
    .option('--name <name>', 'how it names itself in its reports', parseName, 'device')
    .option('--poll-ms <ms>', 'milliseconds between polls', parseMilliseconds, 300_000)
    .option('--est <address>', 'the address that gives it identities (EST)', parseAddress)
    .option('--identities <folder>', 'without network: where they are carried')
    .option('--until-settled', 'end after the first poll that installs nothing', false)
    .action(async (options: RunOptions, command: Command) => {
      if ((options.url === undefined) === (options.capsules === undefined)) {
        command.error('either --url or --capsules says where releases come from');
      }
      if (options.receipts !== undefined && options.capsules === undefined) {
        command.error('--receipts goes with --capsules: a server is told at its check-in');
      }
      if (options.est !== undefined && options.identities !== undefined) {
        command.error('either --est or --identities says where identities come from');
      }
      await run(options, host);
    });
  device
    .command('status')
    .description('tell what the device is, what it runs, and its floors, for firmament why-not')
    .requiredOption('--flash <folder>', 'where the device keeps its flash')
    .action(async (options: { readonly flash: string }) => status(options.flash, { host, outcome }));
  return device;
}

type ProvisionOptions = {
  readonly flash: string;
  readonly root: string;
  readonly product: string;
  readonly component: readonly DeviceComponent[];
  readonly channel: string;
};
type RunOptions = {
  readonly flash: string;
  readonly url?: URL;
  readonly capsules?: string;
  readonly receipts?: string;
  readonly microcontroller?: ReadonlyMap<string, string>;
  readonly name: string;
  readonly est?: URL;
  readonly identities?: string;
  readonly pollMs: number;
  readonly untilSettled: boolean;
};

async function provision(
  options: ProvisionOptions,
  { host, outcome }: { readonly host: Host; readonly outcome: Outcome },
): Promise<void> {
  const factory = {
    product: options.product,
    components: options.component,
    channelName: options.channel,
    root: await readInput(options.root),
    secret: host.newSecret(DICE_SECRET_BYTES),
  };
  const provisioned = await provisionDevice(flashFiles(options.flash, 'factory'), factory, checkSignatureDevice);
  host.writeLine(JSON.stringify(provisioned.ok ? provisionLine(provisioned.value) : refusalLine(provisioned)));
  outcome.exit = provisioned.ok ? 0 : 1;
}

async function status(
  folder: string,
  { host, outcome }: { readonly host: Host; readonly outcome: Outcome },
): Promise<void> {
  const read = await readStatus(flashFiles(folder, 'system'), checkSignatureDevice);
  host.writeLine(
    read.ok ? new TextDecoder().decode(encodeDeviceStatus(read.value)) : JSON.stringify(refusalLine(read)),
  );
  outcome.exit = read.ok ? 0 : 1;
}

async function run(options: RunOptions, host: Host): Promise<void> {
  await liveDevice(
    {
      name: options.name,
      bootFlash: flashFiles(options.flash, 'boot-stage'),
      systemFlash: flashFiles(options.flash, 'system'),
      source: sourceOf(options, host),
      runImage: imageRunnerNode(host.nodePath, IMAGE_TIMES, (line) => host.writeNote(`image: ${line}\n`)),
      findInstaller: (component) => findMicrocontroller(options.microcontroller, component),
      identities: await identitiesOf(options, host),
      check: checkSignatureDevice,
      clock: host.clock,
      isStopping: () => host.stop.aborted,
      stopped: aborted(host.stop),
      report: (event: DeviceEvent) => host.writeLine(JSON.stringify(event)),
      checkIn: checkInOf(options, host),
      receipts: options.capsules === undefined ? undefined : receiptFolder(options.receipts ?? options.capsules),
    },
    { pollMs: options.pollMs, untilSettled: options.untilSettled },
  );
}

/** The server, or the folder, that releases come from; the command line names one of the two. */
function sourceOf({ url, capsules }: RunOptions, host: Host): UpdateSource {
  return url === undefined
    ? { kind: 'capsules', folder: capsuleFolder(capsules ?? '') }
    : { kind: 'server', client: repositoryClientHttp(url, { silenceMsMax: SILENCE_MS_MAX, stop: host.stop }) };
}

/** Where identities come from: a front of EST, or a folder over which they are carried; undefined for a device that gets none. */
async function identitiesOf({ est, identities, flash }: RunOptions, host: Host): Promise<DevicePorts['identities']> {
  if (est !== undefined) return { client: identityClientHttp(est, host.stop), freshKey: freshKeyNode };
  const factory = identities === undefined ? undefined : await readRecord(flashFiles(flash, 'system'), 'factory');
  const record = factory && parseFactoryRecord(factory);
  const publicKey = record?.ok === true ? parseHex(record.value.deviceKey ?? '') : undefined;
  if (identities === undefined || publicKey === undefined) return undefined;
  return { client: identityClientFolder(identities, deviceIdOf(publicKey)), freshKey: freshKeyNode };
}

/** The server's check-in; whoever is updated from files has nobody to tell. */
function checkInOf({ url }: RunOptions, host: Host): CheckIn | undefined {
  const limits = { answerMsMax: SILENCE_MS_MAX, stop: host.stop };
  return url === undefined ? undefined : checkInHttp(new URL('/checkin', url), limits);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function readInput(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new OperationError('FILE_UNREADABLE', path, { retriable: false, cause });
  }
}

/** What a factory station notes of the device, for its manifest. */
function provisionLine({ deviceKey }: FactoryRecord): object {
  const publicKey = deviceKey === undefined ? undefined : parseHex(deviceKey);
  return {
    ok: true,
    step: 'provision',
    ...(publicKey !== undefined && { deviceId: deviceIdOf(publicKey), publicKey: deviceKey }),
  };
}

function refusalLine(refusal: Rejected): { readonly ok: false; readonly code: string; readonly detail: string } {
  return { ok: false, code: refusal.code, detail: refusal.detail };
}

function parseName(value: string): string {
  const name = nameDecoder(value);
  if (!name.ok) throw new InvalidArgumentError('lower-case letters, digits and dashes are expected');
  return name.value;
}

/** Adds the component `value` to those before it. */
function parseComponents(value: string, before: readonly DeviceComponent[] | undefined): readonly DeviceComponent[] {
  const [name = '', hardware = '', said = '', ...more] = value.split(':');
  const installer = installerDecoder(said);
  if (!installer.ok || more.length > 0) {
    throw new InvalidArgumentError('NAME:HARDWARE:slot or NAME:HARDWARE:transfer is expected');
  }
  const component = { component: parseName(name), hardwareId: parseName(hardware), installer: installer.value };
  return [...(before ?? []), component];
}

/** Adds the file of the microcontroller in `value` to those before it. */
function parseMicrocontrollers(
  value: string,
  before: ReadonlyMap<string, string> | undefined,
): ReadonlyMap<string, string> {
  const at = value.indexOf('=');
  const file = value.slice(at + 1);
  if (at < 0 || file === '') throw new InvalidArgumentError('NAME=FILE is expected');
  return new Map([...(before ?? []), [parseName(value.slice(0, at)), file]]);
}

function findMicrocontroller(
  files: ReadonlyMap<string, string> | undefined,
  component: string,
): ComponentInstaller | undefined {
  const file = files?.get(component);
  return file === undefined ? undefined : installerFile(file, MICROCONTROLLER_BYTES);
}

function parseAddress(value: string): URL {
  const url = productAddress(value);
  if (url === undefined) throw new InvalidArgumentError(PRODUCT_ADDRESS_EXPECTED);
  return url;
}

function parseMilliseconds(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('a number of milliseconds is expected');
  return Number(value);
}
