/**
 * Whether a new version of a channel keeps the rules over the former one, and whether what it adds was built as demanded.
 *
 * - The ways of the channel leave nobody stranded (`verify-graph.ts`).
 * - Where another history is named, it is at hand, has all that the former one had, and takes in only what the former version listed.
 * - Floors only rise: the least counter does not fall, what is revoked stays revoked (R11).
 * - A name is given once; counters in force neither fall nor jump (R9); what is in force is neither revoked nor below the least counter.
 * - The provenance of every image that the former version does not list is at hand, by digest, and holds; so does the summary of
 *   its judgement, where the targets role lists who may judge (`boot/verify-vsa.ts`).
 * - Releases of the former version were judged by those who signed it.
 */
import { verifyBinding, type RepositoryId } from '../formats/binding.ts';
import type { HistoryPin } from '../formats/channel-part.ts';
import { COUNTER_JUMP_MAX } from '../formats/floors.ts';
import { parseTargetName, releaseOf, sideRole } from '../formats/names.ts';
import type { Provenance } from '../formats/provenance.ts';
import { parseRelease, type Component, type Release } from '../formats/release.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';
import type { HistoryFiles } from '../formats/signing-event.ts';
import type { TrustPart } from '../formats/trust-part.ts';
import type { Metadata } from '../formats/tuf-metadata.ts';
import { parseTargets, type Targets } from '../formats/tuf-targets.ts';
import { accept, reject, type Verdict, type Verified } from '../formats/verdict.ts';
import { verifyProvenance, type ProvenanceCode } from '../bootloader-verifier/boot/verify-provenance.ts';
import { verifyDemandedVsa, type DemandedVsaCode } from '../bootloader-verifier/boot/verify-vsa.ts';
import type { ReadChannel } from './verify-event.ts';
import { verifyGraph } from './verify-graph.ts';
import {
  isSameTarget,
  verifyHistoryDelegation,
  verifyKept as verifyHistoryKept,
  verifyPinned,
  type HistoryMismatch,
} from './verify-history.ts';

/** A component of a new release, and the evidence that vouches for it. */
export type VouchedComponent = {
  readonly release: string;
  readonly component: Component;
  readonly provenance: Verified<Provenance>;
};
export type ChangeCode =
  | ProvenanceCode
  | DemandedVsaCode
  | HistoryMismatch
  | 'GRAPH_REFUSED'
  | 'RELEASE_MALFORMED'
  | 'TARGET_NAME_REFUSED'
  | 'DRAFT_REFUSED'
  | 'IMAGE_ROLLBACK'
  | 'IMAGE_REVOKED'
  | 'COUNTER_JUMP'
  | 'EVIDENCE_MISMATCH';
export type Change = {
  readonly channel: ReadChannel;
  readonly former: ReadChannel | undefined;
  readonly history: HistoryFiles | undefined;
  /** The targets role, which delegates the channel. */
  readonly delegatedBy: Targets;
  readonly role: string;
  readonly evidence: readonly Uint8Array[];
};
/** What a change adds, and which releases it puts into the history. */
export type JudgedChange = { readonly added: readonly VouchedComponent[]; readonly moved: readonly string[] };

/** Judges the change. @returns the components that are new, in the order of their releases, and the releases that are history from now on. */
export function verifyChange(
  change: Change,
  by: { readonly repository: RepositoryId; readonly trust: TrustPart; readonly check: SignatureCheck },
): Verdict<JudgedChange, ChangeCode> {
  const kept = verifyKept(change);
  if (!kept.ok) return kept;
  const moved = verifyMoved(change, by.repository);
  if (!moved.ok) return moved;
  const inForce = verifyInForce(change);
  if (!inForce.ok) return inForce;
  const graph = verifyGraph(change.channel.metadata, new Map());
  if (!graph.ok) return graph;
  const releases = addedReleases(change);
  if (!releases.ok) return releases;
  const evidence = new Map(change.evidence.map((bytes) => [sha256Hex(bytes), bytes]));
  const vouched: VouchedComponent[] = [];
  for (const { release, components } of releases.value) {
    for (const component of components) {
      const { name, sha256 } = component.provenanceTarget;
      const bytes = evidence.get(sha256);
      if (bytes === undefined) return reject('EVIDENCE_MISMATCH', `${name} is not in the event`);
      const demanded = { imageSha256: component.image.sha256, builders: by.trust.builders };
      const provenance = verifyProvenance(bytes, demanded, by.check);
      if (!provenance.ok) return reject(provenance.code, `${name}: ${provenance.detail}`);
      const vsa = evidence.get(component.vsaTarget?.sha256 ?? '');
      const { repository, trust } = by;
      const judged = verifyDemandedVsa(vsa, { repository, component, judging: trust.judging }, by.check);
      if (!judged.ok) return judged;
      vouched.push({ release, component, provenance: provenance.value });
    }
  }
  return accept({ added: vouched, moved: moved.value });
}

