/** `firmament restore`: puts a backup of a signer into an empty folder; nothing is signed from there before `firmament resume`. */
import type { Command } from 'commander';
import { encodeInstant } from '../formats/instant.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { restoreBackup } from '../signer/backup/restore-backup.ts';
import { digestValue } from './option-values.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = { readonly state: string; readonly digest?: string };

/** Adds the verb. */
export function defineRestore(command: Command, host: Host, conclude: Conclude): void {
  command
    .argument('<file>', 'the backup')
    .requiredOption('--state <folder>', 'where to: a folder that is empty, or not there yet')
    .option('--digest <sha256>', 'the digest that was noted when it was made', digestValue)
    .action(async (file: string, options: Options) => conclude(await restore(file, options, host)));
}

async function restore(file: string, { state, digest }: Options, host: Host): Promise<Verdict<Answer>> {
  const restored = await restoreBackup({ file, folder: state, sha256: digest, now: host.now() });
  if (!restored.ok) return restored;
  const { sha256, parts, createdAt } = restored.value;
  const madeAt = encodeInstant(createdAt);
  return accept({
    facts: { state, sha256, parts, createdAt: madeAt },
    text: `${state}: ${parts} files as of ${madeAt}\n  next: firmament resume --state ${state} --store … with every mirror that there is`,
  });
}
