/**
 * Which products a verb looks after that keeps repositories whole: one by its root 1, or those of a signer's memory.
 *
 * - The memory of a deployment, a file `*.db`, names all its products with their roots; nothing of them is held but their names.
 * - One product at a time: whoever walks a deployment needs the memory of its largest product.
 */
import type { Command } from 'commander';
import type { RepositoryId } from '../formats/binding.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { repositoryIn } from '../signer/rollout/read-rollout.ts';
import { repositoryIdOf } from '../signer/repository-id.ts';
import { signerMemoryFile } from '../signer/signer-memory-file.ts';
import { openStateDatabase, type StateDatabase } from '../signer/signer-state-database.ts';
import type { SignerMemory } from '../signer/signer-state.ts';
import { readInput } from './files.ts';
import { nameValue } from './option-values.ts';

export type CaredOptions = { readonly rootOne?: string; readonly state?: string; readonly product?: string };
export type CaredProduct = {
  readonly product: string;
  /** What its root 1 founds; a damaged memory throws `OperationError`. */
  readonly repository: () => Promise<Verdict<RepositoryId>>;
  readonly memory: SignerMemory | undefined;
};
export type CaredProducts = {
  readonly products: readonly CaredProduct[];
  /** Whether these are all that the deployment has. */
  readonly isDeployment: boolean;
};

/** Adds `--root-one`, `--state` and `--product`. */
export function addCaredOptions(command: Command): Command {
  return command
    .option('--root-one <file>', 'root version 1 of the one product')
    .option('--state <file>', "the signer's own memory: state.json of one product, state.db of a deployment")
    .option('--product <name>', 'of a deployment this product alone', nameValue);
}

/** Does `work` with the products that `options` name. Misuse ends the command. */
export async function withCaredProducts<T>(
  command: Command,
  options: CaredOptions,
  work: (cared: CaredProducts) => Promise<Verdict<T>>,
): Promise<Verdict<T>> {
  const { rootOne, state, product } = options;
  const isDatabase = state?.endsWith('.db') === true;
  const isUnclear = isDatabase
    ? rootOne !== undefined && product !== undefined
    : rootOne === undefined || product !== undefined;
  if (isUnclear) {
    return command.error(
      'error: either --root-one, or the --state FILE.db of a deployment and perhaps one --product, is expected',
      { exitCode: 64 },
    );
  }
  if (!isDatabase && rootOne !== undefined) {
    const repository = repositoryIdOf(await readInput(rootOne));
    if (!repository.ok) return repository;
    return work({
      products: [founded(repository.value, state === undefined ? undefined : signerMemoryFile(state))],
      isDeployment: false,
    });
  }
  const database = await openStateDatabase(state ?? '', true);
  try {
    const named = rootOne === undefined ? undefined : repositoryIdOf(await readInput(rootOne));
    if (named?.ok === false) return named;
    const one = named?.value.product ?? product;
    const products = one === undefined ? database.products() : [one];
    return await work({
      products: products.map((name) => remembered(database, name, named?.value)),
      isDeployment: one === undefined,
    });
  } finally {
    database.close();
  }
}

function founded(repository: RepositoryId, memory: SignerMemory | undefined): CaredProduct {
  return {
    product: repository.product,
    repository: () => Promise.resolve(accept(repository)),
    memory,
  };
}

function remembered(database: StateDatabase, product: string, named: RepositoryId | undefined): CaredProduct {
  const memory = database.memoryOf(product);
  return {
    product,
    memory,
    repository: async () => {
      const state = await memory.read();
      if (named !== undefined) return accept(named);
      return state === undefined
        ? reject('SIGNER_STATE_MISSING', `the memory knows no product ${product}`)
        : accept(repositoryIn(state));
    },
  };
}