/** What may not be taken back. */
function verifyKept({ channel, former }: Change): Verdict<void, 'DRAFT_REFUSED'> {
  if (former === undefined) return accept(undefined);
  const { minSecurityCounter, revokedDigests } = channel.part;
  if (minSecurityCounter < former.part.minSecurityCounter) {
    return reject('DRAFT_REFUSED', `the least counter falls from ${former.part.minSecurityCounter}`);
  }
  if (former.part.revokedDigests.some((digest) => !revokedDigests.includes(digest))) {
    return reject('DRAFT_REFUSED', 'a digest that was revoked is revoked no longer');
  }
  for (const [name, target] of channel.metadata.signed.targets) {
    const before = former.metadata.signed.targets.get(name);
    if (before !== undefined && !isSameTarget(before, target)) {
      return reject('DRAFT_REFUSED', `${name} was given to other content: release names are given once`);
    }
  }
  return accept(undefined);
}

/** What goes into the history: nothing, or what the former version listed with the same content. */
function verifyMoved(
  { channel, former, history, delegatedBy, role }: Change,
  repository: RepositoryId,
): Verdict<readonly string[], ChangeCode> {
  const { history: pin } = channel.part;
  const before = former?.part.history;
  const delegated = verifyHistoryDelegation(channel.metadata, { name: role, targets: delegatedBy });
  if (!delegated.ok) return delegated;
  if (pin === undefined || (pin.version === before?.version && pin.sha256 === before.sha256)) {
    if (pin === undefined && before !== undefined) return reject('HISTORY_MISMATCH', 'the history is named no longer');
    return history === undefined
      ? accept([])
      : reject('HISTORY_MISMATCH', 'a history travels along that the channel does not bring');
  }
  if (history === undefined)
    return reject('HISTORY_MISMATCH', 'the history that the channel names is not in the event');
  const file = readHistory(history.metadata, { pin, role, repository });
  if (!file.ok) return file;
  const stood = before && readHistory(history.former ?? new Uint8Array(), { pin: before, role, repository });
  if (stood?.ok === false) return stood;
  const kept = verifyHistoryKept(stood?.value, file.value);
  if (!kept.ok) return kept;
  const moved = new Set<string>();
  for (const [name, target] of file.value.signed.targets) {
    if (stood?.value.signed.targets.has(name) === true) continue;
    const listed = former?.metadata.signed.targets.get(name);
    if (listed === undefined || !isSameTarget(listed, target)) {
      return reject('HISTORY_MISMATCH', `${name} goes into the history without having been listed`);
    }
    moved.add(releaseOf(name) ?? '');
  }
  return accept([...moved]);
}

function readHistory(
  bytes: Uint8Array,
  of: { readonly pin: HistoryPin; readonly role: string; readonly repository: RepositoryId },
): Verdict<Metadata<Targets>, ChangeCode> {
  const parsed = parseTargets(bytes);
  if (!parsed.ok) return reject('HISTORY_MISMATCH', `the history cannot be read: ${parsed.code}: ${parsed.detail}`);
  const { repository, role } = of;
  const name = sideRole(role, 'history');
  const bound = verifyBinding(parsed.value.signed.firmament, { repository, role: name });
  if (!bound.ok) return reject('HISTORY_MISMATCH', `${name}: ${bound.code}: ${bound.detail}`);
  const pinned = verifyPinned(parsed.value, of.pin);
  return pinned.ok ? parsed : pinned;
}

/** Whether devices that run the former release in force would take the new one. */
function verifyInForce({ channel, former }: Change): Verdict<void, ChangeCode> {
  const { part, metadata } = channel;
  const release = parseRelease(metadata.signed.targets, part.release);
  if (!release.ok) return release;
  const before = former && parseRelease(former.metadata.signed.targets, former.part.release);
  if (before?.ok === false) return before;
  for (const { component, securityCounter, image } of release.value.components) {
    if (part.revokedDigests.includes(image.sha256)) return reject('IMAGE_REVOKED', `${image.name} is revoked`);
    const floor = before?.value.components.find((found) => found.component === component)?.securityCounter;
    const least = Math.max(part.minSecurityCounter, floor ?? 0);
    if (securityCounter < least) {
      return reject('IMAGE_ROLLBACK', `${image.name}: counter ${securityCounter}, at least ${least} is demanded`);
    }
    if (floor !== undefined && securityCounter > floor + COUNTER_JUMP_MAX) {
      return reject('COUNTER_JUMP', `${image.name}: counter ${securityCounter} after ${floor}`);
    }
  }
  return accept(undefined);
}

/** The releases of which the former version lists nothing, or less. */
function addedReleases({
  channel,
  former,
}: Change): Verdict<readonly Release[], 'RELEASE_MALFORMED' | 'TARGET_NAME_REFUSED'> {
  const { targets } = channel.metadata.signed;
  const names = new Set<string>();
  for (const name of targets.keys()) {
    const parts = parseTargetName(name);
    if (parts === undefined) return reject('TARGET_NAME_REFUSED', 'a target is not named RELEASE/COMPONENT/FILE');
    if (former?.metadata.signed.targets.has(name) !== true) names.add(parts.release);
  }
  const releases: Release[] = [];
  for (const name of names) {
    const release = parseRelease(targets, name);
    if (!release.ok) return release;
    releases.push(release.value);
  }
  return accept(releases);
}
