/**
 * `firmament gc`: removes from a store what no device and no publisher can need any more.
 *
 * - By default it only shows what would go; it removes with `--delete`.
 * - It looks at everything of a product first, and removes nothing from one that is damaged, cut, or not the one that the signer remembers.
 */
import assert from 'node:assert';
import type { Command } from 'commander';
import { accept, reject, type Rejected, type Verdict } from '../formats/verdict.ts';
import { planGarbage, removeGarbage, type Garbage } from '../signer/care/collect-garbage.ts';
import { orUnreadable } from '../signer/care/published-source.ts';
import { checkSignature } from '../signer/signature-check-node.ts';
import { openCareStore, type CareStore } from './care-store.ts';
import {
  addCaredOptions,
  withCaredProducts,
  type CaredOptions,
  type CaredProduct,
  type CaredProducts,
} from './cared-products.ts';
import { countValue, daysValue } from './option-values.ts';
import { addStoreOptions, type StoreOptions } from './store-option.ts';
import type { Answer, Conclude, Host } from './verb.ts';
import { visible } from './visible-text.ts';

type Options = StoreOptions &
  CaredOptions & {
    readonly versions: number;
    readonly days: number;
    readonly incomingDays: number;
    readonly delete?: boolean;
  };

const DAY_MS = 86_400_000;
/** Refused products that an answer names. */
const NAMED_MAX = 1000;

/** Adds the verb. */
export function defineGc(command: Command, host: Host, conclude: Conclude): void {
  addCaredOptions(addStoreOptions(command))
    .option('--versions <count>', 'how many of the newest snapshots keep all that they name', countValue, 10)
    .option('--days <days>', 'whatever is younger stays', daysValue, 30 * DAY_MS)
    .option('--incoming-days <days>', 'uploads in incoming/ that are younger stay', daysValue, 90 * DAY_MS)
    .option('--delete', 'remove it; without this it is only shown')
    .action(async (options: Options) => {
      if (options.state === undefined) command.error("error: the signer's --state is expected", { exitCode: 64 });
      conclude(await withCaredProducts(command, options, (cared) => collect(cared, options, host)));
    });
}

async function collect(cared: CaredProducts, options: Options, host: Host): Promise<Verdict<Answer>> {
  const store = await openCareStore(options);
  if (!store.ok) return store;
  const scene = { store: store.value, options, host };
  if (cared.isDeployment) return collectAll(cared.products, scene);
  const [one] = cared.products;
  assert(one !== undefined, 'one product was named');
  const collected = await collectOne(one, scene);
  return collected.ok ? accept(answer(collected.value)) : collected;
}

type Scene = { readonly store: CareStore; readonly options: Options; readonly host: Host };
type Collected = Garbage & { readonly removed: number };

async function collectOne(
  { repository: named, memory }: CaredProduct,
  { store, options, host }: Scene,
): Promise<Verdict<Collected>> {
  assert(memory !== undefined, 'a state was asked for');
  const repository = await named();
  if (!repository.ok) return repository;
  const rules = { versionsMin: options.versions, ageMs: options.days, incomingAgeMs: options.incomingDays };
  const garbage = await planGarbage({
    ...{ source: store.source, list: store.list, memory, rules },
    repository: repository.value,
    check: checkSignature,
    now: host.now(),
    limits: { peopleMs: 0, onlineMs: 0 },
  });
  if (!garbage.ok || options.delete !== true) return garbage.ok ? accept({ ...garbage.value, removed: 0 }) : garbage;
  const removed = await removeGarbage({ memory }, garbage.value, store.remover());
  return removed.ok ? accept({ ...garbage.value, removed: removed.value }) : removed;
}

/** One product after the other; from one that is refused nothing is removed, and the others are collected all the same. */
async function collectAll(products: readonly CaredProduct[], scene: Scene): Promise<Verdict<Answer>> {
  const sums = { garbage: 0, bytes: 0, removed: 0 };
  const refused: string[] = [];
  let first: Rejected | undefined;
  for (const each of products) {
    const collected = await orUnreadable(() => collectOne(each, scene));
    if (!collected.ok) {
      refused.push(each.product);
      first ??= collected;
      scene.host.say(`${each.product}: ${collected.code}: ${collected.detail}\n`);
      continue;
    }
    const { objects, removed } = collected.value;
    sums.garbage += objects.length;
    sums.bytes += bytesOf(objects);
    sums.removed += removed;
    if (objects.length > 0) scene.host.say(`${each.product}: ${answer(collected.value).text}\n`);
  }
  const text = `${products.length} products, ${sums.garbage} objects, ${sums.bytes} bytes; ${sums.removed} removed`;
  if (first === undefined) return accept({ facts: { products: products.length, ...sums }, text });
  const names = refused.slice(0, NAMED_MAX).join(' ');
  return reject(first.code, `${text}; nothing was removed from ${refused.length} products: ${names}`);
}

function answer({ objects, removed }: Collected): Answer {
  const names = objects.map(({ name }) => name);
  const bytes = bytesOf(objects);
  const verb = removed === 0 && names.length > 0 ? 'could go; --delete removes them' : 'removed';
  const text = [`${names.length} objects, ${bytes} bytes: ${verb}`, ...names.map(visible)].join('\n  ');
  return { facts: { garbage: names, bytes, removed }, text };
}

function bytesOf(objects: Garbage['objects']): number {
  return objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
