/**
 * What a signer goes on from whose memory was restored from a backup: the newest of memory and store, if both agree with all that is
 * known from elsewhere (rule R6).
 *
 * - The store is judged as a whole by the device's own code, from the root 1 that the memory names; its log must have grown from the
 *   memory's, or what the memory claims must lead there.
 * - Whoever else has seen something, a mirror or a checkpoint at hand, may have seen no more than that, and nothing else.
 * - Where roots demand witnesses a checkpoint with their quorum must be at hand: no device acts on more than they have seen.
 * - A version is never given twice: from now on online roles are signed above every version that a clock could have counted to, for
 *   no signer makes one in a millisecond. Entries of a log have no such room: the log must be the newest, or nobody may go on.
 * - That nothing newer was ever shown, nobody can prove without witnesses: a person confirms it, by the digest of what was found.
 */
import { encodeBase64 } from '../../formats/bytes.ts';
import { parseCheckpoint } from '../../formats/checkpoint.ts';
import { parseLogLeaf } from '../../formats/log-leaf.ts';
import type { Code } from '../../formats/codes.ts';
import type { Instant } from '../../formats/instant.ts';
import type { TreeHead } from '../../formats/merkle.ts';
import type { LogPolicy } from '../../formats/root-part.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { SNAPSHOT_BYTES_MAX } from '../../formats/tuf-snapshot.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { verifyCheckpoint } from '../../bootloader-verifier/boot/verify-log.ts';
import type { LogMemory } from '../log-memory.ts';
import type { SignerState } from '../signer-state.ts';
import { checkRepository, type CheckedRepository } from '../care/check-repository.ts';
import { objectOf, type CheckInput } from '../care/check-scene.ts';
import { readObject } from '../care/published-source.ts';
import type { KnownTree } from '../care/reach-log.ts';
import { metadataName } from '../care/reach-roles.ts';
import { begunAppend } from './begun-append.ts';

/** Versions of online roles, and the snapshot by content. */
export type OnlineVersions = Pick<SignerState, 'timestampVersion' | 'snapshotVersion' | 'snapshotSha256'>;
/** What somebody else has seen of the product. */
export type Seen = { readonly by: string; readonly online: OnlineVersions; readonly head: TreeHead | undefined };
export type ResumeInput = Omit<CheckInput, 'memory' | 'trees' | 'limits'> & {
  /** What the backup remembers; undefined where the product was founded since. */
  readonly state: SignerState | undefined;
  readonly log: LogMemory | undefined;
  readonly others: readonly Seen[];
  /** Checkpoints from witnesses, mirrors or devices: signed notes, of whatever log. */
  readonly checkpoints: readonly Uint8Array[];
};
export type ResumedState = {
  readonly state: SignerState;
  readonly log: LogMemory | undefined;
  /** What a person confirms: all that is taken as the newest. */
  readonly line: string;
};

const FOUNDED = 0;
const NO_LIMITS = { peopleMs: 0, onlineMs: 0 };
/** Beyond the clock, should it have been behind: as many versions as a signer makes in years. */
const VERSIONS_MARGIN = 2 ** 24;

/** What the memory would be; nothing is written. Faults of the world throw `OperationError`. */
export async function planResume(input: ResumeInput): Promise<Verdict<ResumedState>> {
  const checked = await checkRepository({ ...input, memory: undefined, limits: NO_LIMITS, trees: treesOf(input) });
  const sound = demandSound(checked, input.state);
  if (!sound.ok) return sound;
  const witnessed = demandWitnesses(checked.trusted.at(-1)?.part.log, input);
  if (!witnessed.ok) return witnessed;
  const shown = shownBy(checked);
  if (shown === undefined)
    return reject('REPOSITORY_DAMAGED', 'the store shows no timestamp: restore it from a mirror');
  const newest = await newestOf(input, shown);
  if (!newest.ok) return newest;
  for (const { by, online } of input.others) {
    const order = compareVersions(online, newest.value);
    if (order === 'conflict') return reject('REPOSITORY_CONFLICT', `${by} has seen other content of the same versions`);
    if (order === 'ahead') {
      const detail = `${by} has seen timestamp ${online.timestampVersion}, the store and the memory ${newest.value.timestampVersion}: copy it into the store first`;
      return reject('TIMESTAMP_ROLLBACK', detail);
    }
  }
  const log = await newestLog(input, checked);
  if (!log.ok) return log;
  return accept({
    state: stateOf(input, newest.value),
    log: log.value,
    line: `${lineOf(input, newest.value, log.value)}${sound.value}${begunLine(log.value, checked.log?.head)}`,
  });
}

