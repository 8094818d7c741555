/**
 * Whether a published repository is whole, seen from outside: all that any device may ask for, and all else that lies beside it.
 *
 * - Everything is judged by the device's own code: every step of the root chain, every role, target, proof, tile and entry.
 * - What the signer remembers is held against it, where it is at hand (R6); without it a store that was set back as a whole to an
 *   older, whole state cannot be told from one that is so old.
 * - What lies there and nothing names is judged by itself and named as a warning; nothing is changed, and nothing is stopped at,
 *   what cannot be read included.
 * - The cost grows with the bytes of the repository; of targets one chunk is held at a time.
 */
import { equalBytes } from '../../formats/bytes.ts';
import { hashedTargetPath, nameDecoder } from '../../formats/names.ts';
import { accept, reject, type Rejected, type Verdict } from '../../formats/verdict.ts';
import type { TrustedRoot } from '../../bootloader-verifier/boot/verify-root.ts';
import type { TrustedTimestamp } from '../../bootloader-verifier/boot/verify-timestamp.ts';
import { checkBeside } from './check-beside.ts';
import { checkExpiry } from './check-expiry.ts';
import { checkMemory, checkUnseenRoots } from './check-memory.ts';
import { checkPartial, listBeside, type Beside } from './list-beside.ts';
import { checkQuorums } from './check-quorums.ts';
import { objectOf, readToCheck, type CheckInput, type Known } from './check-scene.ts';
import { findings, type Findings } from './finding.ts';
import { judgeContent, orUnreadable } from './published-source.ts';
import { CHECKPOINT_NAME, reachLog, type KnownTree, type ReachedLog } from './reach-log.ts';
import { reachProofs } from './reach-proofs.ts';
import { metadataName, reachOnline, reachRoots, targetsOf, type ReachedOnline } from './reach-roles.ts';
import type { Reach } from './reach.ts';

export type CheckedRepository = {
  readonly findings: Findings;
  readonly objects: number;
  readonly roots: number;
  readonly roles: ReadonlyMap<string, number>;
  readonly targets: number;
  readonly logSize: number | undefined;
  /** Names below the product that devices may ask for, and all that lies there. */
  readonly reached: ReadonlySet<string>;
  readonly beside: Beside['objects'];
  readonly snapshotVersion: number | undefined;
  /** What devices see, as far as it holds, and the roots that lead to it. */
  readonly timestamp: TrustedTimestamp['signed'] | undefined;
  readonly trusted: readonly TrustedRoot[];
  readonly log: ReachedLog | undefined;
};
/** Checks everything. Faults of the world throw `OperationError`. */
export async function checkRepository(input: CheckInput): Promise<CheckedRepository> {
  const found = findings();
  const reached = new Set<string>();
  const reach = reachIn(input, { found, reached });
  const beside = await listBeside(input);
  const roots = await reachRoots(reach, input);
  const chain = roots.ok ? roots.value : [];
  const newest = chain.at(-1);
  const online = newest && (await reachOnline(reach, newest, input));
  const reachedOnline = online?.ok === true ? online.value : undefined;
  const roles = reachedOnline?.roles ?? [];
  checkNames(input, found, reachedOnline);
  const targets = targetsOf(roles);
  for (const [path, target] of targets) {
    if (target.ok) await reach.target(target.value);
    else found.damage(objectOf(input, path), target);
  }
  const trees = newest === undefined ? [] : await reachProofs(reach, { ...input, roots: chain, roles });
  const unseenRoots: number[] = [];
  const log = await checkLog(reach, { input, found, roots: chain, trees, beside, unseenRoots });
  const known: Known = { input, found, reached, roots: chain, online: reachedOnline, log };
  checkExpiry(known);
  checkQuorums(known);
  await checkMemory(known);
  await checkUnseenRoots(known, unseenRoots);
  await checkBeside(known, beside);
  return {
    findings: found,
    objects: reached.size,
    roots: chain.length,
    roles: new Map(roles.map(({ name, version }) => [name, version])),
    targets: targets.size,
    logSize: log?.head.size,
    ...{ reached, beside: beside.objects },
    snapshotVersion: reachedOnline?.snapshot?.role.signed.version,
    ...{ timestamp: reachedOnline?.timestamp.role.signed, trusted: chain, log },
  };
}

/** A role whose name none of ours has is brought by nobody: its name is never made a path. */
function checkNames(input: CheckInput, found: Findings, online: ReachedOnline | undefined): void {
  const snapshot = online?.snapshot?.role.signed;
  for (const file of snapshot?.meta.keys() ?? []) {
    if (nameDecoder(file.slice(0, -'.json'.length)).ok) continue;
    const name = objectOf(input, metadataName('snapshot', snapshot?.version ?? 0));
    found.damage(name, reject('ROLE_NOT_DELEGATED', 'it lists a role of a name that none of ours has'));
  }
}

