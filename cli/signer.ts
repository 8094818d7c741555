/**
 * `firmament signer`: the daemon that holds the online keys, behind a unix socket, until the process is asked to end.
 *
 * - With `--product` it serves one product, whose memory is a file that `firmament publish` can use too; one daemon at a time owns it.
 *   Without, it serves every product of the deployment, whose memory is one database; several daemons may share that on a machine.
 *   A folder that holds the memory of the one kind gets none of the other.
 * - It steps rollouts and refreshes the online roles by itself, long before they expire; what is due is looked at in every interval.
 * - Its folder holds its memory and its books, outside of the store.
 * - With the key of a CA it issues identities of a product, too (`identity-option.ts`).
 * - A refusal or fault of what it does by itself is told, and done again at the next look.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Instant } from '../formats/instant.ts';
import { OperationError } from '../formats/operation-error.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { DATABASE_FILE, STATE_FILE } from '../signer/backup/kept-files.ts';
import { bookStoreFolder } from '../signer/book-store-folder.ts';
import { openDeployment } from '../signer/daemon/deployment.ts';
import { serveVerbs, type DaemonOptions, type RunningDaemon } from '../signer/daemon/serve-verbs-http.ts';
import { doDue, signerVerbs } from '../signer/daemon/signer-verbs.ts';
import { deploymentEnds } from '../signer/daemon/deployment-ends.ts';
import { endWarnings, nextLookMs, roleEnds, type EndWarning } from '../signer/daemon/role-ends.ts';
import { keyWarnings, missingKeys, type KeyWarning } from '../signer/daemon/missing-keys.ts';
import { serveMetrics, type MetricsPlace } from '../signer/daemon/serve-metrics-http.ts';
import { signerMetrics, type SignerMetrics } from '../signer/daemon/signer-metrics.ts';
import { deviceRegister } from '../signer/identity/device-register.ts';
import type { VerbTable } from '../signer/daemon/verb-table.ts';
import type { ObjectStore } from '../signer/object-store.ts';
import { publishQueue } from '../signer/publish-queue.ts';
import type { RolloutSigner } from '../signer/rollout/run-rollout.ts';
import { readCurrent } from '../signer/read-published.ts';
import { signerMemoryFile } from '../signer/signer-memory-file.ts';
import { openStateDatabase } from '../signer/signer-state-database.ts';
import type { SignerMemory } from '../signer/signer-state.ts';
import type { Signer } from '../signer/signer.ts';
import { asDaemon } from '../signer/state-owner.ts';
import { readInput } from './files.ts';
import {
  addIdentityOptions,
  isCaKeyClear,
  openCaSigners,
  openIdentityVerbs,
  type CaSigners,
  type IdentityOptions,
} from './identity-option.ts';
import { openSigner } from './open-signer.ts';
import { CLOCK_IS, instantValue, metricsValue, millisecondsValue, nameValue } from './option-values.ts';
import { addStoreOptions, openObjectStore, stateInStore, type StoreOptions } from './store-option.ts';
import type { Conclude, Host } from './verb.ts';

type Options = StoreOptions &
  IdentityOptions & {
    readonly socket: string;
    readonly product?: string;
    readonly state: string;
    readonly key: readonly string[];
    readonly passphraseFile: readonly string[];
    readonly lookMs: number;
    readonly clockIs?: Instant;
    readonly metrics?: MetricsPlace;
  };
/** Where everything is published, and with which keys. */
type Shared = {
  readonly store: ObjectStore;
  readonly onlineSigners: readonly Signer[];
  readonly cas: CaSigners;
  readonly vouchedTime: Instant | undefined;
};
/** What is served, and what is done without being asked. @returns lines for the log. */
type Served = Pick<DaemonOptions, 'verbs' | 'verbsOf' | 'product' | 'productBodyBytesMax'> & {
  readonly look: (daemon: RunningDaemon, now: Instant) => Promise<readonly LookFault[]>;
  /** Shows when the roles of what is served end, and which could not be signed. @returns what is to be told of it now. */
  readonly ends: (metrics: SignerMetrics, at: EndsAt) => Promise<readonly Warning[]>;
};
type Warning = EndWarning | KeyWarning;
type EndsAt = { readonly now: Instant; readonly told: Map<string, number> };
type LookFault = { readonly event: string; readonly code: string; readonly detail: string };

