/**
 * `firmament backup`: all that a signer may not lose in one file, also while it works.
 *
 * - Memory, books and ledgers; no key and nothing of the store.
 */
import type { Command } from 'commander';
import { encodeInstant } from '../formats/instant.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { makeBackup } from '../signer/backup/make-backup.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = { readonly state: string; readonly out: string };

/** Adds the verb. */
export function defineBackup(command: Command, host: Host, conclude: Conclude): void {
  command
    .requiredOption('--state <folder>', 'the folder of the signer: its memory, its books, its ledgers')
    .requiredOption('--out <file>', 'the backup, a new file for its owner alone')
    .action(async (options: Options) => conclude(await backup(options, host)));
}

async function backup({ state, out }: Options, host: Host): Promise<Verdict<Answer>> {
  const made = await makeBackup({ folder: state, out }, host.now());
  if (!made.ok) return made;
  const { sha256, parts, createdAt } = made.value;
  return accept({
    facts: { file: out, sha256, parts, createdAt: encodeInstant(createdAt) },
    text: `${out}: ${parts} files, digest ${sha256}\n  next: keep it on another machine, and note the digest elsewhere`,
  });
}