/** What `checked`, a mirror as `by`, has seen. */
export function seenBy(by: string, checked: CheckedRepository): Seen | undefined {
  const online = shownBy(checked);
  return online && { by, online, head: checked.log?.head };
}

/**
 * Whether `checked` is whole. What has expired while nobody signed is whole all the same, and so is a root that was logged and never
 * shown, if the memory knows of none so new: the signer was lost over its publication, or the store hides it, and a person decides.
 * @returns what is to be confirmed of that.
 */
export function demandSound(checked: CheckedRepository, state: SignerState | undefined): Verdict<string> {
  const { findings } = checked;
  const unshown = unshownRoots(checked, state);
  const damage = findings
    .all()
    .filter(({ level, code, object }) => level === 'damage' && code !== 'METADATA_EXPIRED' && !unshown.has(object));
  const isOfLog = (code: Code): boolean => code === 'LOG_FORKED' || code === 'LOG_ROLLBACK';
  const first = damage.find(({ code }) => isOfLog(code)) ?? damage[0];
  if (first === undefined) return accept([...unshown].map((object) => `, logged and not shown: ${object}`).join(''));
  const { code, object, detail } = first;
  return isOfLog(code)
    ? reject(code, `${object}: ${detail}`)
    : reject('REPOSITORY_DAMAGED', `${object}: ${code}: ${detail}; firmament fsck names all of it`);
}

/** Roots that the log names and that lie nowhere, newer than all that the memory knows and all that lie there. */
function unshownRoots(
  { findings, beside, trusted }: CheckedRepository,
  state: SignerState | undefined,
): ReadonlySet<string> {
  const known = state?.standing?.rootVersion;
  const versionOf = (name: string): number => Number(/metadata\/(\d+)\.root\.json$/.exec(name)?.[1] ?? 0);
  const isGap = [...beside.keys()].some((name) => versionOf(name) > trusted.length);
  if (known === undefined || isGap) return new Set();
  const missing = findings.all().filter(({ code, object }) => code === 'NOT_FOUND' && versionOf(object) > known);
  return new Set(missing.map(({ object }) => object));
}

function treesOf({ log, others, checkpoints, state, repository }: ResumeInput): readonly KnownTree[] {
  const outside = (head: TreeHead, by: string): KnownTree => ({ ...head, by, isOutside: true });
  const remembered = log === undefined || state === undefined ? [] : [outside(log, 'state')];
  const mirrored = others.flatMap(({ by, head }) => (head === undefined ? [] : [outside(head, by)]));
  const noted = checkpoints.flatMap((bytes, i) => {
    const checkpoint = parseCheckpoint(bytes);
    const isOfIt = checkpoint.ok && checkpoint.value.origin === log?.origin;
    return isOfIt ? [outside(checkpoint.value, `checkpoint ${i + 1} for ${repository.product}`)] : [];
  });
  return [...remembered, ...mirrored, ...noted];
}

/** Where the newest root demands a quorum of witnesses, one of the checkpoints at hand carries it. */
export function demandWitnesses(
  policy: LogPolicy | undefined,
  { checkpoints, check }: Pick<ResumeInput, 'checkpoints' | 'check'>,
): Verdict<void, 'WITNESS_QUORUM_UNMET'> {
  if (policy === undefined || policy.quorum === 0) return accept(undefined);
  return checkpoints.some((bytes) => verifyCheckpoint(policy, bytes, check).ok)
    ? accept(undefined)
    : reject('WITNESS_QUORUM_UNMET', `bring a checkpoint of ${policy.origin} that its witnesses have cosigned`);
}

function shownBy({ timestamp, snapshotVersion }: CheckedRepository): OnlineVersions | undefined {
  if (timestamp === undefined || snapshotVersion === undefined) return undefined;
  const { version, snapshot } = timestamp;
  return { timestampVersion: version, snapshotVersion: snapshot.version, snapshotSha256: snapshot.sha256 ?? '' };
}

