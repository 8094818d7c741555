/**
 * Whether a new version of a channel keeps the rules over the former one, and whether what it adds was built as demanded.
 *
 * - Floors only rise: the least counter does not fall, what is revoked stays revoked (R11).
 * - A name is given once; counters in force neither fall nor jump (R9); what is in force is neither revoked nor below the least counter.
 * - The provenance of every image that the former version does not list is at hand, by digest, and holds; so does the summary of
 *   its judgement, where the targets role lists who may judge (`boot/verify-vsa.ts`).
 * - Releases of the former version were judged by those who signed it.
 */
import type { RepositoryId } from '../formats/binding.ts';
import { equalBytes } from '../formats/bytes.ts';
import { encodeCanonicalJson } from '../formats/canonical-json.ts';
import { COUNTER_JUMP_MAX } from '../formats/floors.ts';
import { parseTargetName } from '../formats/names.ts';
import type { Provenance } from '../formats/provenance.ts';
import { parseRelease, type Component, type Release } from '../formats/release.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { SignatureCheck } from '../formats/signature-check.ts';
import type { TrustPart } from '../formats/trust-part.ts';
import type { TargetFile } from '../formats/tuf-targets.ts';
import { accept, reject, type Verdict, type Verified } from '../formats/verdict.ts';
import { verifyProvenance, type ProvenanceCode } from '../bootloader-verifier/boot/verify-provenance.ts';
import { verifyDemandedVsa, type DemandedVsaCode } from '../bootloader-verifier/boot/verify-vsa.ts';
import type { ReadChannel } from './verify-event.ts';

/** A component of a new release, and the evidence that vouches for it. */
export type VouchedComponent = {
  readonly release: string;
  readonly component: Component;
  readonly provenance: Verified<Provenance>;
};
export type ChangeCode =
  | ProvenanceCode
  | DemandedVsaCode
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
  readonly evidence: readonly Uint8Array[];
};

/** Judges the change. @returns the components that are new, in the order of their releases. */
export function verifyChange(
  change: Change,
  by: { readonly repository: RepositoryId; readonly trust: TrustPart; readonly check: SignatureCheck },
): Verdict<readonly VouchedComponent[], ChangeCode> {
  const kept = verifyKept(change);
  if (!kept.ok) return kept;
  const inForce = verifyInForce(change);
  if (!inForce.ok) return inForce;
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
  return accept(vouched);
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
    if (before !== undefined && !isSame(before, target)) {
      return reject('DRAFT_REFUSED', `${name} was given to other content: release names are given once`);
    }
  }
  return accept(undefined);
}

function isSame(a: TargetFile, b: TargetFile): boolean {
  const content = ({ length, sha256, custom }: TargetFile): Uint8Array =>
    encodeCanonicalJson([length, sha256 ?? null, custom ?? null]);
  return equalBytes(content(a), content(b));
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
