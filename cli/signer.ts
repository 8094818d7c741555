/**
 * `firmament signer`: the daemon that holds the online keys, behind a unix socket, until the process is asked to end.
 *
 * - It steps rollouts and refreshes the online roles by itself, long before they expire; what is due is looked at in every interval.
 * - Its folder holds its memory and its books, outside of the store; one daemon at a time owns it.
 * - With the key of a CA it issues identities, too (`identity-option.ts`).
 * - A refusal or fault of what it does by itself is told, and done again at the next look.
 */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { OperationError } from '../formats/operation-error.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { bookStoreFolder } from '../signer/book-store-folder.ts';
import { serveVerbs, type RunningDaemon } from '../signer/daemon/serve-verbs-http.ts';
import { doDue, signerVerbs } from '../signer/daemon/signer-verbs.ts';
import { deviceRegister } from '../signer/identity/device-register.ts';
import type { VerbTable } from '../signer/daemon/verb-table.ts';
import type { RolloutSigner } from '../signer/rollout/run-rollout.ts';
import { signerMemoryFile } from '../signer/signer-memory-file.ts';
import type { Signer } from '../signer/signer.ts';
import { asDaemon } from '../signer/state-owner.ts';
import { readInput } from './files.ts';
import { addIdentityOptions, openIdentityVerbs, type IdentityOptions } from './identity-option.ts';
import { openSigner } from './open-signer.ts';
import { millisecondsValue, nameValue } from './option-values.ts';
import { addStoreOptions, openObjectStore, type StoreOptions } from './store-option.ts';
import type { Conclude, Host } from './verb.ts';

type Options = StoreOptions &
  IdentityOptions & {
    readonly socket: string;
    readonly product: string;
    readonly state: string;
    readonly key: readonly string[];
    readonly passphraseFile: readonly string[];
    readonly lookMs: number;
  };

/** Adds the verb. */
export function defineSigner(command: Command, host: Host, conclude: Conclude): void {
  addIdentityOptions(addStoreOptions(command))
    .requiredOption('--socket <path>', 'where it listens: a unix socket for its owner alone')
    .requiredOption('--product <name>', 'the product', nameValue)
    .requiredOption('--state <folder>', 'its memory and its books, outside of the store')
    .requiredOption(
      '--key <file...>',
      'the keys of snapshot and timestamp, of rollouts, and of the log where root demands one',
    )
    .option('--passphrase-file <file...>', 'where their passphrases stand, in the same order', [])
    .option('--look-ms <ms>', 'how often it looks for what is due', millisecondsValue, 60_000)
    .action(async (options: Options) => {
      const signer = await openRolloutSigner(options, host);
      if (!signer.ok) return conclude(signer);
      const identities = await openIdentityVerbs(options, signer.value, host);
      if (!identities.ok) return conclude(identities);
      const verbs = new Map([...signerVerbs(signer.value), ...identities.value]);
      await asDaemon(stateFile(options), () => serve(signer.value, { ...options, verbs }, { host, conclude }));
    });
}

async function serve(
  signer: RolloutSigner,
  { socket, lookMs, verbs }: Options & { readonly verbs: VerbTable },
  { host, conclude }: { readonly host: Host; readonly conclude: Conclude },
): Promise<void> {
  const log = (line: string): void => host.say(`${line}\n`);
  const daemon = await serveVerbs({ socketPath: socket, verbs, now: host.now, log });
  conclude(accept({ facts: { socket }, text: `The signer listens at ${socket}` }));
  while (!host.stop.aborted) {
    await look(daemon, signer, { now: host.now, log });
    await wait(lookMs, undefined, { signal: host.stop }).catch(() => undefined);
  }
  await daemon.close();
}

/** Does what is due, in turn with the verbs. */
async function look(
  daemon: RunningDaemon,
  signer: RolloutSigner,
  { now, log }: { readonly now: () => number; readonly log: (line: string) => void },
): Promise<void> {
  try {
    const done = await daemon.inTurn(() => doDue(signer, now()));
    if (!done.ok) log(JSON.stringify({ event: 'due-refused', code: done.code, detail: done.detail }));
  } catch (fault) {
    if (!(fault instanceof OperationError)) throw fault;
    log(JSON.stringify({ event: 'due-failed', code: fault.code, detail: fault.message }));
  }
}

async function openRolloutSigner(options: Options, host: Host): Promise<Verdict<RolloutSigner>> {
  const store = await openObjectStore(options);
  if (!store.ok) return store;
  const onlineSigners: Signer[] = [];
  for (const [index, file] of options.key.entries()) {
    const from = { file, passphraseFile: options.passphraseFile[index] };
    const opened = await openSigner(await readInput(file), from, host);
    if (!opened.ok) return opened;
    onlineSigners.push(opened.value);
  }
  const books = bookStoreFolder(join(options.state, 'books'));
  const memory = signerMemoryFile(stateFile(options));
  const publishing = { store: store.value, memory, product: options.product, onlineSigners };
  return accept({ publishing, books, register: deviceRegister(books), open: new Map() });
}

/** Where the daemon keeps its memory: what `firmament publish` is given as `--state`. */
function stateFile({ state }: Options): string {
  return join(state, 'state.json');
}