type Sight = { readonly found: Findings; readonly reached: Set<string> };

/** Reads from the source, and tells everything that is refused. */
function reachIn(input: CheckInput, { found, reached }: Sight): Reach {
  const told = <T>(name: string, verdict: Verdict<T>): Verdict<T> => {
    reached.add(name);
    if (!verdict.ok) found.damage(objectOf(input, name), verdict);
    return verdict;
  };
  const missing = reject('NOT_FOUND', 'it is missing, and devices may ask for it');
  return {
    file: async ({ name, bytesMax }, judge) => {
      const bytes = await readToCheck(input, name, bytesMax);
      if (!bytes.ok) return told(name, bytes);
      return told(name, bytes.value === undefined ? missing : judge(bytes.value));
    },
    fileIfAny: async ({ name, bytesMax }, judge) => {
      const bytes = await readToCheck(input, name, bytesMax);
      if (!bytes.ok) return told(name, bytes);
      return bytes.value === undefined ? accept(undefined) : told(name, judge(bytes.value));
    },
    together: async (orders, judge) => {
      const files: Uint8Array[] = [];
      let refusal: Rejected | undefined;
      for (const { name, bytesMax } of orders) {
        const bytes = await readToCheck(input, name, bytesMax);
        const present = bytes.ok && bytes.value === undefined ? missing : bytes;
        const judged = told(name, present);
        if (judged.ok) files.push(judged.value ?? new Uint8Array());
        else refusal ??= judged;
      }
      return refusal ?? judge(files);
    },
    target: async (target) => {
      const name = hashedTargetPath(target);
      return told(
        name,
        await orUnreadable(async () => {
          const body = await input.source.open(objectOf(input, name));
          return body === undefined ? missing : judgeContent(body, target);
        }),
      );
    },
  };
}

type LogScene = {
  readonly input: CheckInput;
  readonly found: Findings;
  readonly roots: readonly TrustedRoot[];
  readonly trees: readonly KnownTree[];
  readonly beside: Beside;
  /** Roots that are logged and not there, as they are found. */
  readonly unseenRoots: number[];
};

async function checkLog(
  reach: Reach,
  { input, found, roots, trees, beside, unseenRoots }: LogScene,
): Promise<ReachedLog | undefined> {
  const policies = roots.flatMap(({ part }) => (part.log === undefined ? [] : [part.log]));
  if (policies.length === 0) return undefined;
  const remembered = input.memory?.log;
  const state = remembered === undefined ? [] : [{ ...remembered, by: 'state', isOutside: true as const }];
  const known: readonly KnownTree[] = [...trees, ...state, ...(input.trees ?? [])];
  const isClaimed = (tree: KnownTree, shown: number): boolean =>
    beside.claim?.size === tree.size || known.some((other) => isAppendTo(shown, other) && isSameTree(other, tree));
  const log = await reachLog(reach, {
    ...{ repository: input.repository, check: input.check, policies, known },
    onStray: (tree, code, shown) => strayTree({ input, found, isClaimed: isClaimed(tree, shown) }, tree, code),
    onLeaf: (leaf) => {
      if (leaf.type === 'root' && leaf.version > roots.length) unseenRoots.push(leaf.version);
    },
    onGrown: (tile) => checkPartial({ input, found }, beside, tile),
  });
  return log.ok ? log.value : undefined;
}

/** Whether the entries that somebody has of `tree` are just those that a log of `shown` entries lacks. */
function isAppendTo(shown: number, { size, entries }: KnownTree): boolean {
  return entries !== undefined && size - entries.length === shown;
}

function isSameTree(a: KnownTree, b: KnownTree): boolean {
  return a.size === b.size && equalBytes(a.rootHash, b.rootHash);
}

/** A tree beyond the checkpoint is one that is claimed, or one that the store has lost; a stray one within it is a fork. */
function strayTree(
  { input, found, isClaimed }: Pick<LogScene, 'input' | 'found'> & { readonly isClaimed: boolean },
  { size, by, isOutside }: KnownTree,
  code: 'LOG_FORKED' | 'LOG_ROLLBACK',
): void {
  if (code === 'LOG_FORKED') {
    const by_ = isOutside === true ? by : objectOf(input, by);
    found.damage(by_, reject(code, `its tree of ${size} entries is not the one of this log`));
  } else if (isClaimed) {
    found.warning(
      objectOf(input, CHECKPOINT_NAME),
      reject('PUBLICATION_UNFINISHED', `a tree of ${size} entries was about to be published`),
    );
  } else {
    found.damage(objectOf(input, CHECKPOINT_NAME), reject(code, `${by} leads to a tree of ${size} entries`));
  }
}
