/** `firmament halt`: one manager stops the plan in force of a channel, and hands the halt to the signer. */
import type { Command } from 'commander';
import { parseChannelPart } from '../formats/channel-part.ts';
import { haltDigest, haltReasonDecoder } from '../formats/halt.ts';
import { sideRole } from '../formats/names.ts';
import { planDigest } from '../formats/plan.ts';
import { parseTargets } from '../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { addSignature, signMetadata } from '../signer/add-signature.ts';
import { HALT_LIFETIME_MS } from '../signer/lifetimes.ts';
import { repositoryIdOf } from '../signer/repository-id.ts';
import { haltContent } from '../signer/rollout/draft-step.ts';
import { askSigner } from './ask-signer.ts';
import { readChannelFile } from './event-files.ts';
import { readInput, readOptional, writeNew } from './files.ts';
import { openSigner } from './open-signer.ts';
import { nameValue } from './option-values.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = {
  readonly rootOne: string;
  readonly targets: string;
  readonly channel: string;
  readonly channelFile: string;
  readonly former?: string;
  readonly key: string;
  readonly passphraseFile?: string;
  readonly reason: string;
  readonly out: string;
  readonly signer?: string;
};

/** Adds the verb. */
export function defineHalt(command: Command, host: Host, conclude: Conclude): void {
  command
    .requiredOption('--root-one <file>', 'root version 1, as signed: it names the repository')
    .requiredOption('--targets <file>', 'the targets file, which says who may halt')
    .requiredOption('--channel <name>', 'the channel', nameValue)
    .requiredOption('--channel-file <file>', 'its newest file, or the event that brought it, with the plan to halt')
    .option('--former <file>', 'the newest halt file of this channel; left out for the first one')
    .requiredOption('--key <file>', 'your key')
    .option('--passphrase-file <file>', 'where its passphrase stands; otherwise you are asked')
    .requiredOption('--reason <text>', 'why, in one line of plain text')
    .requiredOption('--out <file>', 'where the signed halt goes')
    .option('--signer <socket>', 'the signer to hand it to at once')
    .action(async (options: Options) => conclude(await halt(options, host)));
}

async function halt(options: Options, host: Host): Promise<Verdict<Answer>> {
  const reason = haltReasonDecoder(options.reason);
  if (!reason.ok) return reject('DRAFT_REFUSED', `the reason: ${reason.detail}`);
  const repository = repositoryIdOf(await readInput(options.rootOne));
  if (!repository.ok) return repository;
  const place = { ...repository.value, channel: options.channel };
  const channel = parseTargets((await readChannelFile(options.channelFile)) ?? new Uint8Array());
  if (!channel.ok) return channel;
  const part = parseChannelPart(channel.value.signed.firmament);
  if (!part.ok) return part;
  const { plan } = part.value;
  if (plan === undefined) return reject('DRAFT_REFUSED', `${options.channel} has no plan that could be halted`);
  const now = Math.floor(host.now() / 1000) * 1000;
  const said = { plan: planDigest(plan, place), at: now, reason: reason.value };
  const former = await readOptional(options.former);
  const draft = { repository: repository.value, channel: options.channel, former, expires: now + HALT_LIFETIME_MS };
  const unsigned = await signMetadata(haltContent(draft, said), []);
  const signed = await signHalt(unsigned, options, host);
  if (!signed.ok) return signed;
  await writeNew(options.out, signed.value);
  const facts = { file: options.out, plan: said.plan, halt: haltDigest(said, place) };
  const text = `${options.channel}: the plan of ${plan.release} is halted in ${options.out}\n  resume: ${facts.halt}`;
  if (options.signer === undefined) return accept({ facts, text });
  const answer = await askSigner({ socket: options.signer, product: repository.value.product }, 'halt', signed.value);
  return answer.ok ? accept({ facts: { ...facts, published: true }, text: `${text}\n  published` }) : answer;
}

async function signHalt(unsigned: Uint8Array, options: Options, host: Host): Promise<Verdict<Uint8Array>> {
  const from = { file: options.key, passphraseFile: options.passphraseFile };
  const signer = await openSigner(await readInput(options.key), from, host);
  if (!signer.ok) return signer;
  const role = { channel: sideRole(options.channel, 'halt') };
  return addSignature({ metadata: unsigned, role, delegatedBy: await readInput(options.targets) }, signer.value);
}
