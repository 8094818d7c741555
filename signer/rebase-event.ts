/**
 * The same change, drafted again on a channel that has moved on: what was signed is gone, and everybody signs again (rule R5).
 *
 * - The change is what the draft does to the file that it followed: releases added or dropped, what is in force, floors, the plan.
 * - Authors stay; who rebases without changing anything made nothing.
 * - A withdrawn draft is not carried on: what is wanted after all is drafted anew.
 */
import { sha256Hex } from '../formats/sha256.ts';
import type { Instant } from '../formats/instant.ts';
import { parseChannelPart, type ChannelPart } from '../formats/channel-part.ts';
import { releaseOf } from '../formats/names.ts';
import type { SigningEvent } from '../formats/signing-event.ts';
import { parseTargets, type TargetFile } from '../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { draftChannelFiles, type ChannelDraft, type ChannelDraftCode } from './draft-channel.ts';
import { rangeText } from '../formats/next-hop.ts';
import { GRAPH_EMPTY, type UpdateGraph, type VersionRange, type DeadEnd } from '../formats/update-graph.ts';
import type { GraphDraft } from './draft-graph.ts';
import { repositoryIdOf, type RepositoryIdCode } from './repository-id.ts';
import { keysOfRole } from './keys-of-role.ts';
import { verifyWithdrawals } from './verify-withdrawal.ts';

export type Rebase = {
  /** The newest file of the channel, as published. */
  readonly former: Uint8Array;
  /** The newest file of its history, where there is another one than the event follows. */
  readonly history?: Uint8Array | undefined;
  /** The newest roots and targets file, where they have changed. */
  readonly roots?: readonly Uint8Array[] | undefined;
  readonly delegatedBy?: Uint8Array | undefined;
  readonly now: Instant;
  readonly lifetimeMs: number;
  readonly notAfter: Instant;
};
export type RebaseCode = ChannelDraftCode | RepositoryIdCode | 'EVENT_MALFORMED' | 'EVENT_MISSING' | 'EVENT_WITHDRAWN';

type Read = {
  readonly version: number;
  readonly targets: ReadonlyMap<string, TargetFile>;
  readonly part: ChannelPart | undefined;
};

/** The event of the same change after `onto.former`, without signatures. */
export function rebaseEvent(event: SigningEvent, onto: Rebase): Verdict<SigningEvent, RebaseCode> {
  const roots = onto.roots ?? event.roots;
  const delegatedBy = onto.delegatedBy ?? event.delegatedBy;
  const [rootOne] = roots;
  if (rootOne === undefined) return reject('EVENT_MALFORMED', 'the event has no root');
  const repository = repositoryIdOf(rootOne);
  if (!repository.ok) return repository;
  const targets = parseTargets(delegatedBy);
  if (!targets.ok) return targets;
  const drafted = parseTargets(event.metadata);
  if (!drafted.ok) return drafted;
  const digest = sha256Hex(drafted.value.signedBytes);
  const keys = keysOfRole(targets.value, event.role);
  const withdrawn = verifyWithdrawals(event.withdrawn, { repository: repository.value, role: event.role, keys });
  if (withdrawn.some((withdrawal) => withdrawal.event === digest)) {
    return reject('EVENT_WITHDRAWN', 'a withdrawn draft is not carried on: draft anew what is wanted');
  }
  const change = changeOf(event, onto);
  if (!change.ok) return change;
  const history = { former: onto.history ?? event.history?.former, delegatedBy };
  const { former, now, lifetimeMs } = onto;
  const content = { ...change.value, repository: repository.value, channel: event.role, former, now, lifetimeMs };
  const next = draftChannelFiles(content, history);
  if (!next.ok) return next;
  const { channel: metadata, history: moved } = next.value;
  const files = moved === undefined ? undefined : { metadata: moved, former: history.former };
  return accept({ ...event, metadata, roots, delegatedBy, former, history: files, withdrawn: [] });
}

/** What the draft does to the file that it followed, as options of a draft. */
function changeOf(event: SigningEvent, { notAfter }: Rebase): Verdict<Partial<ChannelDraft>, RebaseCode> {
  const drafted = read(event.metadata);
  if (!drafted.ok) return drafted;
  const former =
    event.former === undefined ? accept({ version: 0, targets: new Map(), part: undefined }) : read(event.former);
  if (!former.ok) return former;
  const { part, targets, version } = drafted.value;
  if (part?.event === undefined) return reject('EVENT_MISSING', `${event.role} does not say who made it`);
  const before: Read = former.value;
  const isNew = <T>(now: T, then: T | undefined): T | undefined => (now === then ? undefined : now);
  const history = event.history === undefined ? accept(undefined) : parseTargets(event.history.metadata);
  if (!history.ok) return history;
  // What goes into the history goes by itself, when it is due.
  const dropped = [...before.targets.keys()].filter(
    (name) => !targets.has(name) && history.value?.signed.targets.has(name) !== true,
  );
  return accept({
    addedTargets: new Map([...targets].filter(([name]) => !before.targets.has(name))),
    withoutReleases: [...new Set(dropped.flatMap((name) => releaseOf(name) ?? []))],
    inForce: isNew(part.release, before.part?.release),
    minSecurityCounter: isNew(part.minSecurityCounter, before.part?.minSecurityCounter),
    revokedDigests: part.revokedDigests.filter((revoked) => before.part?.revokedDigests.includes(revoked) !== true),
    graph: graphChange(before.part?.graph, part.graph),
    plan: part.plan?.since === version ? part.plan : undefined,
    resumes: (part.plan?.resumes ?? []).filter((halt) => before.part?.plan?.resumes.includes(halt) !== true),
    event: { notAfter, authors: part.event.authors },
  });
}

/** What the draft says of ways, over what the former version said. */
function graphChange(before: UpdateGraph = GRAPH_EMPTY, now: UpdateGraph = GRAPH_EMPTY): GraphDraft {
  const named = (graph: UpdateGraph): readonly string[] => [
    ...graph.waypoints,
    ...graph.from.keys(),
    ...graph.deadEnds.map(({ release }) => release),
    ...graph.recalled,
  ];
  const kept = new Set(named(now));
  return {
    waypoints: now.waypoints.filter((release) => !before.waypoints.includes(release)),
    from: new Map([...now.from].filter(([release, ranges]) => !isSameRanges(before.from.get(release), ranges))),
    deadEnds: now.deadEnds.filter((end) => !before.deadEnds.some((former) => isSameEnd(former, end))),
    recalled: now.recalled.filter((release) => !before.recalled.includes(release)),
    without: named(before).filter((release) => !kept.has(release)),
  };
}

function isSameEnd(a: DeadEnd, b: DeadEnd): boolean {
  return a.release === b.release && a.reason === b.reason;
}

function isSameRanges(a: readonly VersionRange[] | undefined, b: readonly VersionRange[]): boolean {
  return a?.map(rangeText).join() === b.map(rangeText).join();
}

function read(bytes: Uint8Array): Verdict<Read, RebaseCode> {
  const parsed = parseTargets(bytes);
  if (!parsed.ok) return parsed;
  const part = parseChannelPart(parsed.value.signed.firmament);
  return part.ok ? accept({ ...parsed.value.signed, part: part.value }) : part;
}