/** How `a` stands to `b`: two that go different ways, or say different things under one version, are in conflict. */
function compareVersions(a: OnlineVersions, b: OnlineVersions): 'same' | 'ahead' | 'behind' | 'conflict' {
  const timestamp = Math.sign(a.timestampVersion - b.timestampVersion);
  const snapshot = Math.sign(a.snapshotVersion - b.snapshotVersion);
  const isOther = snapshot === 0 && a.snapshotSha256 !== b.snapshotSha256;
  if (isOther || timestamp * snapshot < 0 || (timestamp === 0 && snapshot !== 0)) return 'conflict';
  return timestamp === 0 ? 'same' : timestamp > 0 ? 'ahead' : 'behind';
}

/** The newer of memory and store; where the memory is, its snapshot must lie in the store. */
async function newestOf(input: ResumeInput, shown: OnlineVersions): Promise<Verdict<OnlineVersions>> {
  const { state } = input;
  if (state === undefined) return accept(shown);
  const order = compareVersions(shown, state);
  if (order === 'conflict') {
    return reject('REPOSITORY_CONFLICT', 'the store shows other content under versions that the memory has signed');
  }
  if (order !== 'behind') return accept(shown);
  const name = objectOf(input, metadataName('snapshot', state.snapshotVersion));
  const kept = await readObject(input.source, name, SNAPSHOT_BYTES_MAX);
  const isKept = kept.ok && kept.value !== undefined && sha256Hex(kept.value) === state.snapshotSha256;
  return isKept
    ? accept(state)
    : reject('TIMESTAMP_ROLLBACK', `the store is behind the memory, and ${name} is not in it: it was set back`);
}

/** The larger one of memory and store; where the store is, with what a lost signer has begun to append there. */
async function newestLog(
  input: ResumeInput,
  { log: reached, trusted, beside }: CheckedRepository,
): Promise<Verdict<LogMemory | undefined>> {
  const { log, repository, check, source } = input;
  const policies = trusted.flatMap(({ part }) => (part.log === undefined ? [] : [part.log]));
  if (reached === undefined || policies.length === 0) return accept(log);
  const { size, rootHash } = reached.head;
  if (log !== undefined && log.size > size) return accept(log);
  const origin = log?.origin ?? policies.at(-1)?.origin ?? '';
  const shown = log?.size === size ? log : { origin, size, rootHash };
  return begunAppend({ source, repository, check, policies, names: [...beside.keys()] }, shown);
}

function stateOf({ state, repository, now }: ResumeInput, newest: OnlineVersions): SignerState {
  const { timestampVersion, snapshotVersion, snapshotSha256 } = newest;
  const { sweeps, withdrawn } = state ?? {};
  const versionFloor = floorAt(now, Math.max(timestampVersion, snapshotVersion, state?.versionFloor ?? FOUNDED));
  return { ...repository, timestampVersion, snapshotVersion, snapshotSha256, withdrawn, sweeps, versionFloor };
}

/** Above every version that was signed before `now`, as far as clocks can say, and above `known`. */
export function floorAt(now: Instant, known: number): number {
  return Math.max(now, known) + VERSIONS_MARGIN;
}

/** What is logged beyond what is shown, in words. */
function begunLine(log: LogMemory | undefined, shown: TreeHead | undefined): string {
  if (log?.entries === undefined || log.size <= (shown?.size ?? 0)) return '';
  const words = log.entries.map((entry) => {
    const leaf = parseLogLeaf(entry);
    if (!leaf.ok) return leaf.code;
    const what = leaf.value.type === 'root' ? 'root' : `${leaf.value.channel} ${leaf.value.release}`;
    return `${what} version ${leaf.value.version} ${leaf.value.sha256}`;
  });
  return `, begun and not shown: ${words.join(', ')}`;
}

function lineOf({ repository }: ResumeInput, newest: OnlineVersions, log: LogMemory | undefined): string {
  const { timestampVersion, snapshotVersion, snapshotSha256 } = newest;
  const tree = log === undefined ? 'no log' : `log ${log.size} ${encodeBase64(log.rootHash)}`;
  return `${repository.product} timestamp ${timestampVersion} snapshot ${snapshotVersion} ${snapshotSha256} ${tree}`;
}