/** Adds the verb. */
export function defineSigner(command: Command, host: Host, conclude: Conclude): void {
  addIdentityOptions(addStoreOptions(command))
    .requiredOption('--socket <path>', 'where it listens: a unix socket for its owner alone')
    .option(
      '--product <name>',
      'the one product that it serves; left out, all that its state knows or will know',
      nameValue,
    )
    .requiredOption('--state <folder>', 'its memory and its books, outside of the store')
    .requiredOption(
      '--key <file...>',
      'the keys of snapshot and timestamp, of rollouts, and of the log where root demands one',
    )
    .option('--passphrase-file <file...>', 'where their passphrases stand, in the same order', [])
    .option(...CLOCK_IS, instantValue)
    .option('--look-ms <ms>', 'how often it looks for what is due', millisecondsValue, 60_000)
    .option(
      '--metrics <where>',
      'show metrics at a port of the loopback, 127.0.0.1:PORT, or at a unix socket',
      metricsValue,
    )
    .action(async (options: Options) => {
      if (!isCaKeyClear(options, options.product)) {
        command.error('error: a CA is of one product: --ca-key PRODUCT=FILE, once a product', { exitCode: 64 });
      }
      const misplaced = stateInStore(options.store, options.state) ?? (await whoseMemory(options));
      if (misplaced !== undefined) command.error(`error: ${misplaced}`, { exitCode: 64 });
      const shared = await openShared(options, host);
      if (!shared.ok) return conclude(shared);
      if (options.product === undefined) return serveDeployment(shared.value, options, { host, conclude });
      await serveProduct(shared.value, { ...options, product: options.product }, { host, conclude });
    });
}

/** What is wrong with `--product`, for the memory that is there: a second one beside it would be empty, and stand in every backup. */
async function whoseMemory({ state, product }: Options): Promise<string | undefined> {
  const isThere = async (name: string): Promise<boolean> =>
    (await lstat(join(state, name)).catch(() => undefined)) !== undefined;
  const [ofOne, ofMany] = [await isThere(STATE_FILE), await isThere(DATABASE_FILE)];
  if (product === undefined && ofOne && !ofMany)
    return `${state} holds the memory of one product: name it with --product`;
  if (product !== undefined && ofMany && !ofOne)
    return `${state} holds the memory of a deployment: leave --product out`;
  return undefined;
}

type Asked = { readonly host: Host; readonly conclude: Conclude };

async function serveDeployment(shared: Shared, options: Options, asked: Asked): Promise<void> {
  const { state } = options;
  const database = await openStateDatabase(join(state, DATABASE_FILE));
  const make = (product: string): RolloutSigner =>
    signerOf(shared, { product, memory: database.memoryOf(product), books: join(state, 'books', product) });
  // Of a product with a CA there is one signer for all of its verbs: what is admitted by one counts for the others at once.
  const withCa = new Map([...shared.cas.keys()].map((product) => [product, make(product)]));
  const deployment = openDeployment({ database, signerOf: (product) => withCa.get(product) ?? make(product) });
  const identities = new Map(
    [...withCa].map(([product, signer]) => [
      product,
      identityVerbsOf(signer, join(state, 'identities', product), { shared, options, host: asked.host }),
    ]),
  );
  const verbsOf: Served['verbsOf'] = (product) => {
    const verbs = deployment.verbsOf(product);
    return verbs && new Map([...verbs, ...(identities.get(product) ?? [])]);
  };
  const look: Served['look'] = async ({ inTurn }, now) => {
    const { faults } = await deployment.doDue(now, inTurn);
    return faults.map((fault) => ({ event: 'due-refused', ...fault }));
  };
  const ends: Served['ends'] = async (metrics, at) => {
    const all = await deploymentEnds(database.states(), at);
    metrics.lookedAtAll(all, at.now);
    return all.warnings;
  };
  try {
    await serve({ ...deployment, verbsOf, look, ends }, options, asked);
  } finally {
    database.close();
  }
}

async function serveProduct(
  shared: Shared,
  options: Options & { readonly product: string },
  asked: Asked,
): Promise<void> {
  const { state, product } = options;
  const path = join(state, STATE_FILE);
  const signer = signerOf(shared, { product, memory: signerMemoryFile(path), books: join(state, 'books') });
  const identities = identityVerbsOf(signer, join(state, 'identities'), { shared, options, host: asked.host });
  const verbs = new Map([...signerVerbs(signer), ...identities]);
  await asDaemon(path, () => serve(oneProduct(signer, verbs), options, asked));
}

/** The verbs of identities of a product; none where it has no CA. */
function identityVerbsOf(
  signer: RolloutSigner,
  ledger: string,
  { shared, options, host }: { readonly shared: Shared; readonly options: Options; readonly host: Host },
): VerbTable {
  const caSigner = shared.cas.get(signer.publishing.product);
  if (caSigner === undefined) return new Map();
  return openIdentityVerbs(signer, { caSigner, ledger, certificateHours: options.certificateHours }, host);
}

