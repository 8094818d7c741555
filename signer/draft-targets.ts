/**
 * Drafts of the top-level targets role, without signatures: the channels, who may sign them, the builders that count, the people.
 *
 * - It lists no targets of its own: releases stand in channels.
 * - A channel is a delegation over all names of ours, not terminating; none is named like a top-level role.
 * - A rollout adds two roles beside a channel that can approve nothing: an online key opens its waves, each of its managers halts
 *   (`docs/formats/plan.md`). The managers who halt are at every version those who sign the channel.
 * - The next version starts from the former file; channels and anchors are replaced by name, builders, factories and
 *   verifiers by identity, the rest stays. A former policy counts until it is named to go.
 * - The list of people is replaced as a whole; without a new one the former stays.
 * - A channel that goes must go by name: nothing is dropped by leaving it out.
 * - Source: TUF specification 1.0.34, section 4.5; `docs/formats/release.md`.
 */
import { bindingToJson, verifyBinding, type BindingCode, type RepositoryId } from '../formats/binding.ts';
import type { Judging, Verifier } from '../formats/judging.ts';
import { isSideRole, nameDecoder, sideRole } from '../formats/names.ts';
import type { Person } from '../formats/people.ts';
import type { PublicKey } from '../formats/signature-check.ts';
import type { Factory, IdentityAnchor } from '../formats/identity-trust.ts';
import { parseTrustPart, trustPartToJson, type Builder, type TrustPart } from '../formats/trust-part.ts';
import { encodeMetadata, type MetadataParseCode } from '../formats/tuf-metadata.ts';
import { parseTargets, targetsToJson, type DelegatedRole, type Delegations } from '../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import type { DraftTime } from './draft-root.ts';
import { TARGETS_LIFETIME_MS } from './lifetimes.ts';
import { keysById, quorumToRole, type Quorum } from './quorum.ts';

export type ChannelDelegation = { readonly name: string; readonly quorum: Quorum };
/** Who opens the waves of a channel: any one of these keys. */
export type RolloutDelegation = { readonly channel: string; readonly keys: readonly PublicKey[] };
export type TargetsDraft = DraftTime & {
  readonly repository: RepositoryId;
  /** The newest targets file; undefined for the first one. */
  readonly former: Uint8Array | undefined;
  /** Channels to add, or to give other keys. */
  readonly channels?: readonly ChannelDelegation[];
  /** Channels that go, and the roles beside them. */
  readonly withoutChannels?: readonly string[];
  /** Channels whose releases may come with a plan from now on, or whose waves others open. */
  readonly rollouts?: readonly RolloutDelegation[];
  /** Builders to add; those of the same identity are replaced. */
  readonly builders?: readonly Builder[];
  /** Identities of builders that count no longer. */
  readonly withoutBuilders?: readonly string[];
  /** Whose key is whose, instead of what the former version says. */
  readonly people?: readonly Person[] | undefined;
  /** Factories to add; those of the same id are replaced. */
  readonly factories?: readonly Factory[];
  readonly withoutFactories?: readonly string[];
  /** Anchors of the CA to add; those of the same name are replaced. */
  readonly identityAnchors?: readonly IdentityAnchor[];
  readonly withoutIdentityAnchors?: readonly string[];
  /** Verifiers to add; those of the same identity are replaced. */
  readonly verifiers?: readonly Verifier[];
  /** Identities of verifiers that count no longer. */
  readonly withoutVerifiers?: readonly string[];
  /** SHA-256 of the policy to put in force; what was judged by the former one still counts. */
  readonly policySha256?: string | undefined;
  /** SHA-256 of former policies whose summaries count no longer. */
  readonly withoutPolicies?: readonly string[];
};
export type TargetsDraftCode = MetadataParseCode | BindingCode | 'RELEASE_MALFORMED' | 'DRAFT_REFUSED';

