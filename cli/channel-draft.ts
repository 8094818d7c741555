/** `firmament channel-draft`: a release added to a channel, another put in force, images revoked; as a signing event. */
import { InvalidArgumentError, type Command } from 'commander';
import type { Subject } from '../formats/people.ts';
import { NOTES_LENGTH_MAX } from '../formats/signing-event.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { draftChannelFiles, type ReleaseDraft } from '../signer/draft-channel.ts';
import { CHANNEL_LIFETIME_MS, PUBLISH_WITHIN_MS } from '../signer/lifetimes.ts';
import { repositoryIdOf } from '../signer/repository-id.ts';
import {
  COMPONENT_NEEDS,
  defineComponentOptions,
  readComponents,
  type DescribedComponent,
} from './component-options.ts';
import { concludeEvent, readChannelFile, readHistoryFile } from './event-files.ts';
import { readInput } from './files.ts';
import { countValue, daysValue, nameValue } from './option-values.ts';
import { addGraphOptions, graphOf, type GraphOptions } from './graph-option.ts';
import { addPlanOptions, planOf, type PlanOptions } from './plan-option.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = PlanOptions &
  GraphOptions & {
    readonly rootOne: string;
    readonly root: readonly string[];
    readonly delegatedBy: string;
    readonly channel: string;
    readonly former?: string;
    readonly history?: string;
    readonly release?: string;
    readonly inForce?: string;
    readonly minSecurityCounter?: number;
    readonly revoke: readonly string[];
    readonly author: readonly string[];
    readonly proposer: readonly Subject[];
    readonly notes?: string;
    readonly publishWithin: number;
    readonly days: number;
    readonly out: string;
  };

/** Adds the verb. */
export function defineChannelDraft(command: Command, host: Host, conclude: Conclude): void {
  const described = defineComponentOptions(command);
  addGraphOptions(addPlanOptions(command))
    .requiredOption('--root-one <file>', 'root version 1, as signed: it names the repository')
    .option('--root <file...>', 'the roots after it, oldest first', [])
    .requiredOption('--delegated-by <file>', 'the targets file, as signed')
    .requiredOption('--channel <name>', 'the channel', nameValue)
    .option(
      '--former <file>',
      'the newest file of this channel, or the event that brought it; left out for the first one',
    )
    .option(
      '--history <file>',
      "the newest file of this channel's history, or the event that brought it; left out as long as there is none",
    )
    .option('--release <name>', 'a release to add and to put in force')
    .option('--in-force <release>', 'put another listed release in force')
    .option('--min-security-counter <n>', 'refuse everything below at every start', countValue)
    .option('--revoke <sha256...>', 'images that may not start any more', [])
    .option(
      '--author <name...>',
      'who drafts this, by the name in the list of people; this or --proposer is needed',
      [],
    )
    .option('--proposer <issuer#subject>', 'the workflow that proposed it; may be repeated', addProposer, [])
    .option('--notes <text>', 'a word to those who sign; no signature covers it', notesValue)
    .option('--publish-within <n>', 'days in which it may be published', daysValue, PUBLISH_WITHIN_MS)
    .option('--days <n>', 'how long it is valid', daysValue, CHANNEL_LIFETIME_MS)
    .requiredOption('--out <file>', 'where the event goes, like 7.stable.signing.json')
    .action(async (options: Options) => {
      if (options.author.length + options.proposer.length === 0) {
        command.error('--author or --proposer: an event says who made it', { exitCode: 64 });
      }
      const { release: name } = options;
      const components = await readComponents(described);
      if (name !== undefined && components === undefined) {
        command.error(`each component of a release needs ${COMPONENT_NEEDS}`, { exitCode: 64 });
      }
      if (name === undefined && described.length > 0) {
        command.error('components need a --release', { exitCode: 64 });
      }
      const release = name === undefined || components === undefined ? undefined : { name, components };
      conclude(await draft({ ...options, described }, release, host));
    });
}

async function draft(
  options: Options & { readonly described: readonly DescribedComponent[] },
  release: ReleaseDraft | undefined,
  host: Host,
): Promise<Verdict<Answer>> {
  const rootOne = await readInput(options.rootOne);
  const repository = repositoryIdOf(rootOne);
  if (!repository.ok) return repository;
  const { channel, out } = options;
  const former = await readChannelFile(options.former);
  const authors = [...options.author.map((person) => ({ person })), ...options.proposer];
  const delegatedBy = await readInput(options.delegatedBy);
  const history = { former: await readHistoryFile(options.history), delegatedBy };
  const content = {
    repository: repository.value,
    channel,
    former,
    now: host.now(),
    lifetimeMs: options.days,
    release,
    inForce: options.inForce,
    minSecurityCounter: options.minSecurityCounter,
    revokedDigests: options.revoke,
    plan: planOf(options, host.now()),
    graph: graphOf(options),
    resumes: options.resume,
    event: { notAfter: host.now() + options.publishWithin, authors },
  };
  const drafted = draftChannelFiles(content, history);
  if (!drafted.ok) return drafted;
  const { channel: metadata, history: moved } = drafted.value;
  const event = {
    role: channel,
    metadata,
    roots: [rootOne, ...(await Promise.all(options.root.map(readInput)))],
    delegatedBy,
    former,
    history: moved === undefined ? undefined : { metadata: moved, former: history.former },
    evidence: await readEvidence(options.described),
    notes: options.notes,
    withdrawn: [],
  };
  return concludeEvent(accept(event), out);
}

/** The evidence of every component: who signs judges it again. */
function readEvidence(described: readonly DescribedComponent[]): Promise<readonly Uint8Array[]> {
  const files = described.flatMap(({ provenance, vsa }) => [provenance, vsa]);
  return Promise.all(files.filter((file) => file !== undefined).map(readInput));
}

/** `ISSUER#SUBJECT`: an issuer has no fragment (OpenID Connect Discovery 1.0, section 3). */
function addProposer(value: string, former: readonly Subject[]): readonly Subject[] {
  const at = value.indexOf('#');
  if (at < 1 || at === value.length - 1) throw new InvalidArgumentError('ISSUER#SUBJECT is expected');
  return [...former, { issuer: value.slice(0, at), subject: value.slice(at + 1) }];
}

function notesValue(value: string): string {
  if (value.length > NOTES_LENGTH_MAX) throw new InvalidArgumentError(`at most ${NOTES_LENGTH_MAX} characters`);
  return value;
}
