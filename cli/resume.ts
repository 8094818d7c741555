/**
 * `firmament resume`: has a signer go on whose folder was restored from a backup.
 *
 * - It takes the newer of memory and store for every product, holds that against mirrors and checkpoints, and shows what it has found.
 * - Only with the digest of what it showed it writes: that nothing newer was ever published, a person says.
 * - A product that was founded after the backup is taken up from the store, by its root 1.
 */
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { RepositoryId } from '../formats/binding.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { DATABASE_FILE, STATE_FILE } from '../signer/backup/kept-files.ts';
import {
  resumeProducts,
  type ResumeMemory,
  type ResumePlan,
  type ResumeScene,
  type SeenStore,
} from '../signer/backup/resume-products.ts';
import { repositoryIdOf } from '../signer/repository-id.ts';
import { checkSignature } from '../signer/signature-check-node.ts';
import { signerMemoryFile } from '../signer/signer-memory-file.ts';
import { openStateDatabase } from '../signer/signer-state-database.ts';
import { openCareStore } from './care-store.ts';
import { readInput } from './files.ts';
import { digestValue } from './option-values.ts';
import { addStoreOptions, type StoreOptions } from './store-option.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = StoreOptions & {
  readonly state: string;
  readonly mirror: readonly string[];
  readonly checkpoint: readonly string[];
  readonly rootOne: readonly string[];
  readonly elsewhere: readonly string[];
  readonly confirm?: string;
};

/** Adds the verb. */
export function defineResume(command: Command, host: Host, conclude: Conclude): void {
  addStoreOptions(command)
    .requiredOption('--state <folder>', 'the folder that was restored')
    .option('--mirror <folder...>', 'mirrors: none may have seen more than the store', [])
    .option('--checkpoint <file...>', 'checkpoints of logs from witnesses, mirrors or devices', [])
    .option('--root-one <file...>', 'root version 1 of products that were founded after the backup', [])
    .option('--elsewhere <product...>', 'products in the store that another signer serves', [])
    .option('--confirm <sha256>', 'the digest of what it showed: nothing newer was ever published', digestValue)
    .action(async (options: Options) => conclude(await resume(options, host)));
}

async function resume(options: Options, host: Host): Promise<Verdict<Answer>> {
  const scene = await openScene(options, host);
  if (!scene.ok) return scene;
  const asked = {
    confirmed: options.confirm,
    show: ({ lines, digest }: ResumePlan) =>
      host.say(
        `The newest that was found:\n  ${lines.join('\n  ')}\nIf nothing newer was ever published, say so: --confirm ${digest}\n`,
      ),
  };
  const resumed = await withMemory(options.state, (memory) => resumeProducts(memory, scene.value, asked));
  if (!resumed.ok) return resumed;
  const text = `${resumed.value.resumed} products go on\n  next: start the signer; its next publications have versions far above those before`;
  return accept({ facts: { ...resumed.value }, text });
}

/** Does `work` with whichever memory the folder holds. */
async function withMemory<T>(folder: string, work: (memory: ResumeMemory) => Promise<Verdict<T>>): Promise<Verdict<T>> {
  const file = join(folder, STATE_FILE);
  if (!existsSync(join(folder, DATABASE_FILE))) {
    const memory = signerMemoryFile(file);
    const product = (await memory.read())?.product;
    if (product === undefined) return reject('SIGNER_STATE_MISSING', `${folder} holds no memory of a signer`);
    return work({ products: [product], memoryOf: () => memory });
  }
  const database = await openStateDatabase(join(folder, DATABASE_FILE), true);
  try {
    const { memoryOf } = database;
    return await work({ products: database.products(), memoryOf, release: database.release });
  } finally {
    database.close();
  }
}

async function openScene(options: Options, { now }: Host): Promise<Verdict<ResumeScene>> {
  const store = await openCareStore(options);
  if (!store.ok) return store;
  const mirrors: SeenStore[] = [];
  for (const folder of options.mirror) {
    const mirror = await openCareStore({ store: { folder } });
    if (!mirror.ok) return mirror;
    mirrors.push({ ...mirror.value, by: `the mirror ${folder}` });
  }
  const founded: RepositoryId[] = [];
  for (const file of options.rootOne) {
    const repository = repositoryIdOf(await readInput(file));
    if (!repository.ok) return repository;
    founded.push(repository.value);
  }
  return accept({
    store: { ...store.value, by: 'the store' },
    ...{ mirrors, founded, elsewhere: new Set(options.elsewhere) },
    checkpoints: await Promise.all(options.checkpoint.map(readInput)),
    ...{ check: checkSignature, now: now() },
  });
}
