/**
 * `firmament fsck`: whether a published repository is whole, by the device's own code, from outside and without a key.
 *
 * - It changes nothing, and goes on past what is damaged; each finding names an object and a code.
 * - Damage is refused with `REPOSITORY_DAMAGED`; a repository with warnings alone is whole.
 */
import type { Command } from 'commander';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { checkRepository, type CheckedRepository } from '../signer/care/check-repository.ts';
import type { Finding } from '../signer/care/finding.ts';
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
  readonly state?: string;
  readonly peopleDays: number;
  readonly onlineHours: number;
};

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Adds the verb. */
export function defineFsck(command: Command, host: Host, conclude: Conclude): void {
  addStoreOptions(command)
    .requiredOption('--root-one <file>', 'root version 1 of the product')
    .option('--state <file>', "the signer's own memory, to hold the store against")
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
    .action(async (options: Options) => conclude(await fsck(options, host)));
}

async function fsck(options: Options, host: Host): Promise<Verdict<Answer>> {
  const repository = repositoryIdOf(await readInput(options.rootOne));
  if (!repository.ok) return repository;
  const store = await openCareStore(options);
  if (!store.ok) return store;
  const memory = options.state === undefined ? undefined : signerMemoryFile(options.state);
  const checked = await checkRepository({
    ...{ source: store.value.source, list: store.value.list },
    repository: repository.value,
    check: checkSignature,
    now: host.now(),
    limits: { peopleMs: options.peopleDays, onlineMs: options.onlineHours * HOUR_MS },
    memory: memory && { state: memory.read, log: await memory.readLog() },
  });
  const { product } = repository.value;
  const shown = answer(product, checked);
  if (checked.findings.count('damage') === 0) return accept(shown);
  return reject('REPOSITORY_DAMAGED', `${product}: ${shown.text}`);
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
