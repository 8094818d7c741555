/** `firmament key-generate`: a new private key in an encrypted file, and its public part beside it. */
import { InvalidArgumentError, type Command } from 'commander';
import { accept, type Verdict } from '../formats/verdict.ts';
import { generateKey, WORK_FACTOR_DEFAULT, WORK_FACTOR_MAX } from '../signer/key-file.ts';
import { demandFree, writeNew } from './files.ts';
import { countValue } from './option-values.ts';
import { readNewPassphrase } from './passphrase.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = { readonly out: string; readonly passphraseFile?: string; readonly workFactor: number };

/** Adds the verb. */
export function defineKeyGenerate(command: Command, host: Host, conclude: Conclude): void {
  command
    .requiredOption('--out <file>', 'the encrypted key file, like key.age; key.pub.json is written beside it')
    .option('--passphrase-file <file>', 'where the passphrase stands; otherwise you are asked')
    .option('--work-factor <n>', 'cost of a guess, as a power of two', workFactorValue, WORK_FACTOR_DEFAULT)
    .action(async (options: Options) => conclude(await generate(options, host)));
}

async function generate({ out, passphraseFile, workFactor }: Options, host: Host): Promise<Verdict<Answer>> {
  const publicPath = publicPathOf(out);
  demandFree([out, publicPath]);
  const passphrase = await readNewPassphrase(passphraseFile, host);
  if (!passphrase.ok) return passphrase;
  const { file, publicFile, signer } = await generateKey(passphrase.value, workFactor);
  await writeNew(out, file, true);
  await writeNew(publicPath, publicFile);
  const text = `Key ${signer.keyid}\n  private, encrypted: ${out}\n  public:             ${publicPath}`;
  return accept({ facts: { keyid: signer.keyid, file: out, publicFile: publicPath }, text });
}

/** `key.age` has `key.pub.json` beside it. */
function publicPathOf(path: string): string {
  return `${path.replace(/\.age$/, '')}.pub.json`;
}

function workFactorValue(value: string): number {
  const factor = countValue(value);
  if (factor < 1 || factor > WORK_FACTOR_MAX) throw new InvalidArgumentError(`1 to ${WORK_FACTOR_MAX} is expected`);
  return factor;
}
