/** `firmament serve`: the data plane over a published repository, until the process is asked to end; the front of EST beside it. */
import { once } from 'node:events';
import type { Command } from 'commander';
import type { DeviceState } from '../formats/device-state.ts';
import { accept } from '../formats/verdict.ts';
import type { ArtifactStore } from '../ota-server/artifact-store.ts';
import type { Database } from '../ota-server/database.ts';
import { createInventoryWriter } from '../ota-server/inventory-writer.ts';
import { serve, type RunningServer } from '../ota-server/listen.ts';
import { serveEst } from '../ota-server/serve-est.ts';
import type { EventSink } from '../ota-server/server-event.ts';
import { signerClient, type SignerClient } from '../ota-server/signer-client.ts';
import { addDatabaseOptions, withDatabase, type DatabaseOptions } from './database-option.ts';
import { nameValue, portValue } from './option-values.ts';
import { addStoreOptions, openArtifactStore, type StoreOptions } from './store-option.ts';
import type { Conclude, Host } from './verb.ts';

type Options = StoreOptions &
  DatabaseOptions & {
    readonly port: number;
    readonly host: string;
    readonly signer?: string;
    readonly estPort?: number;
    readonly product?: string;
  };

/** How long the signer may take over a word: a publication may stand before it. */
const ANSWER_MS_MAX = 10_000;

/** Adds the verb. */
export function defineServe(command: Command, host: Host, conclude: Conclude): void {
  addDatabaseOptions(addStoreOptions(command))
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <number>', 'the port; 0 lets the system choose', portValue, 8080)
    .option('--signer <socket>', 'the signer that hears what devices say at /checkin')
    .option(
      '--est-port <number>',
      "the port where devices of --product ask for identities (EST); the signer's CA answers",
      portValue,
    )
    .option('--product <name>', 'the product of --est-port', nameValue)
    .action(async (options: Options) => {
      const { signer: socket, estPort, product } = options;
      if ((estPort === undefined) !== (product === undefined) || (estPort !== undefined && socket === undefined)) {
        command.error('--est-port needs --product and --signer');
      }
      const store = await openArtifactStore(options);
      if (!store.ok) return conclude(store);
      const served = await withDatabase(options, async (database) => {
        await serveUntilStopped(store.value, options, { host, conclude, database });
        return accept(undefined);
      });
      if (!served.ok) conclude(served);
    });
}

async function serveUntilStopped(
  store: ArtifactStore,
  options: Options,
  to: { readonly host: Host; readonly conclude: Conclude; readonly database: Database | undefined },
): Promise<void> {
  const { host, conclude, database } = to;
  const { signer: socket, product } = options;
  const log: EventSink = (event) => host.say(`${JSON.stringify(event)}\n`);
  const signer = socket === undefined ? undefined : signerClient(socket, ANSWER_MS_MAX);
  const writer = database && createInventoryWriter(database, log);
  const inventory = writer && ((state: DeviceState): void => writer.take(state, host.now()));
  const opened: RunningServer[] = [];
  try {
    const server = await serve({ store, host: options.host, port: options.port, signer, inventory, log });
    opened.push(server);
    const ofProduct = socket === undefined ? undefined : signerClient(socket, ANSWER_MS_MAX, product);
    const front = await openFront(options, { signer: ofProduct, log, now: host.now });
    if (front !== undefined) opened.push(front);
    const at = options.host.includes(':') ? `[${options.host}]` : options.host;
    const url = `http://${at}:${server.port}/r/`;
    const est = front && `http://${at}:${front.port}/.well-known/est/${product ?? ''}/`;
    const text = `Serving at ${url}${est === undefined ? '' : `, identities at ${est}`}`;
    conclude(accept({ facts: { url, port: server.port, est }, text }));
    if (!host.stop.aborted) await once(host.stop, 'abort');
  } finally {
    await Promise.all(opened.map((each) => each.close()));
    await writer?.close();
  }
}

async function openFront(
  { host, estPort: port, product }: Options,
  {
    signer,
    log,
    now,
  }: { readonly signer: SignerClient | undefined; readonly log: EventSink; readonly now: Host['now'] },
): Promise<RunningServer | undefined> {
  return signer === undefined || port === undefined || product === undefined
    ? undefined
    : serveEst({ host, port, product, signer, log, now });
}
