/**
 * A static copy of a published repository, brought from a source that is not believed.
 *
 * - Every object is judged by the device's own code before it gets its name: a lying source cannot choose a name, exceed a limit, or
 *   put anything in the mirror that was not signed.
 * - What devices find by a fixed name comes last: the checkpoint of the log, then new roots and the timestamp, in the order that locks
 *   out nobody; where neither order does (several rotations at once), roots come first, and devices wait for the timestamp.
 * - It never goes back: not behind the timestamp, the snapshot or the log that the mirror shows already.
 * - What is there and holds is not brought again: a cut costs the object that was under way, a second run the difference.
 */
import { equalBytes } from '../../formats/bytes.ts';
import { hashedTargetPath } from '../../formats/names.ts';
import type { RepositoryId } from '../../formats/binding.ts';
import type { Instant } from '../../formats/instant.ts';
import type { LogPolicy } from '../../formats/root-part.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { NOTE_BYTES_MAX } from '../../formats/signed-note.ts';
import { parseSnapshot, parseTimestamp, SNAPSHOT_BYTES_MAX, TIMESTAMP_BYTES_MAX } from '../../formats/tuf-snapshot.ts';
import { TARGETS_BYTES_MAX } from '../../formats/tuf-targets.ts';
import { accept, reject, type Rejected, type Verdict } from '../../formats/verdict.ts';
import { verifyRootFresh, type TrustedRoot } from '../../bootloader-verifier/boot/verify-root.ts';
import { verifyRefresh, type OnlineFiles } from '../verify-refresh.ts';
import type { MirrorPlace } from './mirror-place.ts';
import { judgeContent, readObject, type PublishedSource } from './published-source.ts';
import { CHECKPOINT_NAME, judgeCheckpoint, reachLog, type KnownTree } from './reach-log.ts';
import { reachProofs } from './reach-proofs.ts';
import {
  metadataName,
  reachOnline,
  reachRoots,
  targetsOf,
  type ReachedOnline,
  type ReachedRole,
} from './reach-roles.ts';
import type { Judge, Order, Reach } from './reach.ts';

export type MirrorInput = {
  readonly source: PublishedSource;
  readonly place: MirrorPlace;
  readonly repository: RepositoryId;
  readonly check: SignatureCheck;
  readonly now: Instant;
};
export type Mirrored = {
  readonly timestampVersion: number;
  readonly logSize: number | undefined;
  /** Objects that were brought, and that were there and held. */
  readonly brought: number;
  readonly kept: number;
};

/** Under a name that devices may ask for, and that the source has nothing for. */
const STRANGER = reject(
  'OBJECT_FOREIGN',
  'what stands in the mirror is not of this repository, nor has the source any: remove it',
);
const ROOT_NAME = /^metadata\/[0-9]+\.root\.json$/;
const TIMESTAMP_NAME = 'metadata/timestamp.json';
/** What devices find by a name that they know beforehand is shown last. */
const isShownLast = ({ name, isFixed }: Order): boolean => !isFixed || ROOT_NAME.test(name);

type Run = MirrorInput & {
  /** Whether roots that stand in the mirror are held against those of the source. */
  readonly areRootsAnew: boolean;
  /** What waits to be shown, by name. */
  readonly held: Map<string, Uint8Array>;
  /** Names that were brought, and that were there when they were first looked for. */
  readonly brought: Set<string>;
  readonly kept: Set<string>;
  /** The first refusal: nothing is brought after it. */
  refusal: Rejected | undefined;
};

/** Brings the mirror up to the source. Faults of the world throw `OperationError`; running again goes on. */
export async function mirrorRepository(input: MirrorInput): Promise<Verdict<Mirrored>> {
  const first = await bringAll(input, false);
  if (first.ok) return first;
  // Nothing but its signatures judges a root, and beside what they cover it may have been changed: then its proof is not found.
  const second = await bringAll(input, true);
  return second.ok ? second : first;
}

