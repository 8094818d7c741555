/**
 * Drafts of a channel, without signatures: a release added, the release in force chosen, images revoked.
 *
 * - The next version starts from the former file: older releases stay listed, because devices that run them still boot by it.
 * - Releases out of force go into the channel's history in batches (`draft-history.ts`), where a history is handed in.
 * - A release's name is given once: other content under the same name is refused.
 * - The ways from release to release stay as they were said, but for what the draft changes (`draft-graph.ts`).
 * - Floors only rise: the least counter does not fall, and what is revoked stays revoked (rule R11).
 * - Its event names what it follows by digest; where the former version had one, this one has (rule R5).
 * - The draft is read back as a device reads it, so that the release in force is whole.
 * - Specified in `docs/formats/release.md`.
 */
import { bindingToJson, verifyBinding, type BindingCode, type RepositoryId } from '../formats/binding.ts';
import { encodeCanonicalJson } from '../formats/canonical-json.ts';
import { equalBytes } from '../formats/bytes.ts';
import type { ChannelEvent } from '../formats/channel-event.ts';
import { channelPartToJson, parseChannelPart, type ChannelPart } from '../formats/channel-part.ts';
import type { Instant } from '../formats/instant.ts';
import { encodeTargetName, parseTargetName, releaseOf } from '../formats/names.ts';
import { imagePartToCustom, parseRelease, type ImagePart } from '../formats/release.ts';
import { encodeMetadata, type MetadataParseCode } from '../formats/tuf-metadata.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { parseTargets, targetsToJson, type Delegations, type TargetFile } from '../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { nextHistory, type ChannelWithHistory, type HistoryCode, type HistoryDraft } from './draft-history.ts';
import { nextGraph, type GraphDraft } from './draft-graph.ts';
import { nextPlan, type PlanDraft } from './draft-plan.ts';
import type { DraftTime } from './draft-root.ts';
import { CHANNEL_LIFETIME_MS } from './lifetimes.ts';
import { readRole } from './parsed-role.ts';

/** A file that is released: its name, and what TUF says of its bytes. */
export type ReleasedFile = { readonly file: string; readonly length: number; readonly sha256: string };
export type ComponentDraft = Omit<ImagePart, 'provenance' | 'vsa' | 'order'> & {
  readonly component: string;
  readonly image: ReleasedFile;
  readonly provenance: ReleasedFile;
  /** The summary of its judgement, where verifiers are listed. */
  readonly vsa?: ReleasedFile | undefined;
};
/** Components are installed in the order in which they stand here. */
export type ReleaseDraft = { readonly name: string; readonly components: readonly ComponentDraft[] };

export type ChannelDraft = DraftTime & {
  readonly repository: RepositoryId;
  readonly channel: string;
  /** The newest file of this channel; undefined for the first one. */
  readonly former: Uint8Array | undefined;
  readonly release?: ReleaseDraft | undefined;
  /** Targets of releases, in place of `release`, as another draft describes them. */
  readonly addedTargets?: ReadonlyMap<string, TargetFile>;
  /** The release in force: by default the one that is added, else the former one. */
  readonly inForce?: string | undefined;
  readonly minSecurityCounter?: number | undefined;
  /** Digests to revoke, beside those that are revoked already. */
  readonly revokedDigests?: readonly string[];
  /** Releases that no device runs any more, to be listed no longer. */
  readonly withoutReleases?: readonly string[];
  /** Who may take the release in force, and when; by default that of the former version, as long as its release is in force. */
  readonly plan?: PlanDraft | undefined;
  /** What changes of the ways from release to release. */
  readonly graph?: GraphDraft | undefined;
  /** Digests of the halts that this version lifts. */
  readonly resumes?: readonly string[];
  /** Who made this version, and until when it may be published. */
  readonly event?: Omit<ChannelEvent, 'predecessor'> | undefined;
};
export type ChannelDraftCode = MetadataParseCode | BindingCode | HistoryCode | 'RELEASE_MALFORMED' | 'DRAFT_REFUSED';
/** A channel's next file, and the next one of its history where that is another one. */
export type DraftedChannel = { readonly channel: Uint8Array; readonly history: Uint8Array | undefined };

