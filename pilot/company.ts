/**
 * The people of the pilot and their keys: each key in a folder of its own, encrypted, with a passphrase of its own.
 *
 * - Three owners hold root and targets, two of whom must sign; three release managers hold the channels, two of whom must sign.
 * - One of the managers answers for the workflow that proposes, so that manager's signature never counts (rule R2).
 * - The online roles, the CA, the builder, the judge and the factory have one key each; no person's key is ever used by a process that is not that
 *   person's tool. Each holder has a tool of their own; the operator, who drafts and carries files, has one without a key.
 * - Passphrases are 128 random bits, so that the low work factor takes nothing from them (ADR 0004).
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeHex, encodeUtf8 } from '../formats/bytes.ts';
import { createFile, MODE_PUBLIC, MODE_SECRET } from '../signer/durable-file.ts';
import type { Signer } from '../signer/signer.ts';
import { generateKey, openKeyFile } from '../signer/key-file.ts';
import { must } from './forgery.ts';
import { openTool, type Tool } from './tool.ts';

const WORK_FACTOR = 6;
const PASSPHRASE_BYTES = 16;

/** A key holder: a person, or a role that is a process. */
export type Holder = {
  readonly name: string;
  /** The encrypted private key. */
  readonly keyFile: string;
  /** The public key, as TUF metadata carry it. */
  readonly publicFile: string;
  readonly passphraseFile: string;
  readonly tool: Tool;
};

export type Company = {
  readonly owners: readonly Holder[];
  readonly managers: readonly Holder[];
  readonly snapshot: Holder;
  readonly timestamp: Holder;
  readonly log: Holder;
  /** Who opens waves. */
  readonly rollout: Holder;
  readonly builder: Holder;
  /** Who judges releases by the policy in force. */
  readonly judge: Holder;
  /** The station that names devices. */
  readonly factory: Holder;
  /** The issuing CA, a key that the signer alone uses. */
  readonly ca: Holder;
  /** Whoever drafts, carries and hands in what others sign. */
  readonly operator: Tool;
  /** Ends all tools. */
  readonly close: () => Promise<void>;
};

/** Makes all keys, as `firmament key-generate` makes one. */
export async function foundCompany(folder: string): Promise<Company> {
  const holder = (name: string): Promise<Holder> => makeHolder(folder, name);
  const [ada, ben, cyd, dee, eli, fay, snapshot, timestamp, log, rollout, builder, judge, factory, ca] =
    await Promise.all([
      holder('ada'),
      holder('ben'),
      holder('cyd'),
      holder('dee'),
      holder('eli'),
      holder('fay'),
      holder('snapshot'),
      holder('timestamp'),
      holder('log'),
      holder('rollout'),
      holder('builder'),
      holder('judge'),
      holder('factory'),
      holder('ca'),
    ]);
  const operator = openTool();
  const [owners, managers] = [
    [ada, ben, cyd],
    [dee, eli, fay],
  ];
  const tools = [operator, ...[...owners, ...managers, builder, judge, factory].map(({ tool }) => tool)];
  const close = async (): Promise<void> => void (await Promise.all(tools.map((tool) => tool.close())));
  return { owners, managers, snapshot, timestamp, log, rollout, builder, judge, factory, ca, operator, close };
}

async function makeHolder(folder: string, name: string): Promise<Holder> {
  const own = join(folder, name);
  await mkdir(own, { recursive: true, mode: 0o700 });
  const keyFile = join(own, 'key.age');
  const passphraseFile = join(own, 'passphrase');
  const passphrase = encodeHex(randomBytes(PASSPHRASE_BYTES));
  await createFile(passphraseFile, { bytes: encodeUtf8(passphrase), mode: MODE_SECRET });
  const { file, publicFile } = await generateKey(passphrase, WORK_FACTOR);
  await createFile(keyFile, { bytes: file, mode: MODE_SECRET });
  await createFile(join(own, 'key.pub.json'), { bytes: publicFile, mode: MODE_PUBLIC });
  return { name, keyFile, publicFile: join(own, 'key.pub.json'), passphraseFile, tool: openTool() };
}

/** Opens a holder's key in this process: for the attacks alone, where it stands for a stolen key. */
export async function stealKey(holder: Holder): Promise<Signer> {
  const passphrase = (await readFile(holder.passphraseFile, 'utf8')).trim();
  return must(await openKeyFile(await readFile(holder.keyFile), passphrase));
}
