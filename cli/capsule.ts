/**
 * `firmament capsule`: packs the release in force into one file, for devices without network.
 *
 * - It reads a server as a device does, from root 1 on: whoever has that file can pack, and needs no key.
 */
import type { Command } from 'commander';
import { accept, type Verdict } from '../formats/verdict.ts';
import { repositoryClientHttp, SILENCE_MS_MAX } from '../bootloader-verifier/agent/repository-client-http.ts';
import { repositoryIdOf } from '../signer/repository-id.ts';
import { readInput, writeNew } from './files.ts';
import { nameValue, productUrlValue } from './option-values.ts';
import { packCapsule } from './pack-capsule.ts';
import type { Answer, Conclude, Host } from './verb.ts';
import { checkSignature } from '../signer/signature-check-node.ts';

type Options = {
  readonly url: URL;
  readonly rootOne: string;
  readonly channel: string;
  readonly component: readonly string[];
  readonly waypoints: boolean;
  readonly out: string;
};

/** Adds the verb. */
export function defineCapsule(command: Command, host: Host, conclude: Conclude): void {
  command
    .requiredOption('--url <address>', "the product's address, like http://127.0.0.1:8080/r/gateway/", productUrlValue)
    .requiredOption('--root-one <file>', 'root version 1, which the devices trust')
    .requiredOption('--channel <name>', 'the channel of the devices', nameValue)
    .requiredOption('--out <file>', 'the capsule, a new file; devices look for names that end in .capsule')
    .option('--component <name...>', 'the components of the devices; by default all of the release', [])
    .option('--waypoints', 'with the releases that older devices must take before it', false)
    .action(async (options: Options) => conclude(await capsule(options, host)));
}

async function capsule(options: Options, host: Host): Promise<Verdict<Answer>> {
  const rootOne = await readInput(options.rootOne);
  const repository = repositoryIdOf(rootOne);
  if (!repository.ok) return repository;
  const packed = await packCapsule({
    client: repositoryClientHttp(options.url, { silenceMsMax: SILENCE_MS_MAX, stop: host.stop }),
    repository: repository.value,
    rootOne,
    channel: options.channel,
    components: options.component,
    waypoints: options.waypoints,
    check: checkSignature,
    now: host.now(),
  });
  if (!packed.ok) return packed;
  const { bytes, release, channelVersion, names } = packed.value;
  await writeNew(options.out, bytes);
  const { out: file, channel } = options;
  const next = 'put it where firmament-device run --capsules looks';
  const text = `${file}: release ${release} of ${channel} version ${channelVersion}, ${names.length} files, ${bytes.length} bytes\n  next: ${next}`;
  return accept({ facts: { file, release, channelVersion, files: names, bytes: bytes.length }, text });
}