async function bringAll(input: MirrorInput, areRootsAnew: boolean): Promise<Verdict<Mirrored>> {
  const run: Run = { ...input, areRootsAnew, held: new Map(), brought: new Set(), kept: new Set(), refusal: undefined };
  const { repository, check } = input;
  const reach = reachIn(run);
  const before = await readBefore(run);
  const seen = before && { timestamp: before.timestamp, snapshot: before.snapshot };
  const roots = await reachRoots(reach, { repository, check });
  const newest = roots.ok ? roots.value.at(-1) : undefined;
  if (!roots.ok || newest === undefined) return roots.ok ? reject('NOT_FOUND', 'there is no root') : roots;
  const online = await reachOnline(reach, newest, { repository, check, seen });
  if (!online.ok) return run.refusal ?? online;
  const usable = demandUsable(newest, online.value, input.now);
  if (!usable.ok) return usable;
  const logSize = await bringLog(run, reach, { roots: roots.value, roles: online.value.roles });
  for (const target of targetsOf(online.value.roles).values()) {
    const brought = target.ok ? await reach.target(target.value) : target;
    if (!brought.ok) run.refusal ??= brought;
  }
  if (run.refusal !== undefined) return run.refusal;
  await show(run, { before, roots: roots.value, online: online.value });
  return accept({
    timestampVersion: online.value.timestamp.role.signed.version,
    logSize,
    brought: run.brought.size,
    kept: run.kept.size,
  });
}

/** Looks at what is there first, then at the source; keeps what was accepted from there. */
function reachIn(run: Run): Reach {
  const bring = async <T>(order: Order, judge: Judge<T>): Promise<Verdict<T | undefined>> => {
    if (run.refusal !== undefined) return run.refusal;
    const name = nameOf(run, order.name);
    const standing = order.isFixed ? await readObject(run.place.source, name, order.bytesMax) : undefined;
    const held = standing?.ok === true && standing.value !== undefined ? judge(standing.value) : undefined;
    const isDoubted = run.areRootsAnew && ROOT_NAME.test(order.name);
    if (held?.ok === true && !isDoubted) return keep(run, order.name, held);
    const offered = run.held.get(order.name) ?? (await offeredBytes(run, order));
    if (held?.ok === true && isSame(standing, offered)) return keep(run, order.name, held);
    if (offered instanceof Uint8Array) {
      const judged = judge(offered);
      if (!judged.ok) return refuse(run, order.name, judged);
      run.brought.add(order.name);
      if (isShownLast(order)) run.held.set(order.name, offered);
      else await run.place.keep(name, offered);
      return judged;
    }
    if (offered !== undefined) return refuse(run, order.name, offered);
    return held === undefined ? accept(undefined) : refuse(run, order.name, STRANGER);
  };
  return {
    fileIfAny: bring,
    file: async (order, judge) => {
      const brought = await bring(order, judge);
      if (!brought.ok) return brought;
      return brought.value === undefined
        ? refuse(run, order.name, reject('NOT_FOUND', 'the source does not have it'))
        : accept(brought.value);
    },
    together: (orders, judge) => bringTogether(run, orders, judge),
    target: (target) => bringTarget(run, target),
  };
}

function keep<T>({ brought, kept }: Run, name: string, held: T): T {
  if (!brought.has(name)) kept.add(name);
  return held;
}

/** Whether the source offers what stands in the mirror, or nothing that could take its place. */
function isSame(
  standing: Verdict<Uint8Array | undefined> | undefined,
  offered: Uint8Array | Rejected | undefined,
): boolean {
  if (!(offered instanceof Uint8Array)) return true;
  return standing?.ok === true && standing.value !== undefined && equalBytes(standing.value, offered);
}

/**
 * Takes what is there, the rest from the source; where that is refused, all of it from the source. Where that is refused too, the run
 * ends: whoever lies about one of them is not asked for more, to find out about which.
 */
async function bringTogether<T>(
  run: Run,
  orders: readonly Order[],
  judge: (bytes: readonly Uint8Array[]) => Verdict<T>,
): Promise<Verdict<T>> {
  if (run.refusal !== undefined) return run.refusal;
  const standing = new Map<string, Uint8Array>();
  for (const { name, bytesMax } of orders) {
    const bytes = await readObject(run.place.source, nameOf(run, name), bytesMax);
    if (bytes.ok && bytes.value !== undefined) standing.set(name, bytes.value);
  }
  const first = await bringRest(run, { orders, standing }, judge);
  if (first.ok || run.refusal !== undefined) return first;
  const second = standing.size === 0 ? first : await bringRest(run, { orders, standing: new Map() }, judge);
  return second.ok ? second : refuse(run, orders[0]?.name ?? CHECKPOINT_NAME, second);
}

