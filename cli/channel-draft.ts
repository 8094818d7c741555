/** `firmament channel-draft`: a release added to a channel, another put in force, images revoked; as a signing event. */
import { basename } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import type { Subject } from '../formats/people.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { NOTES_LENGTH_MAX } from '../formats/signing-event.ts';
import { accept, type Verdict } from '../formats/verdict.ts';
import { draftChannel, type ReleasedFile, type ReleaseDraft } from '../signer/draft-channel.ts';
import { CHANNEL_LIFETIME_MS, PUBLISH_WITHIN_MS } from '../signer/lifetimes.ts';
import { repositoryIdOf } from '../signer/repository-id.ts';
import { concludeEvent, readChannelFile } from './event-files.ts';
import { readInput } from './files.ts';
import { countValue, daysValue, firmwareVersionValue, nameValue } from './option-values.ts';
import { addPlanOptions, planOf, type PlanOptions } from './plan-option.ts';
import type { Answer, Conclude, Host } from './verb.ts';

type Options = PlanOptions & {
  readonly rootOne: string;
  readonly root: readonly string[];
  readonly delegatedBy: string;
  readonly channel: string;
  readonly former?: string;
  readonly release?: string;
  readonly component?: string;
  readonly image?: string;
  readonly provenance?: string;
  readonly vsa?: string;
  readonly firmwareVersion?: string;
  readonly securityCounter?: number;
  readonly hardware: readonly string[];
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
  addPlanOptions(command)
    .requiredOption('--root-one <file>', 'root version 1, as signed: it names the repository')
    .option('--root <file...>', 'the roots after it, oldest first', [])
    .requiredOption('--delegated-by <file>', 'the targets file, as signed')
    .requiredOption('--channel <name>', 'the channel', nameValue)
    .option(
      '--former <file>',
      'the newest file of this channel, or the event that brought it; left out for the first one',
    )
    .option('--release <name>', 'a release to add and to put in force')
    .option('--component <name>', 'its component', nameValue)
    .option('--image <file>', 'its image')
    .option('--provenance <file>', 'the provenance of the image')
    .option('--vsa <file>', 'the summary of its judgement, where verifiers are listed')
    .option('--firmware-version <version>', 'its version for people', firmwareVersionValue)
    .option('--security-counter <n>', 'its security counter', countValue)
    .option('--hardware <id...>', 'the hardware it is for', [])
    .option('--in-force <release>', 'put another listed release in force')
    .option('--min-security-counter <n>', 'refuse everything below at every start', countValue)
    .option('--revoke <sha256...>', 'images that may not start any more', [])
    .option('--author <name...>', 'who drafts this, by the name in the list of people', [])
    .option('--proposer <issuer#subject>', 'the workflow that proposed it; may be repeated', addProposer, [])
    .option('--notes <text>', 'a word to those who sign; no signature covers it', notesValue)
    .option('--publish-within <n>', 'days in which it may be published', daysValue, PUBLISH_WITHIN_MS)
    .option('--days <n>', 'how long it is valid', daysValue, CHANNEL_LIFETIME_MS)
    .requiredOption('--out <file>', 'where the event goes, like 7.stable.signing.json')
    .action(async (options: Options) => {
      if (options.author.length + options.proposer.length === 0) {
        command.error('--author or --proposer: an event says who made it', { exitCode: 64 });
      }
      const release = await readRelease(options);
      if (release === undefined && options.release !== undefined) {
        const needed = '--component, --image, --provenance, --firmware-version, --security-counter and --hardware';
        command.error(`a release needs ${needed}`, { exitCode: 64 });
      }
      conclude(await draft(options, release, host));
    });
}

async function draft(options: Options, release: ReleaseDraft | undefined, host: Host): Promise<Verdict<Answer>> {
  const rootOne = await readInput(options.rootOne);
  const repository = repositoryIdOf(rootOne);
  if (!repository.ok) return repository;
  const { channel, out } = options;
  const former = await readChannelFile(options.former);
  const authors = [...options.author.map((person) => ({ person })), ...options.proposer];
  const metadata = draftChannel({
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
    resumes: options.resume,
    event: { notAfter: host.now() + options.publishWithin, authors },
  });
  if (!metadata.ok) return metadata;
  const event = {
    role: channel,
    metadata: metadata.value,
    roots: [rootOne, ...(await Promise.all(options.root.map(readInput)))],
    delegatedBy: await readInput(options.delegatedBy),
    former,
    evidence: await Promise.all([options.provenance, options.vsa].filter((file) => file !== undefined).map(readInput)),
    notes: options.notes,
    withdrawn: [],
  };
  return concludeEvent(accept(event), out);
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

/** The release that the options describe, or undefined if they do not describe a whole one. */
async function readRelease(options: Options): Promise<ReleaseDraft | undefined> {
  const { release, component, image, provenance, firmwareVersion, securityCounter, hardware } = options;
  if (release === undefined || component === undefined || image === undefined || provenance === undefined) {
    return undefined;
  }
  if (firmwareVersion === undefined || securityCounter === undefined || hardware.length === 0) return undefined;
  const described = {
    component,
    firmwareVersion,
    securityCounter,
    hardwareIds: hardware,
    installer: 'slot' as const,
    image: await releasedFile(image),
    provenance: await releasedFile(provenance),
    vsa: options.vsa === undefined ? undefined : await releasedFile(options.vsa),
  };
  return { name: release, components: [described] };
}

async function releasedFile(path: string): Promise<ReleasedFile> {
  const bytes = await readInput(path);
  return { file: basename(path), length: bytes.length, sha256: sha256Hex(bytes) };
}