type Targets = ReadonlyMap<string, TargetFile>;
type Content = {
  readonly version: number;
  readonly targets: Targets;
  readonly delegations: Delegations | undefined;
  readonly part: ChannelPart | undefined;
};

/** The channel file after `draft.former`, unsigned, as long as nothing goes out of it. */
export function draftChannel(draft: ChannelDraft): Verdict<Uint8Array, ChannelDraftCode> {
  const drafted = draftChannelFiles(draft, undefined);
  return drafted.ok ? accept(drafted.value.channel) : drafted;
}

/** The channel file after `draft.former`, and its history, both unsigned. @param history undefined leaves the history as it is. */
export function draftChannelFiles(
  draft: ChannelDraft,
  history: HistoryDraft | undefined,
): Verdict<DraftedChannel, ChannelDraftCode> {
  const former = readFormer(draft.former, draft);
  if (!former.ok) return former;
  const part = nextPart(former.value, draft);
  if (!part.ok) return part;
  const again = neededReleases(part.value).flatMap((name) => listedAgain(former.value.targets, name, history));
  const listed = nextTargets(new Map([...former.value.targets, ...again]), draft);
  if (!listed.ok) return listed;
  const expires = draft.now + (draft.lifetimeMs ?? CHANNEL_LIFETIME_MS);
  const kept = { former: former.value, part: part.value, targets: listed.value, expires };
  const split = withHistory(draft, kept, history);
  if (!split.ok) return split;
  const { targets, delegations, pin, file } = split.value;
  const firmament = channelPartToJson({ ...part.value, history: pin });
  const signed = targetsToJson({
    type: 'targets',
    version: former.value.version + 1,
    expires,
    firmament: bindingToJson({ ...draft.repository, role: draft.channel }, firmament),
    targets,
    delegations,
  });
  const bytes = encodeMetadata(signed, []);
  const read = readFormer(bytes, draft);
  if (!read.ok) return read;
  const release = parseRelease(read.value.targets, part.value.release);
  return release.ok ? accept({ channel: bytes, history: file }) : release;
}

/** The releases that devices may have to take, or to stay with: they never go into the history. */
function neededReleases({ release, plan, graph }: ChannelPart): readonly string[] {
  const ends = (graph?.deadEnds ?? []).map((end) => end.release);
  return [release, ...(plan?.base === undefined ? [] : [plan.base]), ...(graph?.waypoints ?? []), ...ends];
}

/** The targets of a release that is needed again, out of the history. */
function listedAgain(
  listed: Targets,
  release: string,
  history: HistoryDraft | undefined,
): readonly (readonly [string, TargetFile])[] {
  const former = readRole(history?.former);
  if (former === undefined || ofRelease(listed, release).size > 0) return [];
  return [...ofRelease(former.signed.targets, release)];
}

/** What the channel lists itself, and what goes into its history. */
function withHistory(
  { repository, channel, now }: ChannelDraft,
  next: {
    readonly former: Content;
    readonly part: ChannelPart;
    readonly targets: Targets;
    readonly expires: Instant;
  },
  history: HistoryDraft | undefined,
): Verdict<ChannelWithHistory, HistoryCode> {
  const { targets, expires, part } = next;
  const former = { pin: next.former.part?.history, delegations: next.former.delegations };
  if (history === undefined) return accept({ targets, ...former, file: undefined });
  const before = next.former.part?.release;
  const kept = new Set([...neededReleases(part), ...(before === undefined ? [] : [before])]);
  return nextHistory({ repository, channel, now, expires, targets, kept, former, history });
}

function readFormer(
  bytes: Uint8Array | undefined,
  of: { readonly repository: RepositoryId; readonly channel: string },
): Verdict<Content, ChannelDraftCode> {
  if (bytes === undefined) return accept({ version: 0, targets: new Map(), delegations: undefined, part: undefined });
  const parsed = parseTargets(bytes);
  if (!parsed.ok) return parsed;
  const { version, targets, delegations, firmament } = parsed.value.signed;
  const bound = verifyBinding(firmament, { repository: of.repository, role: of.channel });
  if (!bound.ok) return bound;
  const part = parseChannelPart(firmament);
  return part.ok ? accept({ version, targets, delegations, part: part.value }) : part;
}