async function bringRest<T>(
  run: Run,
  { orders, standing }: { readonly orders: readonly Order[]; readonly standing: ReadonlyMap<string, Uint8Array> },
  judge: (bytes: readonly Uint8Array[]) => Verdict<T>,
): Promise<Verdict<T>> {
  const files: Uint8Array[] = [];
  for (const order of orders) {
    const bytes = standing.get(order.name) ?? (await offeredBytes(run, order));
    if (bytes === undefined) return refuse(run, order.name, reject('NOT_FOUND', 'the source does not have it'));
    if (!(bytes instanceof Uint8Array)) return refuse(run, order.name, bytes);
    files.push(bytes);
  }
  const judged = judge(files);
  if (!judged.ok) return judged;
  for (const [i, { name }] of orders.entries()) {
    if (standing.has(name)) continue;
    await run.place.keep(nameOf(run, name), files[i] ?? new Uint8Array());
    run.brought.add(name);
  }
  for (const name of standing.keys()) keep(run, name, undefined);
  return judged;
}

async function offeredBytes(run: Run, { name, bytesMax }: Order): Promise<Uint8Array | Rejected | undefined> {
  const offered = await readObject(run.source, nameOf(run, name), bytesMax);
  return offered.ok ? offered.value : offered;
}

function refuse(run: Run, name: string, { code, detail }: Rejected): Rejected {
  run.refusal ??= reject(code, `${name}: ${detail}`);
  return run.refusal;
}

function nameOf({ repository }: Run, name: string): string {
  return `${repository.product}/${name}`;
}

async function bringTarget(run: Run, target: Parameters<Reach['target']>[0]): Promise<Verdict<void>> {
  if (run.refusal !== undefined) return run.refusal;
  const path = hashedTargetPath(target);
  const name = nameOf(run, path);
  const standing = await run.place.source.open(name);
  if (standing !== undefined && (await judgeContent(standing, target)).ok) {
    return keep(run, path, accept(undefined));
  }
  const offered = await run.source.open(name);
  if (offered === undefined) return refuse(run, path, reject('NOT_FOUND', 'the source does not have it'));
  const brought = await run.place.keepStream(name, (take) => judgeContent(offered, target, take));
  if (!brought.ok) return refuse(run, path, brought);
  run.brought.add(path);
  return brought;
}

/** Whether a device could go on from here now: a copy of what has expired serves nobody, and hides that it has. */
function demandUsable(root: TrustedRoot, { timestamp, snapshot, roles }: ReachedOnline, now: Instant): Verdict<void> {
  const fresh = verifyRootFresh(root, now);
  if (!fresh.ok) return fresh;
  const ends: readonly (readonly [string, Instant | undefined])[] = [
    ['timestamp', timestamp.role.signed.expires],
    ['snapshot', snapshot?.role.signed.expires],
    ['targets', roles.find(({ name }) => name === 'targets')?.expires],
  ];
  const expired = ends.find(([, expires]) => expires !== undefined && expires <= now);
  return expired === undefined ? accept(undefined) : reject('METADATA_EXPIRED', `${expired[0]} has expired`);
}

/** The whole log, as far as it has grown. @returns its size. */
async function bringLog(
  run: Run,
  reach: Reach,
  { roots, roles }: { readonly roots: readonly TrustedRoot[]; readonly roles: readonly ReachedRole[] },
): Promise<number | undefined> {
  const policies = roots.flatMap(({ part }) => (part.log === undefined ? [] : [part.log]));
  if (policies.length === 0 || run.refusal !== undefined) return undefined;
  const trees = await reachProofs(reach, { ...run, roots, roles });
  const log = await reachLog(reach, {
    ...{ repository: run.repository, check: run.check, policies },
    known: [...trees, ...(await shownTree(run, policies))],
    onStray: ({ size, by }, code) => void refuse(run, by, reject(code, `a tree of ${size} entries is not of this log`)),
  });
  return log.ok ? log.value.head.size : undefined;
}

