/**
 * Which releases go out of a channel into its history, and the history's next file, without signatures.
 *
 * - What devices may still have to take stands in the channel: what is in force, what was before, and whatever the draft names.
 * - What is spare stays as well, until there is more of it than `CHANNEL_SPARE_MAX`; then all of it goes at once. So a release
 *   normally writes a channel, a snapshot and a timestamp, and the channel does not grow with the years.
 * - Nothing goes out of a history. It is made anew when releases come in, when the channel's quorum is another one, or when it
 *   would expire before the channel does.
 * - Specified in `docs/formats/release.md`.
 */
import { bindingToJson, verifyBinding, type BindingCode, type RepositoryId } from '../formats/binding.ts';
import { encodeUtf8 } from '../formats/bytes.ts';
import { canonicalText } from '../formats/canonical-json.ts';
import type { HistoryPin } from '../formats/channel-part.ts';
import type { Instant } from '../formats/instant.ts';
import { releaseOf, sideRole } from '../formats/names.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { HISTORY_BYTES_MAX } from '../formats/signing-event.ts';
import { encodeMetadata, type Metadata, type MetadataParseCode } from '../formats/tuf-metadata.ts';
import {
  parseTargets,
  targetsToJson,
  type Delegations,
  type TargetFile,
  type Targets,
} from '../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { historyDelegation, isSameDelegation } from './history-delegation.ts';
import { HISTORY_LIFETIME_MS } from './lifetimes.ts';
import { parsedRole } from './parsed-role.ts';

/** Where the releases that go out of a channel are kept. */
export type HistoryDraft = {
  /** The newest file of `CHANNEL-history`; undefined as long as there is none. */
  readonly former: Uint8Array | undefined;
  /** The newest targets file: its quorum of the channel is that of the history. */
  readonly delegatedBy: Uint8Array;
};
export type HistoryCode = MetadataParseCode | BindingCode | 'DRAFT_REFUSED';
type TargetMap = ReadonlyMap<string, TargetFile>;
/** What a channel says of its history, and what it still lists itself. */
export type ChannelWithHistory = {
  readonly targets: TargetMap;
  readonly pin: HistoryPin | undefined;
  readonly delegations: Delegations | undefined;
  /** The history's new file; undefined where the former one stays. */
  readonly file: Uint8Array | undefined;
};
export type HistoryInput = {
  readonly repository: RepositoryId;
  readonly channel: string;
  readonly now: Instant;
  /** When the channel's next version expires. */
  readonly expires: Instant;
  /** The channel's targets before anything goes out. */
  readonly targets: TargetMap;
  /** Releases that stay in the channel. */
  readonly kept: ReadonlySet<string>;
  readonly former: { readonly pin: HistoryPin | undefined; readonly delegations: Delegations | undefined };
  readonly history: HistoryDraft;
};

/** How many releases a channel lists beside those that devices may still have to take. */
export const CHANNEL_SPARE_MAX = 2;
/** Room for the signatures of a quorum. */
const SIGNATURES_BYTES_MAX = 65_536;

/** The channel's targets and delegation after `input`, and its history. */
export function nextHistory(input: HistoryInput): Verdict<ChannelWithHistory, HistoryCode> {
  const { channel, former, history, targets, expires } = input;
  const delegator = parseTargets(history.delegatedBy);
  if (!delegator.ok) return delegator;
  const delegations = historyDelegation(delegator.value.signed, channel);
  if (delegations === undefined) return reject('DRAFT_REFUSED', `${channel} is not delegated by that targets file`);
  const before = readFormer(input);
  if (!before.ok) return before;
  const spare = new Set(
    [...targets.keys()].map((name) => releaseOf(name) ?? '').filter((name) => !input.kept.has(name)),
  );
  const moved = spare.size > CHANNEL_SPARE_MAX ? spare : new Set<string>();
  const isStale =
    former.pin !== undefined &&
    (!isSameDelegation(former.delegations, delegations) || (before.value?.signed.expires ?? expires) < expires);
  if (moved.size === 0 && !isStale) return accept({ targets, ...former, file: undefined });
  if (former.pin !== undefined && before.value === undefined) {
    return reject('DRAFT_REFUSED', `the newest file of ${sideRole(channel, 'history')} is needed: name it`);
  }
  const { file, pin } = historyFile(input, before.value, moved);
  if (file.length > HISTORY_BYTES_MAX - SIGNATURES_BYTES_MAX) {
    return reject('DRAFT_REFUSED', `a history of ${file.length} bytes, at most ${HISTORY_BYTES_MAX} are read`);
  }
  const listed = new Map([...targets].filter(([name]) => !moved.has(releaseOf(name) ?? '')));
  return accept({ targets: listed, pin, delegations, file });
}

/** The former history, which the former channel names; undefined where there is none, or none was handed in. */
function readFormer({
  history,
  former,
  repository,
  channel,
}: HistoryInput): Verdict<Metadata<Targets> | undefined, HistoryCode> {
  if (history.former === undefined) return accept(undefined);
  const parsed = parsedRole(history.former);
  if (!parsed.ok) return parsed;
  const bound = verifyBinding(parsed.value.signed.firmament, { repository, role: sideRole(channel, 'history') });
  if (!bound.ok) return bound;
  const isNamed = former.pin !== undefined && sha256Hex(parsed.value.signedBytes) === former.pin.sha256;
  return isNamed ? parsed : reject('DRAFT_REFUSED', 'that history is not the one that the former channel names');
}

function historyFile(
  { repository, channel, now, targets }: HistoryInput,
  before: Metadata<Targets> | undefined,
  moved: ReadonlySet<string>,
): { readonly file: Uint8Array; readonly pin: HistoryPin } {
  const { version, targets: kept } = before?.signed ?? { version: 0, targets: new Map<string, TargetFile>() };
  const added = [...targets].filter(([name]) => moved.has(releaseOf(name) ?? ''));
  const signed = targetsToJson({
    type: 'targets',
    version: version + 1,
    expires: now + HISTORY_LIFETIME_MS,
    firmament: bindingToJson({ ...repository, role: sideRole(channel, 'history') }),
    targets: new Map([...kept, ...added]),
    delegations: undefined,
  });
  const canonical = canonicalText(signed);
  return {
    file: encodeMetadata(signed, [], canonical),
    pin: { version: version + 1, sha256: sha256Hex(encodeUtf8(canonical)) },
  };
}
