/**
 * Whether a channel's history is the one that the channel names, and keeps all that was ever in it.
 *
 * - The channel delegates it to its own quorum, over its own names, to nobody else, and delegates nothing else.
 * - Version and content are those that the channel's quorum signed: without the channel the history says nothing.
 * - It is listed in the snapshot, signed and bound like every role, so that other clients find what is in it.
 * - A channel that has a history has one for ever; nothing goes out of it.
 */
import { equalBytes } from '../formats/bytes.ts';
import { encodeCanonicalJson } from '../formats/canonical-json.ts';
import { parseChannelPart, type HistoryPin } from '../formats/channel-part.ts';
import { sideRole } from '../formats/names.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { Metadata } from '../formats/tuf-metadata.ts';
import type { TargetFile, Targets } from '../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { historyDelegation, isSameDelegation } from './history-delegation.ts';
import { readRole } from './parsed-role.ts';
import type { Candidate } from './publication.ts';

export type HistoryMismatch = 'HISTORY_MISMATCH';

/**
 * Decides whether `channel` delegates what it names, and nothing else.
 * @param by.targets what delegates the channel.
 * @returns the name of the role, or undefined if the channel has no history.
 */
export function verifyHistoryDelegation(
  channel: Metadata<Targets>,
  by: { readonly name: string; readonly targets: Targets },
): Verdict<string | undefined, HistoryMismatch> {
  const { delegations, firmament } = channel.signed;
  const part = parseChannelPart(firmament);
  const pin = part.ok ? part.value.history : undefined;
  const expected = pin === undefined ? undefined : historyDelegation(by.targets, by.name);
  if (!isSameDelegation(delegations, expected)) {
    return broken(`${by.name} delegates another role than its history, or to others than its own quorum`);
  }
  return accept(pin === undefined ? undefined : sideRole(by.name, 'history'));
}

/** Decides whether `history` is the content that `pin` names. */
export function verifyPinned(history: Metadata<Targets>, pin: HistoryPin): Verdict<void, HistoryMismatch> {
  const { signed, signedBytes } = history;
  return signed.version === pin.version && sha256Hex(signedBytes) === pin.sha256
    ? accept(undefined)
    : broken(`version ${signed.version} is not the history that the channel names, version ${pin.version}`);
}

/** Decides whether the history of `channel` in `candidate` is the one that it names, and still has all that it had. */
export function verifyHistory({ roles, before }: Candidate, channel: string): Verdict<void, HistoryMismatch> {
  const name = sideRole(channel, 'history');
  const pin = pinIn(roles.get(channel));
  const standing = before.roles.get(name);
  if (pin === undefined) {
    return pinIn(before.roles.get(channel)) === undefined && standing === undefined
      ? accept(undefined)
      : broken(`${channel} names no history any more`);
  }
  const history = readRole(roles.get(name));
  if (history === undefined) return broken(`${channel} names a history that is not there`);
  const pinned = verifyPinned(history, pin);
  return pinned.ok ? verifyKept(readRole(standing), history) : pinned;
}

/** Decides whether `history` has all that `former` had, and a higher version if it is another file. */
export function verifyKept(
  former: Metadata<Targets> | undefined,
  history: Metadata<Targets>,
): Verdict<void, HistoryMismatch> {
  if (former === undefined || equalBytes(former.signedBytes, history.signedBytes)) return accept(undefined);
  if (history.signed.version !== former.signed.version + 1) {
    return broken(`history version ${history.signed.version} after ${former.signed.version}`);
  }
  for (const [name, target] of former.signed.targets) {
    const now = history.signed.targets.get(name);
    if (now === undefined || !isSameTarget(now, target)) return broken(`${name} has gone out of the history`);
  }
  return accept(undefined);
}

/** Whether two targets say the same of a file. */
export function isSameTarget(a: TargetFile, b: TargetFile): boolean {
  const content = ({ length, sha256, custom }: TargetFile): Uint8Array =>
    encodeCanonicalJson([length, sha256 ?? null, custom ?? null]);
  return equalBytes(content(a), content(b));
}

function pinIn(file: Uint8Array | undefined): HistoryPin | undefined {
  const channel = readRole(file);
  const part = channel && parseChannelPart(channel.signed.firmament);
  return part?.ok === true ? part.value.history : undefined;
}

function broken(detail: string): Verdict<never, HistoryMismatch> {
  return reject('HISTORY_MISMATCH', detail);
}