/** The tree that the mirror shows already: what comes must have grown from it. What no log has signed says nothing: it is damaged. */
async function shownTree(run: Run, policies: readonly LogPolicy[]): Promise<readonly KnownTree[]> {
  const bytes = await readObject(run.place.source, nameOf(run, CHECKPOINT_NAME), NOTE_BYTES_MAX);
  const shown =
    bytes.ok && bytes.value !== undefined ? judgeCheckpoint({ policies, check: run.check }, bytes.value) : undefined;
  return shown?.ok === true ? [{ ...shown.value, by: CHECKPOINT_NAME }] : [];
}

/** What the mirror shows now, if it shows something whole. */
async function readBefore(run: Run): Promise<OnlineFiles | undefined> {
  const read = async (name: string, bytesMax: number): Promise<Uint8Array | undefined> => {
    const bytes = await readObject(run.place.source, nameOf(run, name), bytesMax);
    return bytes.ok ? bytes.value : undefined;
  };
  const timestamp = await read(TIMESTAMP_NAME, TIMESTAMP_BYTES_MAX);
  const shown = timestamp && parseTimestamp(timestamp);
  if (timestamp === undefined || shown?.ok !== true) return undefined;
  const snapshot = await read(metadataName('snapshot', shown.value.signed.snapshot.version), SNAPSHOT_BYTES_MAX);
  const listed = snapshot && parseSnapshot(snapshot);
  if (snapshot === undefined || listed?.ok !== true) return undefined;
  const roles = new Map<string, Uint8Array>();
  for (const [file, { version }] of listed.value.signed.meta) {
    const role = file.slice(0, -'.json'.length);
    const bytes = /^[a-z0-9-]+$/.test(role) ? await read(metadataName(role, version), TARGETS_BYTES_MAX) : undefined;
    if (bytes !== undefined) roles.set(role, bytes);
  }
  return { timestamp, snapshot, roles };
}

type Shown = {
  readonly before: OnlineFiles | undefined;
  readonly roots: readonly TrustedRoot[];
  readonly online: ReachedOnline;
};

/** Shows what was held back, in the order that locks out nobody. */
async function show(run: Run, shown: Shown): Promise<void> {
  const reveal = async (name: string): Promise<void> => {
    const bytes = run.held.get(name);
    if (bytes !== undefined) await run.place.keep(nameOf(run, name), bytes);
  };
  const roots = shown.roots.map(({ metadata }) => metadataName('root', metadata.signed.version));
  await reveal(CHECKPOINT_NAME);
  const rootsLast = areRootsLast(run, shown);
  if (!rootsLast) for (const root of roots) await reveal(root);
  if (!isShownAlready(run, shown)) await reveal(TIMESTAMP_NAME);
  if (rootsLast) for (const root of roots) await reveal(root);
}

/** A timestamp of the version that is shown already is not replaced: the one that was seen goes on (5.4.3.1). */
function isShownAlready({ repository, check }: Run, { before, online, roots }: Shown): boolean {
  const shown = before && parseTimestamp(before.timestamp);
  const root = roots.at(-1);
  if (before === undefined || root === undefined || shown?.ok !== true) return false;
  const holds = verifyRefresh({
    trust: { root, now: 0, check },
    repository,
    files: before,
    seen: undefined,
    freshChannels: new Set(),
  });
  return holds.ok && shown.value.signed.version === online.timestamp.role.signed.version;
}

/** Whether new roots come after the timestamp: what is shown now does not hold under them, and what comes holds under the old ones. */
function areRootsLast({ repository, check, held }: Run, { before, roots, online }: Shown): boolean {
  const { timestamp, snapshot, roles } = online;
  const isNew = ({ metadata }: TrustedRoot): boolean => held.has(metadataName('root', metadata.signed.version));
  const standing = roots.filter((root) => !isNew(root));
  if (before === undefined || snapshot === undefined || standing.length === roots.length) return false;
  const holds = (root: TrustedRoot, files: OnlineFiles): boolean =>
    verifyRefresh({ trust: { root, now: 0, check }, repository, files, seen: undefined, freshChannels: new Set() }).ok;
  if (roots.filter(isNew).every((root) => holds(root, before))) return false;
  const files = new Map(roles.map(({ name, bytes }) => [name, bytes]));
  const coming = { timestamp: timestamp.bytes, snapshot: snapshot.bytes, roles: files };
  return [...standing.slice(-1), ...roots.filter(isNew).slice(0, -1)].every((root) => holds(root, coming));
}
