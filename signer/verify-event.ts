/**
 * Whether a key holder's tool may offer a signing event to be signed: decided from bytes, by what this person trusts and remembers.
 *
 * - Roots from the newest one that this person has seen; targets by their quorum, not older than any that was seen (P2).
 * - The channel is of this repository and role (R1), and says what it follows and who made it.
 * - What it follows is the file beside it, signed by the channel's quorum, and the newest that this person knows of (R5).
 * - Not past its time, not withdrawn; of the digest that the person was told, if one was.
 * - The change keeps the rules of a channel, and the evidence of what is new holds (`verify-change.ts`).
 * - What is signed afterwards is what was judged here: `signEvent` takes nothing else.
 */
import { verifyBinding, type BindingCode } from '../formats/binding.ts';
import type { ChannelEvent } from '../formats/channel-event.ts';
import { parseChannelPart, type ChannelPart } from '../formats/channel-part.ts';
import { encodeInstant, type Instant } from '../formats/instant.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { SigningEvent } from '../formats/signing-event.ts';
import { parseTrustPart, type TrustPart } from '../formats/trust-part.ts';
import type { Metadata } from '../formats/tuf-metadata.ts';
import { parseTargets, type Targets } from '../formats/tuf-targets.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../formats/verdict.ts';
import { authorsOf, type QuorumCode } from '../bootloader-verifier/boot/verify-quorum.ts';
import { verifyRootChain, type RootCode, type TrustedRoot } from '../bootloader-verifier/boot/verify-root.ts';
import {
  verifyChannelRole,
  verifyTargetsRole,
  type SignedRoleCode,
  type TrustedTargets,
} from '../bootloader-verifier/boot/verify-targets.ts';
import { keysOfRole } from './keys-of-role.ts';
import type { KeyHolderMemory, Version } from './key-holder-memory.ts';
import { checkSignature } from './signature-check-node.ts';
import { verifyChange, type ChangeCode, type VouchedComponent } from './verify-change.ts';
import { verifyWithdrawals } from './verify-withdrawal.ts';

/** A channel file that was read: its metadata and the part of ours. */
export type ReadChannel = { readonly metadata: Metadata<Targets>; readonly part: ChannelPart };
export type JudgedEvent = Verified<{
  readonly event: SigningEvent;
  /** SHA-256 of the channel's signed part: the name of the event. */
  readonly digest: string;
  readonly root: TrustedRoot;
  readonly targets: TrustedTargets;
  readonly trust: TrustPart;
  readonly channel: ReadChannel & { readonly event: ChannelEvent };
  readonly former: ReadChannel | undefined;
  /** The people behind the authors; none where nobody is listed. */
  readonly authors: ReadonlySet<string>;
  /** The components of new releases, with the evidence that vouches for them. */
  readonly added: readonly VouchedComponent[];
  /** Releases that are history from this version on. */
  readonly moved: readonly string[];
}>;
export type EventCode =
  | RootCode
  | SignedRoleCode
  | BindingCode
  | QuorumCode
  | ChangeCode
  | 'RELEASE_MALFORMED'
  | 'EVENT_MALFORMED'
  | 'EVENT_STALE'
  | 'EVENT_EXPIRED'
  | 'EVENT_WITHDRAWN'
  | 'EVENT_MISMATCH';

/** What a person holds against an event. */
export type EventTrust = {
  readonly memory: KeyHolderMemory;
  readonly now: Instant;
  /** The newest file of the channel that the person knows to be published; undefined if none was named. */
  readonly published?: Uint8Array | undefined;
  /** The digest that people agreed on by other ways; undefined if none was stated. */
  readonly digest?: string | undefined;
};

/** Judges `event`. */
export function verifyEvent(event: SigningEvent, trust: EventTrust): Verdict<JudgedEvent, EventCode> {
  const above = verifyAbove(event, trust.memory);
  if (!above.ok) return above;
  const channel = readBound(event.metadata, event.role, trust.memory);
  if (!channel.ok) return channel;
  const own = channel.value.part.event;
  if (own === undefined) return reject('EVENT_MISSING', `${event.role} does not say what it follows and who made it`);
  const digest = sha256Hex(channel.value.metadata.signedBytes);
  const drafted = { channel: { ...channel.value, event: own }, digest };
  const current = verifyCurrent({ ...drafted, ...above.value }, event, trust);
  if (!current.ok) return current;
  const former = verifyFormer({ ...drafted, ...above.value }, event, trust);
  if (!former.ok) return former;
  const { people } = above.value.trust;
  const authors = people === undefined ? accept(new Set<string>()) : authorsOf(own.authors, people);
  if (!authors.ok) return authors;
  const { role, history, evidence } = event;
  const delegatedBy = above.value.targets.signed;
  const change = { channel: channel.value, former: former.value, history, delegatedBy, role, evidence };
  const changed = verifyChange(change, {
    repository: trust.memory.repository,
    trust: above.value.trust,
    check: checkSignature,
  });
  if (!changed.ok) return changed;
  const judged = {
    event,
    ...above.value,
    ...drafted,
    former: former.value,
    authors: authors.value,
    ...changed.value,
  };
  return accept(markVerified(judged));
}

