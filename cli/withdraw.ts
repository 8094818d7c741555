/** `firmament withdraw`: any one signer of a channel takes a draft out of the world, for ever. */
import type { Command } from 'commander';
import { accept, type Verdict } from '../formats/verdict.ts';
import { digestOf, withdrawEvent } from '../signer/sign-event.ts';
import { readEvent, replaceEvent } from './event-files.ts';
import { readInput } from './files.ts';
import { openSigner } from './open-signer.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = { readonly event: string; readonly key: string; readonly passphraseFile?: string };

/** Adds the verb. */
export function defineWithdraw(command: Command, host: Host, conclude: Conclude): void {
  command
    .requiredOption('--event <file>', 'the signing event; it gets the withdrawal')
    .requiredOption('--key <file>', 'your key, one of the channel')
    .option('--passphrase-file <file>', 'where its passphrase stands; otherwise you are asked')
    .action(async (options: Options) => conclude(await withdraw(options, host)));
}

async function withdraw({ event: file, key, passphraseFile }: Options, host: Host): Promise<Verdict<Answer>> {
  const event = await readEvent(file);
  if (!event.ok) return event;
  const digest = digestOf(event.value);
  if (!digest.ok) return digest;
  const signer = await openSigner(await readInput(key), { file: key, passphraseFile }, host);
  if (!signer.ok) return signer;
  const withdrawn = await withdrawEvent(event.value, signer.value);
  if (!withdrawn.ok) return withdrawn;
  await replaceEvent(file, withdrawn.value);
  const next = `firmament publish --withdrawn ${file}`;
  const text = `${file}: ${event.value.role} ${digest.value.sha256} is withdrawn\n  next: ${next} tells the publisher`;
  return accept({ facts: { file, event: digest.value.sha256, keyid: signer.value.keyid, next }, text });
}