function nextPart({ part: former, version }: Content, draft: ChannelDraft): Verdict<ChannelPart, 'DRAFT_REFUSED'> {
  const release = draft.inForce ?? draft.release?.name ?? former?.release;
  if (release === undefined) return reject('DRAFT_REFUSED', 'a first channel needs a release');
  const floor = former?.minSecurityCounter ?? 0;
  const minSecurityCounter = draft.minSecurityCounter ?? floor;
  if (minSecurityCounter < floor) {
    return reject('DRAFT_REFUSED', `the least counter was ${floor} and cannot fall to ${minSecurityCounter}`);
  }
  const revokedDigests = [...new Set([...(former?.revokedDigests ?? []), ...(draft.revokedDigests ?? [])])];
  const { plan: given, resumes = [] } = draft;
  const plan = nextPlan(former?.plan, { release, version: version + 1, plan: given, resumes });
  if (!plan.ok) return plan;
  const graph = nextGraph(former?.graph, { ...draft.graph, inForce: release });
  if (!graph.ok) return graph;
  const event = nextEvent(former, draft);
  if (!event.ok) return event;
  const part = { release, minSecurityCounter, revokedDigests, plan: plan.value, graph: graph.value };
  return accept({ ...part, event: event.value });
}

/** The event over the former file as it was handed in: as published, signatures included. */
function nextEvent(
  former: ChannelPart | undefined,
  draft: ChannelDraft,
): Verdict<ChannelEvent | undefined, 'DRAFT_REFUSED'> {
  if (draft.event === undefined) {
    return former?.event === undefined
      ? accept(undefined)
      : reject('DRAFT_REFUSED', 'the former version names its authors: name those of this one');
  }
  const predecessor = draft.former === undefined ? undefined : sha256Hex(draft.former);
  return accept({ predecessor, ...draft.event });
}

function nextTargets(former: Targets, draft: ChannelDraft): Verdict<Targets, 'DRAFT_REFUSED'> {
  const { release, addedTargets = new Map<string, TargetFile>(), withoutReleases = [] } = draft;
  const kept = new Map([...former].filter(([name]) => !withoutReleases.includes(releaseOf(name) ?? '')));
  const added = release === undefined ? accept(addedTargets) : releaseTargets(release);
  if (!added.ok) return added;
  for (const name of new Set([...added.value.keys()].map(releaseOf))) {
    const standing = ofRelease(former, name);
    if (standing.size > 0 && !sameTargets(standing, ofRelease(added.value, name))) {
      return reject('DRAFT_REFUSED', `${name ?? ''} stands in the channel already, with other content`);
    }
  }
  return accept(new Map([...kept, ...added.value]));
}

function ofRelease(targets: Targets, release: string | undefined): Targets {
  return new Map([...targets].filter(([name]) => releaseOf(name) === release));
}

/** The targets of each component: its image, and the evidence beside it. */
function releaseTargets({ name, components }: ReleaseDraft): Verdict<Targets, 'DRAFT_REFUSED'> {
  const targets = new Map<string, TargetFile>();
  for (const [index, { component, image, provenance, vsa, ...part }] of components.entries()) {
    const custom = imagePartToCustom({ ...part, order: index + 1, provenance: provenance.file, vsa: vsa?.file });
    const files = [
      { ...image, custom },
      { ...provenance, custom: undefined },
      ...(vsa === undefined ? [] : [{ ...vsa, custom: undefined }]),
    ];
    for (const { file, ...target } of files) {
      const targetName = encodeTargetName({ release: name, component, file });
      if (parseTargetName(targetName) === undefined)
        return reject('DRAFT_REFUSED', 'a name is outside of what is allowed');
      if (targets.has(targetName)) return reject('DRAFT_REFUSED', `${targetName} stands twice`);
      targets.set(targetName, target);
    }
  }
  return accept(targets);
}

function sameTargets(a: Targets, b: Targets): boolean {
  return equalBytes(contentOf(a), contentOf(b));
}

/** One text for one content, whatever the order of the targets. */
function contentOf(targets: Targets): Uint8Array {
  return encodeCanonicalJson(
    new Map(
      [...targets].map(
        ([name, { length, sha256, custom }]) => [name, [length, sha256 ?? null, custom ?? new Map()]] as const,
      ),
    ),
  );
}