type Above = Pick<JudgedEvent, 'root' | 'targets' | 'trust'>;
type Drafted = Pick<JudgedEvent, 'channel' | 'digest'>;

/** Root and targets: what says who may sign. */
function verifyAbove(event: SigningEvent, memory: KeyHolderMemory): Verdict<Above, EventCode> {
  const { repository } = memory;
  const chain = verifyRootChain(event.roots, memory.root, checkSignature);
  if (!chain.ok) return chain;
  const root = chain.value.newest;
  const isRootOne = root.sha256 === repository.rootOneSha256;
  const rootBound = verifyBinding(root.metadata.signed.firmament, { repository, role: 'root', isRootOne });
  if (!rootBound.ok) return rootBound;
  const targets = verifyTargetsRole(root, event.delegatedBy, { check: checkSignature });
  if (!targets.ok) return targets;
  const { firmament, version } = targets.value.signed;
  const bound = verifyBinding(firmament, { repository, role: 'targets' });
  if (!bound.ok) return bound;
  if (version < memory.targetsVersion) {
    return reject('EVENT_STALE', `targets version ${version}; you have seen version ${memory.targetsVersion}`);
  }
  const trust = parseTrustPart(firmament);
  return trust.ok ? accept({ root, targets: targets.value, trust: trust.value }) : trust;
}

function readBound(bytes: Uint8Array, role: string, { repository }: KeyHolderMemory): Verdict<ReadChannel, EventCode> {
  const metadata = parseTargets(bytes);
  if (!metadata.ok) return metadata;
  const { firmament } = metadata.value.signed;
  const bound = verifyBinding(firmament, { repository, role });
  if (!bound.ok) return bound;
  const part = parseChannelPart(firmament);
  return part.ok ? accept({ metadata: metadata.value, part: part.value }) : part;
}

/** Time, withdrawals, and the digest that the person was told. */
function verifyCurrent(
  { channel, digest, targets }: Above & Drafted,
  { role, withdrawn }: SigningEvent,
  { memory, now, digest: told }: EventTrust,
): Verdict<void, EventCode> {
  if (told !== undefined && told !== digest) {
    return reject('EVENT_MISMATCH', `this is ${digest}, not the digest that you named`);
  }
  const { repository } = memory;
  const isOfThis = ({ event }: { readonly event: string }): boolean => event === digest;
  const stated = verifyWithdrawals(withdrawn, { repository, role, keys: keysOfRole(targets, role) });
  if (stated.some(isOfThis) || memory.withdrawn.some(({ sha256 }) => sha256 === digest)) {
    return reject('EVENT_WITHDRAWN', `${role} ${digest.slice(0, 12)}… was withdrawn, for ever`);
  }
  const { notAfter } = channel.event;
  return notAfter < now
    ? reject('EVENT_EXPIRED', `it was to be published until ${encodeInstant(notAfter)}`)
    : accept(undefined);
}

/** What the draft follows: the file beside it, by digest and version, and nothing newer that is known. */
function verifyFormer(
  { channel, targets }: Above & Drafted,
  { role, former: bytes }: SigningEvent,
  { memory, published }: EventTrust,
): Verdict<ReadChannel | undefined, EventCode> {
  const { predecessor } = channel.event;
  const { version } = channel.metadata.signed;
  const follows = bytes === undefined ? undefined : sha256Hex(bytes);
  if (follows !== predecessor)
    return reject('EVENT_MALFORMED', 'the former file beside it is not the one that it names');
  const former = bytes === undefined ? accept(undefined) : readSigned(bytes, role, { targets, memory });
  if (!former.ok) return former;
  const before = former.value?.metadata.signed.version ?? 0;
  if (version !== before + 1) return reject('DRAFT_REFUSED', `version ${version} after version ${before}`);
  const told = published === undefined ? accept(undefined) : readSigned(published, role, { targets, memory });
  if (!told.ok) return told;
  const known = [memory.channels.get(role), told.value && versionOf(told.value, published)];
  const newer = known.find(
    (seen) => seen !== undefined && (before < seen.version || (before === seen.version && predecessor !== seen.sha256)),
  );
  return newer === undefined
    ? former
    : reject('EVENT_STALE', `it follows version ${before}; you have seen ${role} version ${newer.version}`);
}

/** A channel file by its version and the digest of its bytes. */
function versionOf({ metadata }: ReadChannel, bytes: Uint8Array = new Uint8Array()): Version {
  return { version: metadata.signed.version, sha256: sha256Hex(bytes) };
}

/** A channel file that the quorum of its role has signed. */
function readSigned(
  bytes: Uint8Array,
  role: string,
  by: { readonly targets: TrustedTargets; readonly memory: KeyHolderMemory },
): Verdict<ReadChannel, EventCode> {
  const signed = verifyChannelRole(by.targets, { name: role, bytes }, { check: checkSignature });
  return signed.ok ? readBound(bytes, role, by.memory) : signed;
}
