/**
 * `firmament publish`: signs snapshot and timestamp over what people have signed, and makes it visible.
 *
 * - Everything is first accepted by the device's own code; a refusal leaves what is published as it was.
 * - Without any file it refreshes the timestamp, and the snapshot when it is due.
 */
import type { Command } from 'commander';
import { encodeHex } from '../formats/bytes.ts';
import type { SigningEvent } from '../formats/signing-event.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { publishChanges, type PublishedNow } from '../signer/publish-changes.ts';
import { signerMemoryFile } from '../signer/signer-memory-file.ts';
import type { Signer } from '../signer/signer.ts';
import { readEvent } from './event-files.ts';
import { readInput, readOptional } from './files.ts';
import { openSigner } from './open-signer.ts';
import { nameValue } from './option-values.ts';
import { addStoreOptions, openObjectStore, type StoreOptions } from './store-option.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = StoreOptions & {
  readonly product: string;
  readonly state: string;
  readonly key: readonly string[];
  readonly passphraseFile: readonly string[];
  readonly root: readonly string[];
  readonly targets?: string;
  readonly event: readonly string[];
  readonly withdrawn: readonly string[];
  readonly file: readonly string[];
};

/** Adds the verb. */
export function definePublish(command: Command, host: Host, conclude: Conclude): void {
  addStoreOptions(command)
    .requiredOption('--product <name>', 'the product', nameValue)
    .requiredOption('--state <file>', "the signer's own memory, outside of the store")
    .requiredOption('--key <file...>', 'the keys of snapshot and timestamp, and of the log where root demands one')
    .option(
      '--passphrase-file <file...>',
      'where their passphrases stand, in the same order; otherwise you are asked',
      [],
    )
    .option('--root <file...>', 'new roots, oldest first', [])
    .option('--targets <file>', 'a new targets file')
    .option('--event <file...>', 'signing events whose quorum is complete', [])
    .option('--withdrawn <file...>', 'signing events that were withdrawn: to be remembered, not published', [])
    .option('--file <file...>', 'images that the channels name, and evidence that is not in the events', [])
    .action(async (options: Options) => conclude(await publish(options, host)));
}

async function publish(options: Options, host: Host): Promise<Verdict<Answer>> {
  const store = await openObjectStore(options);
  if (!store.ok) return store;
  const signers = await openSigners(options, host);
  if (!signers.ok) return signers;
  const events = await readEvents(options.event);
  if (!events.ok) return events;
  const withdrawn = await readEvents(options.withdrawn);
  if (!withdrawn.ok) return withdrawn;
  const evidence = events.value.flatMap((event) => event.evidence);
  const published = await publishChanges(
    {
      store: store.value,
      memory: signerMemoryFile(options.state),
      product: options.product,
      onlineSigners: signers.value,
      now: host.now(),
    },
    {
      roots: await Promise.all(options.root.map(readInput)),
      targets: await readOptional(options.targets),
      channels: new Map(events.value.map(({ role, metadata }) => [role, metadata])),
      targetFiles: [...(await Promise.all(options.file.map(readInput))), ...evidence],
      withdrawals: [...events.value, ...withdrawn.value].map((event) => ({ ...event, envelopes: event.withdrawn })),
    },
  );
  return published.ok ? accept(answer(options.product, published.value)) : published;
}

async function readEvents(files: readonly string[]): Promise<Verdict<readonly SigningEvent[]>> {
  const events: SigningEvent[] = [];
  for (const file of files) {
    const event = await readEvent(file);
    if (!event.ok) return event;
    events.push(event.value);
  }
  return accept(events);
}

async function openSigners(options: Options, host: Host): Promise<Verdict<readonly Signer[]>> {
  const signers: Signer[] = [];
  for (const [index, file] of options.key.entries()) {
    const from = { file, passphraseFile: options.passphraseFile[index] };
    const signer = await openSigner(await readInput(file), from, host);
    if (!signer.ok) return signer;
    signers.push(signer.value);
  }
  return accept(signers);
}

function answer(product: string, { state, written, log }: PublishedNow): Answer {
  const { timestampVersion, snapshotVersion, snapshotSha256 } = state;
  const logged = log === undefined ? '' : `, the log has ${log.size} entries`;
  return {
    facts: {
      ...{ product, timestampVersion, snapshotVersion, snapshotSha256, written },
      ...(log === undefined ? {} : { logSize: log.size, logRoot: encodeHex(log.rootHash) }),
    },
    text: `${product}: timestamp ${timestampVersion} over snapshot ${snapshotVersion}${logged}\n  ${written.join('\n  ')}`,
  };
}
