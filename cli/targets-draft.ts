/** `firmament targets-draft`: which channels there are, who manages them, which builders count, who judges by what, whose key is whose. */
import { InvalidArgumentError, type Command } from 'commander';
import type { Verifier } from '../formats/judging.ts';
import { parsePeople } from '../formats/people.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { Builder } from '../formats/trust-part.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { draftTargets, type ChannelDelegation, type RolloutDelegation } from '../signer/draft-targets.ts';
import { parsePublicKeyFile } from '../signer/key-file.ts';
import { TARGETS_LIFETIME_MS } from '../signer/lifetimes.ts';
import { repositoryIdOf } from '../signer/repository-id.ts';
import { concludeDraft, readQuorum } from './draft-output.ts';
import { readInput, readOptional } from './files.ts';
import { addIdentityTrustOptions, readIdentityTrust, type IdentityTrustOptions } from './identity-trust-options.ts';
import { daysValue, uriValue } from './option-values.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type ChannelOption = { readonly name: string; readonly threshold: number; readonly files: readonly string[] };
type RolloutOption = { readonly channel: string; readonly file: string };
type Options = IdentityTrustOptions & {
  readonly rootOne: string;
  readonly former?: string;
  readonly channel: readonly ChannelOption[];
  readonly withoutChannel: readonly string[];
  readonly rollout: readonly RolloutOption[];
  readonly builder?: string;
  readonly builderKey?: string;
  readonly builderSource?: string;
  readonly withoutBuilder: readonly string[];
  readonly verifier?: string;
  readonly verifierKey?: string;
  readonly withoutVerifier: readonly string[];
  readonly policy?: string;
  readonly withoutPolicy: readonly string[];
  readonly people?: string;
  readonly days: number;
  readonly out: string;
};

/** Adds the verb. */
export function defineTargetsDraft(command: Command, host: Host, conclude: Conclude): void {
  addIdentityTrustOptions(command)
    .requiredOption('--root-one <file>', 'root version 1, as signed: it names the repository')
    .option('--former <file>', 'the newest targets file; left out for the first one')
    .option(
      '--channel <name:threshold:files>',
      'a channel: stable:2:a.pub.json,b.pub.json; may be repeated',
      addChannel,
      [],
    )
    .option('--without-channel <name...>', 'channels to end', [])
    .option(
      '--rollout <name:file>',
      'a channel with plans, and the public key that opens its waves; may be repeated',
      addRollout,
      [],
    )
    .option('--builder <uri>', 'identity of a builder that counts')
    .option('--builder-key <file>', 'its public key')
    .option('--builder-source <uri>', 'the source that it may build')
    .option('--without-builder <uri...>', 'builders that count no longer', [])
    .option('--verifier <uri>', 'identity of a verifier that may judge releases', uriValue)
    .option('--verifier-key <file>', 'its public key')
    .option('--without-verifier <uri...>', 'verifiers that count no longer', [])
    .option('--policy <file>', 'the policy; what the former one judged still counts')
    .option('--without-policy <sha256...>', 'former policies that count no longer', [])
    .option('--people <file>', 'people, their keys and subjects, in place of the former list')
    .option('--days <n>', 'how long it is valid', daysValue, TARGETS_LIFETIME_MS)
    .requiredOption('--out <file>', 'where the draft goes')
    .action(async (options: Options) => {
      const parts = [options.builder, options.builderKey, options.builderSource];
      const given = parts.filter((part) => part !== undefined).length;
      if (given !== 0 && given !== parts.length) {
        command.error('--builder, --builder-key and --builder-source go together', { exitCode: 64 });
      }
      if ((options.verifier === undefined) !== (options.verifierKey === undefined)) {
        command.error('--verifier and --verifier-key go together', { exitCode: 64 });
      }
      conclude(await draft(options, host));
    });
}

