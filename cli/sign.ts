/**
 * `firmament sign`: shows what a draft says, asks, and adds one person's signature to the file.
 *
 * - What is shown is read from the bytes that are signed; what is signed is the content that the parser has read.
 * - The file is replaced whole; a cut leaves the one before.
 */
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { addSignature } from '../signer/add-signature.ts';
import { MODE_PUBLIC, replaceFile } from '../signer/durable-file.ts';
import type { Unsigned } from '../signer/signing-keys.ts';
import { describeDraft } from './describe-draft.ts';
import { readInput, readOptional } from './files.ts';
import { openSigner } from './open-signer.ts';
import { nameValue } from './option-values.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = {
  readonly metadata: string;
  readonly role: string;
  readonly delegatedBy?: string;
  readonly key: string;
  readonly passphraseFile?: string;
  readonly yes?: true;
};

/** Adds the verb. */
export function defineSign(command: Command, host: Host, conclude: Conclude): void {
  command
    .requiredOption('--metadata <file>', 'the draft; it gets the signature')
    .requiredOption('--role <role>', 'root, targets, or the name of the channel', nameValue)
    .option('--delegated-by <file>', 'the former root for a root, the root for targets, the targets file for a channel')
    .requiredOption('--key <file>', 'your key')
    .option('--passphrase-file <file>', 'where its passphrase stands; otherwise you are asked')
    .option('--yes', 'sign without being asked, when no person sits here')
    .action(async (options: Options) => conclude(await sign(options, host)));
}

async function sign(options: Options, host: Host): Promise<Verdict<Answer>> {
  const metadata = await readInput(options.metadata);
  const described = describeDraft(metadata, options.role);
  if (!described.ok) return described;
  host.say(`You are about to sign:\n${described.value.join('\n')}\n`);
  if (!(await isWanted(options, host))) return reject('SIGNING_DECLINED', 'nothing was signed');
  const signer = await openSigner(
    await readInput(options.key),
    { file: options.key, passphraseFile: options.passphraseFile },
    host,
  );
  if (!signer.ok) return signer;
  const delegatedBy = await readOptional(options.delegatedBy);
  const signed = await addSignature({ metadata, role: roleOf(options.role), delegatedBy }, signer.value);
  if (!signed.ok) return signed;
  await replaceFile(options.metadata, { bytes: signed.value, mode: MODE_PUBLIC });
  const { keyid } = signer.value;
  return accept({ facts: { file: options.metadata, keyid }, text: `${options.metadata}: signed by ${keyid}` });
}

/** A person says yes; where nobody can be asked, `--yes` must say so. */
async function isWanted(options: Options, host: Host): Promise<boolean> {
  if (options.yes === true || !host.isInteractive) return options.yes === true;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question('Sign this? [y/N] ', { signal: host.stop })).trim());
  } finally {
    lines.close();
  }
}

function roleOf(role: string): Unsigned['role'] {
  return role === 'root' || role === 'targets' ? role : { channel: role };
}
