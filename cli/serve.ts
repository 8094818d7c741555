/** `firmament serve`: the data plane over a published repository, until the process is asked to end. */
import { once } from 'node:events';
import type { Command } from 'commander';
import { accept } from '../formats/verdict.ts';
import { serve } from '../ota-server/listen.ts';
import { signerClient } from '../ota-server/signer-client.ts';
import { portValue } from './option-values.ts';
import { addStoreOptions, openArtifactStore, type StoreOptions } from './store-option.ts';
import type { Conclude, Host } from './verb.ts';

type Options = StoreOptions & { readonly port: number; readonly host: string; readonly signer?: string };

/** How long the signer may take over a word: a publication may stand before it. */
const ANSWER_MS_MAX = 10_000;

/** Adds the verb. */
export function defineServe(command: Command, host: Host, conclude: Conclude): void {
  addStoreOptions(command)
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <number>', 'the port; 0 lets the system choose', portValue, 8080)
    .option('--signer <socket>', 'the signer that hears what devices say at /checkin')
    .action(async (options: Options) => {
      const store = await openArtifactStore(options);
      if (!store.ok) return conclude(store);
      const server = await serve({
        store: store.value,
        host: options.host,
        port: options.port,
        signer: options.signer === undefined ? undefined : signerClient(options.signer, ANSWER_MS_MAX),
        log: (event) => host.say(`${JSON.stringify(event)}\n`),
      });
      const url = `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${server.port}/r/`;
      conclude(accept({ facts: { url, port: server.port }, text: `Serving at ${url}` }));
      if (!host.stop.aborted) await once(host.stop, 'abort');
      await server.close();
    });
}