async function draft(options: Options, host: Host): Promise<Verdict<Answer>> {
  const repository = repositoryIdOf(await readInput(options.rootOne));
  if (!repository.ok) return repository;
  const channels: ChannelDelegation[] = [];
  for (const { name, threshold, files } of options.channel) {
    const quorum = await readQuorum(files, threshold);
    if (!quorum.ok) return quorum;
    channels.push({ name, quorum: quorum.value });
  }
  const rollouts = await readRollouts(options);
  if (!rollouts.ok) return rollouts;
  const builders = await readBuilders(options);
  if (!builders.ok) return builders;
  const verifiers = await readVerifiers(options);
  if (!verifiers.ok) return verifiers;
  const identities = await readIdentityTrust(options, host.now());
  if (!identities.ok) return identities;
  const policy = await readOptional(options.policy);
  const listed = options.people === undefined ? accept(undefined) : parsePeople(await readInput(options.people));
  if (!listed.ok) return listed;
  const drafted = draftTargets({
    repository: repository.value,
    former: await readOptional(options.former),
    now: host.now(),
    lifetimeMs: options.days,
    channels,
    withoutChannels: options.withoutChannel,
    rollouts: rollouts.value,
    builders: builders.value,
    withoutBuilders: options.withoutBuilder,
    ...identities.value,
    withoutFactories: options.withoutFactory,
    withoutIdentityAnchors: options.withoutIdentityAnchor,
    verifiers: verifiers.value,
    withoutVerifiers: options.withoutVerifier,
    policySha256: policy === undefined ? undefined : sha256Hex(policy),
    withoutPolicies: options.withoutPolicy,
    people: listed.value,
  });
  const { out } = options;
  return concludeDraft(drafted, out, `firmament sign --role targets --delegated-by ROOT --metadata ${out} --key KEY`);
}

async function readRollouts({ rollout }: Options): Promise<Verdict<readonly RolloutDelegation[], 'KEY_MALFORMED'>> {
  const rollouts: RolloutDelegation[] = [];
  for (const { channel, file } of rollout) {
    const key = parsePublicKeyFile(await readInput(file));
    if (!key.ok) return key;
    rollouts.push({ channel, keys: [key.value] });
  }
  return accept(rollouts);
}

/** `NAME:FILE`: one channel more. */
function addRollout(value: string, former: readonly RolloutOption[]): readonly RolloutOption[] {
  const at = value.indexOf(':');
  if (at < 1 || at === value.length - 1) throw new InvalidArgumentError('NAME:FILE is expected');
  return [...former, { channel: value.slice(0, at), file: value.slice(at + 1) }];
}

async function readBuilders(options: Options): Promise<Verdict<readonly Builder[], 'KEY_MALFORMED'>> {
  const { builder: id, builderKey, builderSource: source } = options;
  if (id === undefined || builderKey === undefined || source === undefined) return accept([]);
  const key = parsePublicKeyFile(await readInput(builderKey));
  return key.ok ? accept([{ id, key: key.value, source }]) : key;
}

async function readVerifiers({
  verifier: id,
  verifierKey,
}: Options): Promise<Verdict<readonly Verifier[], 'KEY_MALFORMED'>> {
  if (id === undefined || verifierKey === undefined) return accept([]);
  const key = parsePublicKeyFile(await readInput(verifierKey));
  return key.ok ? accept([{ id, key: key.value }]) : key;
}

/** `NAME:THRESHOLD:FILE,FILE`: one channel more. */
function addChannel(value: string, former: readonly ChannelOption[]): readonly ChannelOption[] {
  const [, name, threshold, files] = /^([^:]+):(\d{1,3}):(.+)$/.exec(value) ?? [];
  if (name === undefined || threshold === undefined || files === undefined) {
    throw new InvalidArgumentError('NAME:THRESHOLD:FILE,FILE is expected');
  }
  return [...former, { name, threshold: Number(threshold), files: files.split(',') }];
}
