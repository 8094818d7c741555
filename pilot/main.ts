/** `npm start`: runs the chain, shows it, and stays up with a status page until it is stopped. */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { portValue } from '../cli/option-values.ts';
import { storeValue } from '../cli/store-address.ts';
import { openAccount } from './account.ts';
import { runChain } from './chain.ts';
import { PROJECT } from './child.ts';
import { openPublishedStore } from './published-store.ts';
import { servePushes, YOUR_TURN } from './push-desk.ts';
import { openPilotStatus } from './status/pilot-status.ts';
import { serveStatus } from './status/serve-status.ts';

type Options = {
  readonly once?: true;
  readonly json?: true;
  readonly port: number;
  readonly store?: string;
  readonly storeCredentials?: string;
};

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

const command = new Command('npm start --')
  .description('runs the whole chain on this machine, from source to a verified start')
  .option('--once', 'exit after the table')
  .option('--json', 'a JSON line a step')
  .option('--port <number>', 'port of the status page; 0 lets the system choose', portValue, 0)
  .option('--store <where>', 'publish into an empty bucket, s3+http(s)://HOST:PORT/BUCKET', checkedStore)
  .option('--store-credentials <file>', 'for a bucket: {"accessKey":"…","secretKey":"…"}, readable by you alone')
  .exitOverride()
  .showHelpAfterError();

try {
  command.parse(process.argv);
  process.exitCode = await pilot(command.opts<Options>());
} catch (fault) {
  if (fault instanceof CommanderError) process.exitCode = fault.exitCode === 0 ? 0 : 64;
  else {
    process.stderr.write(`firmament: ${fault instanceof Error ? fault.message : 'an unknown fault'}\n`);
    process.exitCode = 1;
  }
}

/** Misuse shows the usage before anything runs; the verbs read the text anew. */
function checkedStore(value: string): string {
  storeValue(value);
  return value;
}

async function pilot(options: Options): Promise<number> {
  const runs = join(PROJECT, '.run');
  await mkdir(runs, { recursive: true });
  const folder = await mkdtemp(join(runs, 'pilot-'));
  const account = openAccount((text) => void process.stdout.write(text), options.json === true);
  const status = openPilotStatus(account, stop.signal);
  const { onDeviceEvent, onRelease, onServer } = status;
  try {
    const startedAt = Date.now();
    const store = await openPublishedStore(options.store ?? join(folder, 'store'), options.storeCredentials);
    const chain = await runChain({ folder, store, account, now: Date.now, onDeviceEvent, onRelease }, onServer);
    account.showTable();
    account.say(`The chain took ${((Date.now() - startedAt) / 1000).toFixed(1)} s. Files: ${folder}`);
    if (options.once !== true) {
      const page = await serveStatus(status.now, options.port);
      const endPushes = await servePushes(folder, { take: chain.push, signer: chain.signer });
      account.say(`Status: ${page.url}   Repository: ${status.repositoryUrl()}   End with Ctrl+C.\n${YOUR_TURN}`);
      if (!stop.signal.aborted) await once(stop.signal, 'abort');
      await endPushes();
      await page.close();
    }
    await chain.stop();
    return 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