/** One product, at `/VERB` and `/r/PRODUCT/VERB`. */
function oneProduct(signer: RolloutSigner, verbs: VerbTable): Served {
  const { product } = signer.publishing;
  return {
    verbs,
    product,
    verbsOf: (name) => (name === product ? verbs : undefined),
    look: async (daemon, now) => {
      const done = await daemon.inTurn(() => doDue(signer, now));
      return done.ok ? [] : [{ event: 'due-refused', code: done.code, detail: done.detail }];
    },
    ends: async (metrics, at) => {
      const published = await readCurrent(signer.publishing);
      const ends = published.ok ? roleEnds(published.value) : [];
      metrics.looked({ product, ends, now: at.now });
      const missing = published.ok ? missingKeys(published.value, signer.publishing.onlineSigners) : [];
      metrics.keysMissing(product, missing);
      return [...endWarnings(product, ends, at), ...keyWarnings(product, missing, at)];
    },
  };
}

/** Serves until the process is asked to end. Whatever ends it closes the socket first: nobody is answered without its lock. */
async function serve(served: Served, options: Options, { host, conclude }: Asked): Promise<void> {
  const { socket, metrics: place } = options;
  const metrics = signerMetrics(() => daemon.waiting());
  const { verbs, verbsOf, product, productBodyBytesMax } = served;
  const daemon = await serveVerbs({
    ...{ socketPath: socket, product, productBodyBytesMax, now: host.now },
    verbs: metrics.measured(verbs),
    verbsOf: verbsOf && ((name) => mapped(verbsOf(name), metrics.measured)),
    log: (line) => host.say(`${line}\n`),
  });
  try {
    const shown = place && (await serveMetrics(place, metrics.text));
    try {
      conclude(accept({ facts: { socket, metricsPort: shown?.port }, text: `The signer listens at ${socket}` }));
      await keepLooking(served, options, { host, daemon, metrics });
    } finally {
      await shown?.close();
    }
  } finally {
    await daemon.close();
  }
}

/** Does what is due, look by look, until the process is asked to end. */
async function keepLooking(
  { look, ends }: Served,
  { lookMs }: Options,
  { host, daemon, metrics }: { readonly host: Host; readonly daemon: RunningDaemon; readonly metrics: SignerMetrics },
): Promise<void> {
  const told = new Map<string, number>();
  let failed = 0;
  while (!host.stop.aborted) {
    const faults = await lookOnce(() => look(daemon, host.now()));
    for (const fault of faults) metrics.lookFailed(fault.code);
    for (const line of [...faults, ...(await lookAtEnds(ends, metrics, { now: host.now(), told }))]) {
      host.say(`${JSON.stringify(line)}\n`);
    }
    failed = faults.length === 0 ? 0 : failed + 1;
    await wait(nextLookMs(failed, lookMs), undefined, { signal: host.stop }).catch(() => undefined);
  }
}

function mapped<T>(value: T | undefined, map: (value: T) => T): T | undefined {
  return value === undefined ? undefined : map(value);
}

/** What is to be told of roles that end soon; where it cannot be looked at, the look for what is due has told why. */
async function lookAtEnds(ends: Served['ends'], metrics: SignerMetrics, at: EndsAt): Promise<readonly Warning[]> {
  try {
    return await ends(metrics, at);
  } catch (fault) {
    if (!(fault instanceof OperationError)) throw fault;
    return [];
  }
}

/** What `look` tells, or that it failed for now. */
async function lookOnce(look: () => Promise<readonly LookFault[]>): Promise<readonly LookFault[]> {
  try {
    return await look();
  } catch (fault) {
    if (!(fault instanceof OperationError)) throw fault;
    return [{ event: 'due-failed', code: fault.code, detail: fault.message }];
  }
}

async function openShared(options: Options, host: Host): Promise<Verdict<Shared>> {
  const store = await openObjectStore(options);
  if (!store.ok) return store;
  const onlineSigners: Signer[] = [];
  for (const [index, file] of options.key.entries()) {
    const from = { file, passphraseFile: options.passphraseFile[index] };
    const opened = await openSigner(await readInput(file), from, host);
    if (!opened.ok) return opened;
    onlineSigners.push(opened.value);
  }
  const cas = await openCaSigners(options, { served: options.product, online: onlineSigners }, host);
  return cas.ok ? accept({ store: store.value, onlineSigners, cas: cas.value, vouchedTime: options.clockIs }) : cas;
}

function signerOf(
  { store, onlineSigners, vouchedTime }: Shared,
  of: { readonly product: string; readonly memory: SignerMemory; readonly books: string },
): RolloutSigner {
  const books = bookStoreFolder(of.books);
  const publishing = { store, memory: of.memory, product: of.product, onlineSigners, vouchedTime };
  const publish = publishQueue(publishing);
  return { publishing, publish, books, register: deviceRegister(books), open: new Map() };
}
