/**
 * `firmament gc`: removes from a store what no device and no publisher can need any more.
 *
 * - By default it only shows what would go; it removes with `--delete`.
 * - It looks at everything first, and removes nothing from a store that is damaged, cut, or not the one that the signer remembers.
 */
import type { Command } from 'commander';
import { accept, type Verdict } from '../formats/verdict.ts';
import { planGarbage, removeGarbage, type Garbage } from '../signer/care/collect-garbage.ts';
import { repositoryIdOf } from '../signer/repository-id.ts';
import { checkSignature } from '../signer/signature-check-node.ts';
import { signerMemoryFile } from '../signer/signer-memory-file.ts';
import { openCareStore } from './care-store.ts';
import { readInput } from './files.ts';
import { countValue, daysValue } from './option-values.ts';
import { addStoreOptions, type StoreOptions } from './store-option.ts';
import type { Answer, Conclude, Host } from './verb.ts';
import { visible } from './visible-text.ts';

type Options = StoreOptions & {
  readonly rootOne: string;
  readonly state: string;
  readonly versions: number;
  readonly days: number;
  readonly incomingDays: number;
  readonly delete?: boolean;
};

const DAY_MS = 86_400_000;

/** Adds the verb. */
export function defineGc(command: Command, host: Host, conclude: Conclude): void {
  addStoreOptions(command)
    .requiredOption('--root-one <file>', 'root version 1 of the product')
    .requiredOption('--state <file>', "the signer's own memory")
    .option('--versions <count>', 'how many of the newest snapshots keep all that they name', countValue, 10)
    .option('--days <days>', 'whatever is younger stays', daysValue, 30 * DAY_MS)
    .option('--incoming-days <days>', 'uploads in incoming/ that are younger stay', daysValue, 90 * DAY_MS)
    .option('--delete', 'remove it; without this it is only shown')
    .action(async (options: Options) => conclude(await collect(options, host)));
}

async function collect(options: Options, host: Host): Promise<Verdict<Answer>> {
  const repository = repositoryIdOf(await readInput(options.rootOne));
  if (!repository.ok) return repository;
  const store = await openCareStore(options);
  if (!store.ok) return store;
  const memory = signerMemoryFile(options.state);
  const rules = { versionsMin: options.versions, ageMs: options.days, incomingAgeMs: options.incomingDays };
  const garbage = await planGarbage({
    ...{ source: store.value.source, list: store.value.list, memory, rules },
    repository: repository.value,
    check: checkSignature,
    now: host.now(),
    limits: { peopleMs: 0, onlineMs: 0 },
  });
  if (!garbage.ok) return garbage;
  if (options.delete !== true) return accept(answer(garbage.value, 0));
  const removed = await removeGarbage({ memory }, garbage.value, store.value.remover());
  return removed.ok ? accept(answer(garbage.value, removed.value)) : removed;
}

function answer({ objects }: Garbage, removed: number): Answer {
  const names = objects.map(({ name }) => name);
  const bytes = objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const verb = removed === 0 && names.length > 0 ? 'could go; --delete removes them' : 'removed';
  const text = [`${names.length} objects, ${bytes} bytes: ${verb}`, ...names.map(visible)].join('\n  ');
  return { facts: { garbage: names, bytes, removed }, text };
}
