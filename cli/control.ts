/** `firmament control`: the control plane, where workflows propose, until the process is asked to end. */
import { once } from 'node:events';
import type { Command } from 'commander';
import { accept, type Verdict } from '../formats/verdict.ts';
import { issuerKeysHttp } from '../ota-server/issuer-keys-http.ts';
import { proposalStoreFolder } from '../ota-server/proposal-store-folder.ts';
import { proposalStoreSql } from '../ota-server/proposal-store-sql.ts';
import type { ProposalStore } from '../ota-server/proposal-store.ts';
import type { ProposerRule } from '../ota-server/proposer-rule.ts';
import { createRateLimit } from '../ota-server/rate-limit.ts';
import { serveControl } from '../ota-server/serve-control.ts';
import { uploadDeskBucket } from '../ota-server/upload-desk-bucket.ts';
import { uploadDeskFolder, type FolderDesk } from '../ota-server/upload-desk-folder.ts';
import type { UploadDesk } from '../ota-server/upload-desk.ts';
import { UPLOAD_KEY_BYTES } from '../ota-server/upload-permission.ts';
import { addDatabaseOptions, withDatabase, type DatabaseOptions } from './database-option.ts';
import { countValue, portValue } from './option-values.ts';
import { proposerValue } from './proposer-value.ts';
import { STORE_LIMITS } from './store-limits.ts';
import { addStoreOptions, openBucketAt, type StoreOptions } from './store-option.ts';
import type { Conclude, Host } from './verb.ts';

type Options = StoreOptions &
  DatabaseOptions & {
    readonly state: string;
    readonly audience: string;
    readonly proposer: readonly ProposerRule[];
    readonly uploadMinutes: number;
    readonly port: number;
    readonly host: string;
  };

/** What takes the uploads; `receive` where the control plane does so itself. */
type Uploads = { readonly uploads: UploadDesk; readonly receive: FolderDesk['receive'] | undefined };

const UPLOAD_MINUTES = 60;
const MINUTE_MS = 60_000;
/** Proposals and completions of one subject: thirty at once, then one in two minutes. */
const RATE = { burst: 30, refillMs: 120_000 };

/** Adds the verb. */
export function defineControl(command: Command, host: Host, conclude: Conclude): void {
  addDatabaseOptions(addStoreOptions(command))
    .requiredOption('--state <folder>', 'where proposals are kept, unless a database is named')
    .requiredOption('--audience <text>', 'what a token must be made for, such as the URL of this control plane')
    .requiredOption('--proposer <product,issuer,subject...>', 'whose tokens may propose for which product', proposers)
    .option('--upload-minutes <n>', 'how long the files of a proposal are taken', countValue, UPLOAD_MINUTES)
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <number>', 'the port; 0 lets the system choose', portValue, 8081)
    .action(async (options: Options) => {
      const uploads = await openUploads(options, host);
      if (!uploads.ok) return conclude(uploads);
      const served = await withDatabase(options, async (database) => {
        const proposals = database === undefined ? proposalStoreFolder(options.state) : proposalStoreSql(database);
        const server = await serveControl(controlOptions(options, { ...uploads.value, proposals }, host));
        const at = options.host.includes(':') ? `[${options.host}]` : options.host;
        const url = `http://${at}:${server.port}/`;
        conclude(accept({ facts: { url, port: server.port }, text: `Proposals are taken at ${url}` }));
        if (!host.stop.aborted) await once(host.stop, 'abort');
        await server.close();
        return accept(undefined);
      });
      if (!served.ok) conclude(served);
    });
}

/** Adds a rule to those before it. */
function proposers(value: string, former: readonly ProposerRule[] = []): readonly ProposerRule[] {
  return [...former, proposerValue(value)];
}

function controlOptions(
  options: Options,
  { uploads, receive, proposals }: Uploads & { readonly proposals: ProposalStore },
  host: Host,
): Parameters<typeof serveControl>[0] {
  const rules = options.proposer;
  return {
    desk: {
      proposals,
      uploads,
      rate: createRateLimit(RATE),
      uploadMs: options.uploadMinutes * MINUTE_MS,
      randomHex: () => host.newId().replaceAll('-', ''),
    },
    rules,
    tokens: {
      audience: options.audience,
      issuers: new Set(rules.map(({ issuer }) => issuer)),
      keys: issuerKeysHttp(),
    },
    receive,
    log: (event) => host.say(`${JSON.stringify(event)}\n`),
    now: host.now,
    host: options.host,
    port: options.port,
  };
}

/** Uploads into the folder by a key that this process alone has, or into the bucket with the rights of its user. */
async function openUploads(
  { store, storeCredentials }: Options,
  process: Host,
): Promise<Verdict<Uploads, 'CREDENTIALS_REFUSED'>> {
  if ('folder' in store) {
    const key = process.newKey(UPLOAD_KEY_BYTES);
    const desk = uploadDeskFolder(store.folder, key);
    return accept({ uploads: desk, receive: desk.receive });
  }
  const opened = await openBucketAt(store.bucket, storeCredentials, STORE_LIMITS);
  if (!opened.ok) return opened;
  const { tls, host, port, bucket, region } = store.bucket;
  const origin = new URL(`http${tls ? 's' : ''}://${host.includes(':') ? `[${host}]` : host}:${port}`).origin;
  const uploads = uploadDeskBucket(opened.value.bucket, { origin, bucket, region, ...opened.value.credentials });
  return accept({ uploads, receive: undefined });
}