/** What a channel may sign: every target name of ours, `RELEASE/COMPONENT/FILE`. */
const CHANNEL_PATHS: readonly string[] = ['*/*/*'];
/** What the roles beside a channel may sign: no name of ours, so that no client ever looks for a target there. */
const SIDE_PATHS: readonly string[] = ['-'];
const RESERVED: readonly string[] = ['root', 'targets', 'snapshot', 'timestamp'];

type Content = {
  readonly version: number;
  readonly delegations: Delegations;
  readonly trust: TrustPart;
};

/** The targets file after `draft.former`, unsigned. */
export function draftTargets(draft: TargetsDraft): Verdict<Uint8Array, TargetsDraftCode> {
  const former = readFormer(draft.former, draft.repository);
  if (!former.ok) return former;
  const delegations = nextDelegations(former.value.delegations, draft);
  if (!delegations.ok) return delegations;
  const judging = nextJudging(former.value.trust.judging, draft);
  if (!judging.ok) return judging;
  const trust = { ...nextTrust(former.value.trust, draft), judging: judging.value };
  const binding = { ...draft.repository, role: 'targets' };
  const signed = targetsToJson({
    type: 'targets',
    version: former.value.version + 1,
    expires: draft.now + (draft.lifetimeMs ?? TARGETS_LIFETIME_MS),
    firmament: bindingToJson(binding, trustPartToJson(trust)),
    targets: new Map(),
    delegations: delegations.value,
  });
  const bytes = encodeMetadata(signed, []);
  const read = readFormer(bytes, draft.repository);
  return read.ok ? accept(bytes) : read;
}

function readFormer(bytes: Uint8Array | undefined, repository: RepositoryId): Verdict<Content, TargetsDraftCode> {
  if (bytes === undefined)
    return accept({ version: 0, delegations: { keys: new Map(), roles: [] }, trust: { builders: [] } });
  const parsed = parseTargets(bytes);
  if (!parsed.ok) return parsed;
  const { version, delegations, firmament } = parsed.value.signed;
  const bound = verifyBinding(firmament, { repository, role: 'targets' });
  if (!bound.ok) return bound;
  const trust = parseTrustPart(firmament);
  if (!trust.ok) return trust;
  return accept({
    version,
    delegations: delegations ?? { keys: new Map(), roles: [] },
    trust: trust.value,
  });
}

function nextDelegations(former: Delegations, draft: TargetsDraft): Verdict<Delegations, 'DRAFT_REFUSED'> {
  const { channels = [], withoutChannels = [] } = draft;
  const unknown = withoutChannels.find((name) => !former.roles.some((role) => role.name === name));
  if (unknown !== undefined) return reject('DRAFT_REFUSED', `${unknown} is no channel of the former version`);
  const replaced = new Set([...channels.map(({ name }) => name), ...withoutChannels]);
  if (replaced.size < channels.length + withoutChannels.length) {
    return reject('DRAFT_REFUSED', 'a channel is named twice');
  }
  const roles: DelegatedRole[] = former.roles.filter(({ name }) => !replaced.has(name) && !isSideRole(name));
  for (const { name, quorum } of channels) {
    if (!nameDecoder(name).ok || !nameDecoder(sideRole(name, 'rollout')).ok || isReserved(name)) {
      return reject(
        'DRAFT_REFUSED',
        'a channel has a short name of lower-case letters, digits and dashes, not that of a top-level role or one beside a channel',
      );
    }
    const role = quorumToRole(name, quorum);
    if (!role.ok) return role;
    roles.push({ ...role.value, name, terminating: false, paths: CHANNEL_PATHS });
  }
  const sides = sideRoles(former, roles, draft);
  if (!sides.ok) return sides;
  const all = [...roles, ...sides.value];
  const listed = new Set(all.flatMap(({ keyids }) => keyids));
  const rollouts = (draft.rollouts ?? []).map(({ keys }) => ({ keys, threshold: 1 }));
  const known: ReadonlyMap<string, PublicKey> = new Map([
    ...former.keys,
    ...keysById([...channels.map(({ quorum }) => quorum), ...rollouts]),
  ]);
  return accept({ keys: new Map([...known].filter(([keyid]) => listed.has(keyid))), roles: all });
}

