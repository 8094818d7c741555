/**
 * `firmament fsck`: whether a published repository is whole, by the device's own code, from outside and without a key.
 *
 * - It changes nothing, and goes on past what is damaged; each finding names an object and a code.
 * - Damage is refused with `REPOSITORY_DAMAGED`; a repository with warnings alone is whole.
 * - Of a deployment every product that the signer remembers is checked, one after the other; those with findings are said as it goes.
 */
import assert from 'node:assert';
import type { Command } from 'commander';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { checkRepository, type CheckedRepository } from '../signer/care/check-repository.ts';
import type { Finding } from '../signer/care/finding.ts';
import { orUnreadable } from '../signer/care/published-source.ts';
import { productOfObject } from '../signer/repository-layout.ts';
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

type Options = StoreOptions & CaredOptions & { readonly peopleDays: number; readonly onlineHours: number };

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Names and findings that an answer about a whole deployment carries; beyond, they are said and counted. */
const NAMED_MAX = 1000;

/** Adds the verb. */
export function defineFsck(command: Command, host: Host, conclude: Conclude): void {
  addCaredOptions(addStoreOptions(command))
    .option(
      '--people-days <days>',
      'warn of what people sign when it expires within so many days',
      daysValue,
      21 * DAY_MS,
    )
    .option(
      '--online-hours <hours>',
      'warn of what the signer signs when it expires within so many hours',
      countValue,
      6,
    )
    .action(async (options: Options) =>
      conclude(await withCaredProducts(command, options, (cared) => fsck(cared, options, host))),
    );
}

async function fsck(cared: CaredProducts, options: Options, host: Host): Promise<Verdict<Answer>> {
  const store = await openCareStore(options);
  if (!store.ok) return store;
  if (cared.isDeployment) return fsckAll(cared.products, { store: store.value, options, host });
  const [one] = cared.products;
  assert(one !== undefined, 'one product was named');
  const checked = await fsckOne(one, { store: store.value, options, host });
  if (!checked.ok) return checked;
  const shown = answer(one.product, checked.value);
  if (checked.value.findings.count('damage') === 0) return accept(shown);
  return reject('REPOSITORY_DAMAGED', `${one.product}: ${shown.text}`);
}

type Scene = { readonly store: CareStore; readonly options: Options; readonly host: Host };

async function fsckOne(
  { repository: named, memory }: CaredProduct,
  { store, options, host }: Scene,
): Promise<Verdict<CheckedRepository>> {
  const repository = await named();
  if (!repository.ok) return repository;
  const checked = await checkRepository({
    ...{ source: store.source, list: store.list },
    repository: repository.value,
    check: checkSignature,
    now: host.now(),
    limits: { peopleMs: options.peopleDays, onlineMs: options.onlineHours * HOUR_MS },
    memory: memory && { state: memory.read, log: await memory.readLog() },
  });
  return accept(checked);
}

/** Checks every product; what is held is the count of all findings, and the names of damaged products. */
async function fsckAll(products: readonly CaredProduct[], scene: Scene): Promise<Verdict<Answer>> {
  const sums = { objects: 0, warnings: 0, damaged: 0 };
  const damaged: string[] = [];
  const blame = (product: string, text: string): void => {
    sums.damaged++;
    if (damaged.length < NAMED_MAX) damaged.push(product);
    scene.host.say(`${product}: ${text}\n`);
  };
  for (const each of products) {
    const checked = await orUnreadable(() => fsckOne(each, scene));
    if (!checked.ok) {
      blame(each.product, `${checked.code}: ${checked.detail}`);
      continue;
    }
    const { findings, objects } = checked.value;
    sums.objects += objects;
    sums.warnings += findings.count('warning');
    const { text } = answer(each.product, checked.value);
    if (findings.count('damage') > 0) blame(each.product, text);
    else if (findings.count('warning') > 0) scene.host.say(`${each.product}: ${text}\n`);
  }
  for (const stranger of await strangers(new Set(products.map(({ product }) => product)), scene.store)) {
    sums.warnings++;
    scene.host.say(`${stranger}: SIGNER_STATE_MISSING: the store has it, and this memory knows nothing of it\n`);
  }
  const text = `${products.length} products, ${sums.objects} objects; ${sums.damaged} products damaged, ${sums.warnings} warnings`;
  if (sums.damaged > 0) return reject('REPOSITORY_DAMAGED', `${text}: ${damaged.join(' ')}`);
  return accept({ facts: { products: products.length, ...sums }, text });
}

/** Products that lie in the store and that the memory does not know: another signer's, or lost by this one. */
async function strangers(known: ReadonlySet<string>, { list }: CareStore): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for await (const { name } of list.list('')) {
    const product = productOfObject(name);
    if (product !== undefined && !known.has(product) && found.size < NAMED_MAX) found.add(product);
  }
  return found;
}

function answer(product: string, { findings, objects, roots, targets, logSize }: CheckedRepository): Answer {
  const damaged = findings.count('damage');
  const warnings = findings.count('warning');
  const sums = `${objects} objects, ${roots} roots, ${targets} targets, ${logSize ?? 'no'} entries in the log`;
  const lines = [...findings.all()].sort((a, b) => (a.object < b.object ? -1 : 1)).map(line);
  return {
    facts: { product, objects, roots, targets, logSize, damaged, warnings, findings: findings.all() },
    text: [`${sums}; ${damaged} damaged, ${warnings} warnings`, ...lines].join('\n  '),
  };
}

function line({ level, code, object, detail }: Finding): string {
  return `${level} ${code} ${visible(object)}: ${visible(detail)}`;
}
