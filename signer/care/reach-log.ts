/**
 * The walk through a product's log, from its checkpoint down: every tile and bundle judged by what stands above it, every entry by
 * what it says, every proof by the tree that it leads to.
 *
 * - One pass from left to right; what is held grows with the height of the tree, not with its size.
 * - Every checkpoint that any proof carries must be of this log, and no larger than its checkpoint; what such a device needs to go on
 *   from there must stand (the partial tiles of that size).
 * - Whoever finds something damaged is told of it and of nothing below it: what hangs from a damaged tile cannot be judged.
 * - Source: RFC 6962; C2SP tlog-tiles and tlog-proof.
 */
import type { RepositoryId } from '../../formats/binding.ts';
import { encodeHex, equalBytes } from '../../formats/bytes.ts';
import { parseLogLeaf, type LogLeaf } from '../../formats/log-leaf.ts';
import { LOG_PROOF_BYTES_MAX } from '../../formats/log-proof.ts';
import {
  BUNDLE_BYTES_MAX,
  edgeTiles,
  parseEntryBundle,
  parseTile,
  TILE_BYTES_MAX,
  TILE_WIDTH,
  tileName,
  type TilePlace,
} from '../../formats/log-tiles.ts';
import { perfectRoot, tileKey, treeRoot } from '../../formats/log-tree.ts';
import { leafHash, type TreeHead } from '../../formats/merkle.ts';
import { LOG_FOLDER, logProofPath } from '../../formats/names.ts';
import type { LogPolicy } from '../../formats/root-part.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { NOTE_BYTES_MAX } from '../../formats/signed-note.ts';
import { accept, reject, type Rejected, type Verdict } from '../../formats/verdict.ts';
import { verifyCheckpoint, verifyLogged, type TrustedCheckpoint } from '../../bootloader-verifier/boot/verify-log.ts';
import { logRows, type GrownTile, type LogRows } from './log-rows.ts';
import type { Order, Reach } from './reach.ts';

export type LogWalk = {
  readonly repository: RepositoryId;
  readonly check: SignatureCheck;
  /** What roots say of the log, oldest first. */
  readonly policies: readonly LogPolicy[];
  /** Trees that must be of this log, beside those of the proofs: by whom they are known. */
  readonly known: readonly KnownTree[];
  /** Told of trees that are not of this log, or larger than it, and by whom they are known; and the size of this log. */
  readonly onStray: (tree: KnownTree, code: 'LOG_FORKED' | 'LOG_ROLLBACK', size: number) => void;
  /** Told of each entry. */
  readonly onLeaf?: (leaf: LogLeaf) => void;
  /** Told of each tile as it grows, so that partial ones can be held against it. */
  readonly onGrown?: (tile: GrownTile) => Promise<void>;
};
export type KnownTree = TreeHead & {
  readonly by: string;
  /** Who knows it is no object of the product. */
  readonly isOutside?: true;
  /** Its last entries, where somebody has them who can append them. */
  readonly entries?: readonly Uint8Array[] | undefined;
};
export type ReachedLog = { readonly checkpoint: Uint8Array; readonly head: TreeHead };

export const CHECKPOINT_NAME: string = `${LOG_FOLDER}/checkpoint`;

type Walk = LogWalk & {
  readonly reach: Reach;
  readonly head: TreeHead;
  readonly rows: LogRows;
  /** Trees whose size was not reached yet, by size. */
  readonly pending: Map<number, KnownTree[]>;
  /** Undefined once a damaged part was passed over: later trees cannot be judged. */
  isWhole: boolean;
};

/** Judges `bytes` as a checkpoint by any of the policies, the newest first; witnesses cosign what proofs show devices. */
export function judgeCheckpoint(
  { policies, check }: Pick<LogWalk, 'policies' | 'check'>,
  bytes: Uint8Array,
): Verdict<TrustedCheckpoint> {
  return byAnyPolicy(policies, (policy) => verifyCheckpoint(policy, bytes, check));
}

function byAnyPolicy<T>(policies: readonly LogPolicy[], judge: (policy: LogPolicy) => Verdict<T>): Verdict<T> {
  let refusal: Rejected | undefined;
  for (const policy of [...policies].reverse()) {
    const verdict = judge({ ...policy, quorum: 0 });
    if (verdict.ok) return verdict;
    refusal ??= verdict;
  }
  return refusal ?? reject('LOG_ORIGIN_MISMATCH', 'no root names a log');
}

