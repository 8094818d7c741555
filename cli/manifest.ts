/** `firmament manifest`: a factory names the devices that it has made, and hands the list to the signer. */
import { InvalidArgumentError, type Command } from 'commander';
import { parseHex } from '../formats/bytes.ts';
import { DEVICE_KEY_BYTES, deviceIdOf } from '../formats/device-id.ts';
import { encodeEnvelope, preAuthEncoding } from '../formats/dsse.ts';
import {
  encodeFactoryManifest,
  MANIFEST_PAYLOAD_TYPE,
  parseFactoryManifest,
  type DeviceClass,
  type ManifestDevice,
} from '../formats/factory-manifest.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { repositoryIdOf } from '../signer/repository-id.ts';
import { askSigner } from './ask-signer.ts';
import { readInput, writeNew } from './files.ts';
import { openSigner } from './open-signer.ts';
import { nameValue } from './option-values.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = {
  readonly rootOne: string;
  readonly factory: string;
  readonly batch: string;
  readonly device: readonly string[];
  readonly component: ManifestDevice['components'];
  readonly proven: boolean;
  readonly key: string;
  readonly passphraseFile?: string;
  readonly out: string;
  readonly signer?: string;
};

/** Adds the verb. */
export function defineManifest(command: Command, host: Host, conclude: Conclude): void {
  command
    .requiredOption('--root-one <file>', 'root version 1, as signed: it names the repository')
    .requiredOption('--factory <id>', 'the factory, as the targets role lists it', nameValue)
    .requiredOption('--batch <name>', 'a name for these devices among those of the factory', nameValue)
    .requiredOption(
      '--device <key...>',
      'the public key of each, in hex, as `firmament-device provision` shows it',
      addKey,
    )
    .requiredOption('--component <name:hardware...>', 'what each of them is made of', addComponent)
    .option('--proven', 'a hardware root stands behind their keys; claimed is what software alone says', false)
    .requiredOption('--key <file>', "the factory's key")
    .option('--passphrase-file <file>', 'where its passphrase stands; otherwise you are asked')
    .requiredOption('--out <file>', 'where the signed manifest goes')
    .option('--signer <socket>', 'the signer to hand it to at once')
    .action(async (options: Options) => conclude(await manifest(options, host)));
}

async function manifest(options: Options, host: Host): Promise<Verdict<Answer>> {
  const repository = repositoryIdOf(await readInput(options.rootOne));
  if (!repository.ok) return repository;
  const { product, rootOneSha256: root } = repository.value;
  const { factory, batch, component: components, proven } = options;
  const known: DeviceClass = proven ? 'proven' : 'claimed';
  const devices = options.device.map((publicKey) => ({
    ...{ publicKey, class: known, components },
    deviceId: deviceIdOf(parseHex(publicKey) ?? new Uint8Array()),
  }));
  const payload = encodeFactoryManifest({ product, root, factory, batch, devices });
  const readBack = parseFactoryManifest(payload);
  if (!readBack.ok) return readBack;
  const from = { file: options.key, passphraseFile: options.passphraseFile };
  const signer = await openSigner(await readInput(options.key), from, host);
  if (!signer.ok) return signer;
  const sig = await signer.value.sign(preAuthEncoding(MANIFEST_PAYLOAD_TYPE, payload));
  const signatures = [{ keyid: signer.value.keyid, sig }];
  const envelope = encodeEnvelope({ payloadType: MANIFEST_PAYLOAD_TYPE, payload, signatures });
  await writeNew(options.out, envelope);
  const facts = { file: options.out, sha256: sha256Hex(envelope), devices: devices.length };
  const text = `${factory} names ${devices.length} devices in ${options.out}`;
  if (options.signer === undefined) return accept({ facts, text });
  const answer = await askSigner({ socket: options.signer, product }, 'manifest', envelope);
  return answer.ok ? accept({ facts: { ...facts, handedIn: true }, text: `${text}; the signer lists them` }) : answer;
}

/** Adds one key to those before it. */
function addKey(value: string, before: readonly string[] | undefined): readonly string[] {
  if (parseHex(value)?.length !== DEVICE_KEY_BYTES) throw new InvalidArgumentError('64 hex digits are expected');
  return [...(before ?? []), value.toLowerCase()];
}

/** Adds one `NAME:HARDWARE` to those before it. */
function addComponent(value: string, before: ManifestDevice['components'] | undefined): ManifestDevice['components'] {
  const [name = '', hardware = '', ...more] = value.split(':');
  if (more.length > 0) throw new InvalidArgumentError('NAME:HARDWARE is expected');
  return [...(before ?? []), { component: nameValue(name), hardwareId: nameValue(hardware) }];
}
