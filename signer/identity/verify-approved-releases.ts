/**
 * What devices may run now, read from what is published: the reference values of evidence.
 *
 * - By the device's own code: roots from the first one on, targets and channels by their quorums, each bound to repository and role.
 * - The store is not believed: what is read is what the signer's own state names (`read-published.ts`).
 * - What a channel names as its history was approved once, and may still run where nothing revokes it.
 * - A channel that has expired approves nothing any more, and neither does one whose part cannot be read.
 * - What is found holds until the first of what it was read from expires; then it is to be read again.
 */
import { verifyBinding, type RepositoryId } from '../../formats/binding.ts';
import { parseChannelPart, type ChannelPart, type HistoryPin } from '../../formats/channel-part.ts';
import type { Instant } from '../../formats/instant.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { parseTrustPart, type TrustPart } from '../../formats/trust-part.ts';
import { sideRole } from '../../formats/names.ts';
import { parseTargets, type TargetFile } from '../../formats/tuf-targets.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';
import { verifyRootChain } from '../../bootloader-verifier/boot/verify-root.ts';
import {
  verifyDelegatedRole,
  verifyTargetsRole,
  type TrustedTargets,
} from '../../bootloader-verifier/boot/verify-targets.ts';
import type { Published } from '../publication.ts';
import { verifyPinned } from '../verify-history.ts';

export type ApprovedChannel = { readonly part: ChannelPart; readonly targets: ReadonlyMap<string, TargetFile> };
export type ApprovedReleases = Verified<{
  readonly trust: TrustPart;
  readonly channels: ReadonlyMap<string, ApprovedChannel>;
  /** From when on this is not known any more. */
  readonly until: Instant;
}>;

/** What the people of `repository` approve now. */
export function verifyApprovedReleases(
  published: Published,
  repository: RepositoryId,
  by: { readonly now: Instant; readonly check: SignatureCheck },
): Verdict<ApprovedReleases, 'BOOT_NOT_APPROVED'> {
  const targets = verifiedTargets(published, repository, by);
  const trust = targets === undefined ? undefined : parseTrustPart(targets.signed.firmament);
  if (targets === undefined || trust?.ok !== true) {
    return reject('BOOT_NOT_APPROVED', 'nothing that is published carries the quorum of the targets role');
  }
  const channels = new Map<string, ApprovedChannel>();
  let until = targets.signed.expires;
  for (const { name } of targets.signed.delegations?.roles ?? []) {
    const bytes = published.roles.get(name);
    const role = bytes === undefined ? undefined : verifyDelegatedRole(targets, { name, bytes }, by);
    if (role?.ok !== true || role.value.signed.expires <= by.now) continue;
    const { firmament } = role.value.signed;
    const part = parseChannelPart(firmament);
    if (!part.ok || !verifyBinding(firmament, { repository, role: name }).ok) continue;
    const history = pinnedHistory(published.roles.get(sideRole(name, 'history')), part.value.history);
    channels.set(name, { part: part.value, targets: new Map([...history, ...role.value.signed.targets]) });
    until = Math.min(until, role.value.signed.expires);
  }
  return accept(markVerified({ trust: trust.value, channels, until }));
}

/** What is in the history that the channel names by its content; nothing, if the file is another one. */
function pinnedHistory(file: Uint8Array | undefined, pin: HistoryPin | undefined): ReadonlyMap<string, TargetFile> {
  const parsed = file === undefined ? undefined : parseTargets(file);
  if (parsed?.ok !== true || pin === undefined || !verifyPinned(parsed.value, pin).ok) return new Map();
  return parsed.value.signed.targets;
}

function verifiedTargets(
  published: Published,
  repository: RepositoryId,
  { now, check }: { readonly now: Instant; readonly check: SignatureCheck },
): TrustedTargets | undefined {
  const roots = verifyRootChain(published.roots, { version: 1, sha256: repository.rootOneSha256 }, check);
  const bytes = published.roles.get('targets');
  const role = roots.ok && bytes !== undefined ? verifyTargetsRole(roots.value.newest, bytes, { check }) : undefined;
  if (role?.ok !== true || role.value.signed.expires <= now) return undefined;
  return verifyBinding(role.value.signed.firmament, { repository, role: 'targets' }).ok ? role.value : undefined;
}