/** Walks the whole log. @returns its checkpoint, or the refusal of it. */
export async function reachLog(reach: Reach, log: LogWalk): Promise<Verdict<ReachedLog>> {
  const checkpoint = await reach.file({ name: CHECKPOINT_NAME, bytesMax: NOTE_BYTES_MAX, isFixed: false }, (bytes) => {
    const judged = judgeCheckpoint(log, bytes);
    return judged.ok ? accept({ bytes, head: judged.value }) : judged;
  });
  if (!checkpoint.ok) return checkpoint;
  const { bytes, head } = checkpoint.value;
  const walk: Walk = { ...log, reach, head, rows: logRows(), pending: new Map(), isWhole: true };
  for (const tree of [...log.known, { ...head, by: CHECKPOINT_NAME }]) expectTree(walk, tree);
  const edge = await reachEdge(walk);
  for (const { level, index, hashes } of edge) await descend(walk, { level, index, hashes });
  for (const tree of [...walk.pending.values()].flat()) {
    if (tree.size > head.size) log.onStray(tree, 'LOG_ROLLBACK', head.size);
  }
  return accept({ checkpoint: bytes, head });
}

function expectTree({ pending }: Walk, tree: KnownTree): void {
  const same = pending.get(tree.size) ?? [];
  if (!same.some(({ rootHash, by }) => by === tree.by && equalBytes(rootHash, tree.rootHash))) {
    pending.set(tree.size, [...same, tree]);
  }
}

type HashTile = { readonly level: number; readonly index: number; readonly hashes: readonly Uint8Array[] };

/** The tiles of the right edge, highest level first: from left to right. Empty where one is damaged. */
async function reachEdge(walk: Walk): Promise<readonly HashTile[]> {
  const places = [...edgeTiles(walk.head.size)].reverse();
  const edge = await walk.reach.together(places.map(tileOrder), (files) => {
    const tiles = parseEdge(places, files);
    return tiles.ok ? leadsToRoot(tiles.value, walk.head) : tiles;
  });
  if (edge.ok) return edge.value;
  if (!(await blameEdge(walk, places)))
    walk.onStray({ ...walk.head, by: CHECKPOINT_NAME }, 'LOG_FORKED', walk.head.size);
  return [];
}

function tileOrder(place: TilePlace): Order {
  return { name: `${LOG_FOLDER}/${tileName(place)}`, bytesMax: TILE_BYTES_MAX, isFixed: true };
}

function parseEdge(
  places: readonly (TilePlace & { readonly level: number })[],
  files: readonly Uint8Array[],
): Verdict<readonly HashTile[]> {
  const tiles: HashTile[] = [];
  for (const [i, place] of places.entries()) {
    const hashes = parseTile(files[i] ?? new Uint8Array(), place.width);
    if (!hashes.ok) return hashes;
    tiles.push({ ...place, hashes: hashes.value });
  }
  return accept(tiles);
}

function leadsToRoot(tiles: readonly HashTile[], { size, rootHash }: TreeHead): Verdict<readonly HashTile[]> {
  const root = treeRoot(new Map(tiles.map((tile) => [tileKey(tile), tile.hashes])), size);
  return root !== undefined && equalBytes(root, rootHash)
    ? accept(tiles)
    : reject('LOG_TILE_MALFORMED', 'the tiles of the edge do not lead to the root of the checkpoint');
}

function reachTile(
  { reach }: Walk,
  place: TilePlace,
  judge: (hashes: readonly Uint8Array[]) => Verdict<readonly Uint8Array[]>,
): Promise<Verdict<readonly Uint8Array[]>> {
  return reach.file(tileOrder(place), (bytes) => {
    const hashes = parseTile(bytes, place.width);
    return hashes.ok ? judge(hashes.value) : hashes;
  });
}

/** Finds which tile of the edge is not what stands below it; it is judged once more, by that. @returns whether one is named. */
async function blameEdge(walk: Walk, places: readonly (TilePlace & { readonly level: number })[]): Promise<boolean> {
  let isNamed = false;
  for (const place of places) {
    const below = place.level === 0 ? await leavesBelow(walk, place) : await rootsBelow(walk, place);
    const judged = await reachTile(walk, place, below === undefined ? accept : sameHashes(below));
    isNamed ||= !judged.ok || below === undefined;
  }
  return isNamed;
}

async function leavesBelow(walk: Walk, { index, width }: TilePlace): Promise<readonly Uint8Array[] | undefined> {
  const entries = await reachBundle(walk, { index, width }, accept);
  return entries.ok ? entries.value.map(leafHash) : undefined;
}

