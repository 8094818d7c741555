/**
 * A signing event of a tiny repository whose people are listed, with every part replaceable.
 *
 * - Dee answers for the workflow that proposes, and manages the channel with Eli and Fay; all their keys are independent.
 * - What is drafted is one release more on `stable`, unless a test says otherwise.
 */
import type { Author, Person } from '../formats/people.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { SigningEvent } from '../formats/signing-event.ts';
import { parseTargets } from '../formats/tuf-targets.ts';
import { draftChannel, type ChannelDraft } from '../signer/draft-channel.ts';
import { freshMemory, type KeyHolderMemory } from '../signer/key-holder-memory.ts';
import type { Signer } from '../signer/signer.ts';
import { accepted } from './accepted.ts';
import { tinyComponent, type ComponentOptions } from './tiny-release.ts';
import { makeTinyRepository, type TinyRepository } from './tiny-repository.ts';

export const WORKFLOW: Author = { issuer: 'https://ci.example', subject: 'repo:gateway:ref:refs/heads/main' };
export const HOUR_MS = 3_600_000;

export type Managers = { readonly dee: Signer; readonly eli: Signer; readonly fay: Signer };
export type TinyEvents = {
  readonly repository: TinyRepository;
  readonly managers: Managers;
  /** What somebody remembers who trusts root 1 and has seen nothing else. */
  readonly memory: KeyHolderMemory;
  /** The event of a release after what is newest, without signatures. */
  readonly event: (change?: EventOptions) => Promise<SigningEvent>;
};
export type EventOptions = {
  /** What is drafted beside the release, or instead of it. */
  readonly draft?: Partial<ChannelDraft>;
  readonly component?: ComponentOptions;
  readonly release?: string;
  readonly parts?: Partial<SigningEvent>;
};

/** A repository with people and a channel `stable` that has an event; 1.0.0 is in force. */
export async function makeTinyEvents(): Promise<TinyEvents> {
  return listPeople(await makeTinyRepository({ channels: ['stable'] }));
}

/** Lists the people of `repository`, whose one channel is `stable`, and has 1.0.0 approved again under that list. */
export async function listPeople(repository: TinyRepository): Promise<TinyEvents> {
  const managers = managersOf(repository);
  await repository.publishTargets({ people: peopleOf(managers) });
  const event = { notAfter: repository.now + HOUR_MS, authors: [WORKFLOW] };
  const signers = [managers.eli, managers.fay];
  await repository.publishRelease({ release: '1.0.0', draft: { event }, signers });
  return {
    repository,
    managers,
    memory: freshMemory(repository.id),
    event: (change) => makeEvent(repository, change),
  };
}

function managersOf(repository: TinyRepository): Managers {
  const [dee, eli, fay] = repository.signers.get('stable') ?? [];
  if (dee === undefined || eli === undefined || fay === undefined) throw new Error('a channel has three managers');
  return { dee, eli, fay };
}

/** The list of people: a workflow stands for Dee. */
export function peopleOf({ dee, eli, fay }: Managers): readonly Person[] {
  const keys = ({ keyid }: Signer): Person['keys'] => [{ keyid, independent: true }];
  const subjects = 'issuer' in WORKFLOW ? [WORKFLOW] : [];
  return [
    { person: 'dee', keys: keys(dee), subjects },
    { person: 'eli', keys: keys(eli), subjects: [] },
    { person: 'fay', keys: keys(fay), subjects: [] },
  ];
}

async function makeEvent(repository: TinyRepository, options: EventOptions = {}): Promise<SigningEvent> {
  const former = repository.newest('stable');
  const { release = '2.0.0', draft = {}, parts } = options;
  const [builder] = repository.signers.get('builder') ?? [];
  if (builder === undefined) throw new Error('no builder');
  const component = await tinyComponent(release, builder, { securityCounter: 2, ...options.component });
  const metadata = draftChannel({
    repository: repository.id,
    channel: 'stable',
    former,
    now: repository.now,
    release: { name: release, components: [component.draft] },
    event: { notAfter: repository.now + HOUR_MS, authors: [WORKFLOW] },
    ...draft,
  });
  return {
    role: 'stable',
    metadata: accepted(metadata),
    roots: repository.roots(),
    delegatedBy: repository.newest('targets'),
    former,
    evidence: [component.provenance],
    notes: undefined,
    withdrawn: [],
    ...parts,
  };
}

/** The name of `event`. */
export function nameOf({ metadata }: SigningEvent): string {
  return sha256Hex(accepted(parseTargets(metadata)).signedBytes);
}
