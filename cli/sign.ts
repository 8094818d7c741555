/**
 * `firmament sign`: shows what a draft changes, asks, and adds one person's signature to the file.
 *
 * - A channel is signed as a signing event, judged again from its bytes (`sign-event.ts`); root and targets as metadata.
 * - What is shown is read from the bytes that are signed; what is signed is the content that the parser has read.
 * - The file is replaced whole; a cut leaves the one before.
 */
import { createInterface } from 'node:readline/promises';
import { Option, type Command } from 'commander';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { addSignature } from '../signer/add-signature.ts';
import { MODE_PUBLIC, replaceFile } from '../signer/durable-file.ts';
import { describeDraft } from './describe-draft.ts';
import { readInput, readOptional } from './files.ts';
import { openSigner } from './open-signer.ts';
import { digestValue } from './option-values.ts';
import { signEventFile } from './sign-event.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type MetadataOptions = {
  readonly metadata: string;
  readonly role: 'root' | 'targets';
  readonly delegatedBy?: string;
  readonly key: string;
  readonly passphraseFile?: string;
};
type Options = Partial<MetadataOptions> & {
  readonly event?: string;
  readonly key: string;
  readonly rootOne?: string;
  readonly published?: string;
  readonly digest?: string;
  readonly policy?: string;
  readonly yes?: true;
};

/** Adds the verb. */
export function defineSign(command: Command, host: Host, conclude: Conclude): void {
  command
    .option('--event <file>', 'a signing event, of a channel; it gets the signature')
    .option('--root-one <file>', 'for an event: root 1, from a source that you trust; needed once, then remembered')
    .option('--published <file>', 'for an event: the newest file of the channel that you know to be published')
    .option('--digest <sha256>', 'for an event: the digest that you agreed on by other ways', digestValue)
    .option('--policy <file>', 'for an event: the policy that people signed; what is new is judged by it again')
    .option('--metadata <file>', 'a draft of root or targets; it gets the signature')
    .addOption(new Option('--role <role>', 'for metadata: which of the two').choices(['root', 'targets']))
    .option('--delegated-by <file>', 'for metadata: the former root for a root, the root for targets')
    .requiredOption('--key <file>', 'your key')
    .option('--passphrase-file <file>', 'where its passphrase stands; otherwise you are asked')
    .option('--yes', 'sign without being asked, when no person sits here')
    .action(async (options: Options) => {
      const { event, metadata, role } = options;
      const wanted = (): Promise<boolean> => isWanted(options, host);
      if (event !== undefined && metadata === undefined) {
        return conclude(await signEventFile({ ...options, event }, host, wanted));
      }
      if (event !== undefined || metadata === undefined || role === undefined) {
        command.error('either --event, for a channel, or --metadata and --role, for root or targets', { exitCode: 64 });
      }
      conclude(await signMetadataFile({ ...options, metadata, role }, host, wanted));
    });
}

async function signMetadataFile(
  options: MetadataOptions,
  host: Host,
  wanted: () => Promise<boolean>,
): Promise<Verdict<Answer>> {
  const metadata = await readInput(options.metadata);
  const described = describeDraft(metadata, options.role);
  if (!described.ok) return described;
  host.say(`You are about to sign:\n${described.value.join('\n')}\n`);
  if (!(await wanted())) return reject('SIGNING_DECLINED', 'nothing was signed');
  const signer = await openSigner(
    await readInput(options.key),
    { file: options.key, passphraseFile: options.passphraseFile },
    host,
  );
  if (!signer.ok) return signer;
  const delegatedBy = await readOptional(options.delegatedBy);
  const signed = await addSignature({ metadata, role: options.role, delegatedBy }, signer.value);
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