async function rootsBelow(
  walk: Walk,
  { level, index, width }: TilePlace & { readonly level: number },
): Promise<readonly Uint8Array[] | undefined> {
  const roots: Uint8Array[] = [];
  for (let i = 0; i < width; i++) {
    const below = { level: level - 1, index: index * TILE_WIDTH + i, width: TILE_WIDTH };
    const hashes = await reachTile(walk, below, accept);
    if (!hashes.ok) return undefined;
    roots.push(perfectRoot(hashes.value));
  }
  return roots;
}

function sameHashes(
  expected: readonly Uint8Array[],
): (hashes: readonly Uint8Array[]) => Verdict<readonly Uint8Array[]> {
  return (hashes) =>
    hashes.length === expected.length && hashes.every((hash, i) => equalBytes(hash, expected[i] ?? new Uint8Array()))
      ? accept(hashes)
      : reject('LOG_TILE_MALFORMED', 'its hashes are not those of the tree');
}

/** Everything below a tile that is judged, from left to right. */
async function descend(walk: Walk, { level, index, hashes }: HashTile): Promise<void> {
  if (level === 0) return reachEntries(walk, { index, hashes });
  for (const [i, hash] of hashes.entries()) {
    const place = { level: level - 1, index: index * TILE_WIDTH + i, width: TILE_WIDTH };
    const below = await reachTile(walk, place, (found) =>
      equalBytes(perfectRoot(found), hash)
        ? accept(found)
        : reject('LOG_TILE_MALFORMED', 'its hashes do not lead to the tile above'),
    );
    if (below.ok) await descend(walk, { ...place, hashes: below.value });
    else walk.isWhole = false;
  }
}

function reachBundle(
  { reach }: Walk,
  { index, width }: { readonly index: number; readonly width: number },
  judge: (entries: readonly Uint8Array[]) => Verdict<readonly Uint8Array[]>,
): Promise<Verdict<readonly Uint8Array[]>> {
  const name = tileName({ level: 'entries', index, width });
  return reach.file({ name: `${LOG_FOLDER}/${name}`, bytesMax: BUNDLE_BYTES_MAX, isFixed: true }, (bytes) => {
    const entries = parseEntryBundle(bytes, width);
    return entries.ok ? judge(entries.value) : entries;
  });
}

async function reachEntries(
  walk: Walk,
  { index, hashes }: { readonly index: number; readonly hashes: readonly Uint8Array[] },
): Promise<void> {
  const entries = await reachBundle(walk, { index, width: hashes.length }, (found) => {
    const same = sameHashes(hashes)(found.map(leafHash));
    return same.ok ? accept(found) : reject('LOG_TILE_MALFORMED', 'its entries are not those of the tree');
  });
  if (!entries.ok) {
    walk.isWhole = false;
    return;
  }
  for (const [i, entry] of entries.value.entries()) {
    await reachEntry(walk, entry, index * TILE_WIDTH + i);
    if (walk.isWhole) await passEntry(walk, hashes[i] ?? new Uint8Array());
  }
}

/** One entry: what it says, and its proof. */
async function reachEntry(walk: Walk, entry: Uint8Array, at: number): Promise<void> {
  const { repository, policies, check } = walk;
  const order = {
    name: logProofPath(encodeHex(leafHash(entry))),
    bytesMax: LOG_PROOF_BYTES_MAX,
    isFixed: true,
  };
  const proven = await walk.reach.file(order, (proof): Verdict<TrustedCheckpoint> => {
    const leaf = parseLogLeaf(entry);
    if (!leaf.ok) return leaf;
    const { product, root } = leaf.value;
    if (product !== repository.product || root !== repository.rootOneSha256) {
      return reject('REPOSITORY_MISMATCH', `entry ${at} is of ${product}, this log is of ${repository.product}`);
    }
    return byAnyPolicy(policies, (policy) => verifyLogged(policy, { leaf: leaf.value, proof }, check));
  });
  const leaf = parseLogLeaf(entry);
  if (leaf.ok) walk.onLeaf?.(leaf.value);
  if (proven.ok) expectTree(walk, { ...proven.value, by: order.name });
}

/** Lets the hash of a leaf pass, and judges the trees and partial tiles of the size that is reached. */
async function passEntry(walk: Walk, leaf: Uint8Array): Promise<void> {
  const { rows, pending } = walk;
  for (const tile of rows.push(leaf)) await walk.onGrown?.(tile);
  const trees = pending.get(rows.size());
  if (trees === undefined) return;
  pending.delete(rows.size());
  const root = rows.root();
  for (const tree of trees) {
    if (root === undefined || !equalBytes(root, tree.rootHash)) walk.onStray(tree, 'LOG_FORKED', walk.head.size);
  }
  if (rows.size() === walk.head.size) return;
  for (const place of edgeTiles(rows.size())) await reachTile(walk, place, sameHashes(rows.row(place.level)));
}
