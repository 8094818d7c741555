/**
 * `firmament publish`: makes visible what people have signed.
 *
 * - With `--signer` everything goes to the daemon that holds the online keys; no key is needed here.
 * - Without a daemon it signs snapshot and timestamp itself; over the state of a daemon that runs it does nothing.
 * - Everything is first accepted by the device's own code; a refusal leaves what is published as it was.
 * - Without any file it refreshes the timestamp, and the snapshot when it is due.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import { parsePublishAnswer, type PublishedFacts } from '../formats/publish-answer.ts';
import { encodePublishRequest, type PartKind, type RequestPart } from '../formats/publish-request.ts';
import type { Instant } from '../formats/instant.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { DATABASE_FILE } from '../signer/backup/kept-files.ts';
import { changesOfRequest } from '../signer/changes-of-request.ts';
import type { ObjectStore } from '../signer/object-store.ts';
import type { Changes } from '../signer/publication.ts';
import { publishChanges } from '../signer/publish-changes.ts';
import { publishedFacts } from '../signer/published-facts.ts';
import { signerMemoryFile } from '../signer/signer-memory-file.ts';
import type { Signer } from '../signer/signer.ts';
import { asPublisher } from '../signer/state-owner.ts';
import { askSigner, type AskedSigner } from './ask-signer.ts';
import { readInput } from './files.ts';
import { openSigner } from './open-signer.ts';
import { CLOCK_IS, instantValue, nameValue } from './option-values.ts';
import { addOptionalStoreOptions, openObjectStore, stateInStore, type StoreOptions } from './store-option.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Handed = {
  readonly root: readonly string[];
  readonly targets?: string;
  readonly event: readonly string[];
  readonly withdrawn: readonly string[];
  readonly file: readonly string[];
};
/** What a publisher without a daemon works with. */
type Own = StoreOptions & {
  readonly product: string;
  readonly state: string;
  readonly key: readonly string[];
  readonly passphraseFile: readonly string[];
  readonly clockIs?: Instant;
};
type Options = Handed & Partial<Own> & { readonly signer?: string };

const OWN_OPTIONS = ['store', 'storeCredentials', 'state', 'key', 'passphraseFile', 'clockIs'] as const;

/** Adds the verb. */
export function definePublish(command: Command, host: Host, conclude: Conclude): void {
  command.option(
    '--signer <socket>',
    'the signer daemon that publishes it, of its product or of --product; or, without one:',
  );
  addOptionalStoreOptions(command)
    .option('--product <name>', 'the product', nameValue)
    .option('--state <file>', "the signer's own memory, outside of the store")
    .option('--key <file...>', 'the keys of snapshot and timestamp, and of the log where root demands one')
    .option('--passphrase-file <file...>', 'where their passphrases stand, in the same order; otherwise you are asked')
    .option(...CLOCK_IS, instantValue)
    .option('--root <file...>', 'new roots, oldest first', [])
    .option('--targets <file>', 'a new targets file')
    .option('--event <file...>', 'signing events whose quorum is complete', [])
    .option('--withdrawn <file...>', 'signing events that were withdrawn: to be remembered, not published', [])
    .option('--file <file...>', 'images that the channels name, and evidence that is not in the events', [])
    .action(async (options: Options) => {
      if (options.signer !== undefined) {
        const own = OWN_OPTIONS.find((name) => options[name] !== undefined);
        if (own !== undefined) command.error(`--signer takes no ${own}: the daemon has its own`, { exitCode: 64 });
        const { signer: socket, product } = options;
        return conclude(await handIn({ socket, product }, await readParts(options)));
      }
      const { product, store, state, key, passphraseFile = [] } = options;
      if (product === undefined || store === undefined || state === undefined || key === undefined) {
        return command.error('--signer, or all of --product, --store, --state and --key', { exitCode: 64 });
      }
      const misplaced = stateInStore(store, state) ?? memoryOfMany(state);
      if (misplaced !== undefined) return command.error(`error: ${misplaced}`, { exitCode: 64 });
      const own = { ...options, product, store, state, key, passphraseFile };
      conclude(await publish(own, await readParts(options), host));
    });
}

/** What is wrong with `state` where the memory of a deployment stands: that is its daemon's, and no file of one product beside it. */
function memoryOfMany(state: string): string | undefined {
  const database = join(dirname(state), DATABASE_FILE);
  const isOfMany = existsSync(database) && (basename(state) === DATABASE_FILE || !existsSync(state));
  return isOfMany ? `${database} is the memory of a deployment: publish through its daemon, with --signer` : undefined;
}

/** The files in the order of the options. */
async function readParts({ root, targets, event, withdrawn, file }: Handed): Promise<readonly RequestPart[]> {
  const read = (kind: PartKind, paths: readonly string[]): Promise<readonly RequestPart[]> =>
    Promise.all(paths.map(async (path) => ({ kind, name: undefined, bytes: await readInput(path) })));
  const parts = await Promise.all([
    read('root', root),
    read('targets', targets === undefined ? [] : [targets]),
    read('event', event),
    read('withdrawn', withdrawn),
    read('file', file),
  ]);
  return parts.flat();
}

/** Hands everything to the daemon. */
async function handIn(signer: AskedSigner, parts: readonly RequestPart[]): Promise<Verdict<Answer>> {
  const answer = await askSigner(signer, 'publish', encodePublishRequest(parts));
  if (!answer.ok) return answer;
  const facts = parsePublishAnswer(answer.value);
  return facts.ok ? accept(describe(facts.value)) : facts;
}

async function publish(options: Own, parts: readonly RequestPart[], host: Host): Promise<Verdict<Answer>> {
  const store = await openObjectStore(options);
  if (!store.ok) return store;
  const changes = changesOfRequest(parts);
  if (!changes.ok) return changes;
  return asPublisher(options.state, () => publishTo(store.value, changes.value, { options, host }));
}

async function publishTo(
  store: ObjectStore,
  changes: Changes,
  { options, host }: { readonly options: Own; readonly host: Host },
): Promise<Verdict<Answer>> {
  const signers = await openSigners(options, host);
  if (!signers.ok) return signers;
  const published = await publishChanges(
    {
      store,
      memory: signerMemoryFile(options.state),
      product: options.product,
      onlineSigners: signers.value,
      now: host.now(),
      vouchedTime: options.clockIs,
    },
    changes,
  );
  return published.ok ? accept(describe(publishedFacts(published.value))) : published;
}

async function openSigners(options: Own, host: Host): Promise<Verdict<readonly Signer[]>> {
  const signers: Signer[] = [];
  for (const [index, file] of options.key.entries()) {
    const from = { file, passphraseFile: options.passphraseFile[index] };
    const signer = await openSigner(await readInput(file), from, host);
    if (!signer.ok) return signer;
    signers.push(signer.value);
  }
  return accept(signers);
}

function describe(facts: PublishedFacts): Answer {
  const { product, timestampVersion, snapshotVersion, logSize, written } = facts;
  const logged = logSize === undefined ? '' : `, the log has ${logSize} entries`;
  const text = `${product}: timestamp ${timestampVersion} over snapshot ${snapshotVersion}${logged}\n  ${written.join('\n  ')}`;
  return { facts, text };
}
