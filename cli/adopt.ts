/** `firmament adopt`: moves the memory of a signer of one product into a deployment; the old one never signs again. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { accept, type Verdict } from '../formats/verdict.ts';
import { adoptProduct } from '../signer/backup/adopt-product.ts';
import { DATABASE_FILE } from '../signer/backup/kept-files.ts';
import { openStateDatabase } from '../signer/signer-state-database.ts';
import type { Answer, Conclude, Host } from './verb.ts';

/** Adds the verb. */
export function defineAdopt(command: Command, _: Host, conclude: Conclude): void {
  command
    .argument('<folder>', 'the folder of the signer of one product, whose daemon was ended')
    .requiredOption('--state <folder>', 'the folder of the deployment, whose daemon may run')
    .action(async (from: string, { state }: { readonly state: string }) => conclude(await adopt(from, state)));
}

async function adopt(from: string, to: string): Promise<Verdict<Answer>> {
  const database = await openStateDatabase(join(to, DATABASE_FILE));
  try {
    const adopted = await adoptProduct({ from, to, memoryOf: database.memoryOf });
    if (!adopted.ok) return adopted;
    const { product, timestampVersion } = adopted.value;
    const text = `${product} is of the deployment now, at timestamp ${timestampVersion}; ${from} never signs again\n  next: hand in with --signer SOCKET --product ${product}; keep ${from} until the next backup of ${to}`;
    return accept({ facts: { product, timestampVersion }, text });
  } finally {
    database.close();
  }
}