function isReserved(name: string): boolean {
  return RESERVED.includes(name) || isSideRole(name);
}

/** The two roles beside each of `channels` that has a rollout, before or by the draft. */
function sideRoles(
  former: Delegations,
  channels: readonly DelegatedRole[],
  { rollouts = [] }: TargetsDraft,
): Verdict<readonly DelegatedRole[], 'DRAFT_REFUSED'> {
  const unknown = rollouts.find(({ channel }) => !channels.some(({ name }) => name === channel));
  if (unknown !== undefined)
    return reject('DRAFT_REFUSED', `${unknown.channel}, which is to have waves, is no channel`);
  const sides: DelegatedRole[] = [];
  for (const channel of channels) {
    const name = sideRole(channel.name, 'rollout');
    const given = rollouts.find((rollout) => rollout.channel === channel.name);
    const before = former.roles.find((role) => role.name === name);
    const keys = given === undefined ? accept(before) : quorumToRole(name, { keys: given.keys, threshold: 1 });
    if (!keys.ok) return keys;
    if (keys.value === undefined) continue;
    const { keyids } = keys.value;
    const common = { threshold: 1, terminating: false, paths: SIDE_PATHS };
    sides.push({ ...common, name, keyids });
    sides.push({ ...common, name: sideRole(channel.name, 'halt'), keyids: channel.keyids });
  }
  return accept(sides);
}

function nextTrust(former: TrustPart, draft: TargetsDraft): Omit<TrustPart, 'judging'> {
  const { builders = [], factories = [], identityAnchors = [] } = draft;
  const { withoutBuilders = [], withoutFactories = [], withoutIdentityAnchors = [] } = draft;
  const byId = ({ id }: { readonly id: string }): string => id;
  const byName = ({ name }: IdentityAnchor): string => name;
  return {
    people: draft.people ?? former.people,
    builders: next(former.builders, { added: builders, without: withoutBuilders }, byId),
    factories: orAbsent(next(former.factories ?? [], { added: factories, without: withoutFactories }, byId)),
    identityAnchors: orAbsent(
      next(former.identityAnchors ?? [], { added: identityAnchors, without: withoutIdentityAnchors }, byName),
    ),
  };
}

/** The former entries without those that go or are replaced, then the added ones. */
function next<T>(
  former: readonly T[],
  change: { readonly added: readonly T[]; readonly without: readonly string[] },
  nameOf: (entry: T) => string,
): readonly T[] {
  const replaced = new Set([...change.added.map(nameOf), ...change.without]);
  return [...former.filter((entry) => !replaced.has(nameOf(entry))), ...change.added];
}

function orAbsent<T>(entries: readonly T[]): readonly T[] | undefined {
  return entries.length === 0 ? undefined : entries;
}

/** Verifiers and policy come and go together: without the one the other says nothing. */
function nextJudging(former: Judging | undefined, draft: TargetsDraft): Verdict<Judging | undefined, 'DRAFT_REFUSED'> {
  const { verifiers = [], withoutVerifiers = [], withoutPolicies = [] } = draft;
  const replaced = new Set([...verifiers.map(({ id }) => id), ...withoutVerifiers]);
  const listed = [...(former?.verifiers ?? []).filter(({ id }) => !replaced.has(id)), ...verifiers];
  const sha256 = draft.policySha256 ?? former?.policy.sha256;
  if (listed.length === 0 && draft.policySha256 === undefined) return accept(undefined);
  if (listed.length === 0 || sha256 === undefined) {
    return reject('DRAFT_REFUSED', 'a verifier judges by a policy, and a policy needs a verifier');
  }
  const before = former === undefined ? [] : [former.policy.sha256, ...former.policy.stillAccepted];
  const stillAccepted = before.filter((policy) => policy !== sha256 && !withoutPolicies.includes(policy));
  return accept({ verifiers: listed, policy: { sha256, stillAccepted } });
}
