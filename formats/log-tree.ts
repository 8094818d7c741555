/**
 * The tree of a log, computed from its tiles: roots, proofs, and the tiles that an append adds.
 *
 * - Only what is asked for is needed: the right edge for an append, O(log n) tiles for a proof.
 * - Tiles are outside data: what is computed from them is believed only once it leads to a root that is trusted.
 * - A tile that is missing or too narrow makes the answer undefined, never wrong.
 */
import { emptyRoot, consistencyRanges, inclusionRanges, nodeHash, type LeafRange } from './merkle.ts';
import { hashesAt, TILE_WIDTH, tileWidth, type TilePlace } from './log-tiles.ts';

/** The subtree of the leaves from `index * 2^height` to `(index + 1) * 2^height`. */
type Subtree = { readonly height: number; readonly index: number };
type HashTile = TilePlace & { readonly level: number };
/** Tiles at hand: the hashes of each by `tileKey`. */
export type Tiles = ReadonlyMap<string, readonly Uint8Array[]>;

/** Height of the tree that one tile spans. */
const TILE_HEIGHT = 8;

/** The name of a tile in `Tiles`, whatever its width. */
export function tileKey({ level, index }: Pick<HashTile, 'level' | 'index'>): string {
  return `${level}/${index}`;
}

/** The root of the tree of `size` leaves. */
export function treeRoot(tiles: Tiles, size: number): Uint8Array | undefined {
  return size === 0 ? emptyRoot() : rangeHash(tiles, { start: 0, end: size });
}

/** The hashes that prove leaf `index` in the tree of `size` leaves. */
export function inclusionProof(tiles: Tiles, index: number, size: number): readonly Uint8Array[] | undefined {
  return rangeHashes(tiles, inclusionRanges(index, size));
}

/** The hashes that prove the tree of `before` leaves to be a beginning of the one of `after`. */
export function consistencyProof(tiles: Tiles, before: number, after: number): readonly Uint8Array[] | undefined {
  return rangeHashes(tiles, rangesBetween(before, after));
}

/** The tiles that the inclusion proof takes, from a tree of `size` leaves. */
export function inclusionTiles(index: number, size: number): readonly HashTile[] {
  return tilesOf(inclusionRanges(index, size), size);
}

/** The tiles that the consistency proof takes, from a tree of `after` leaves. */
export function consistencyTiles(before: number, after: number): readonly HashTile[] {
  return tilesOf(rangesBetween(before, after), after);
}

function rangesBetween(before: number, after: number): readonly LeafRange[] {
  return before === 0 || before === after ? [] : consistencyRanges(before, after);
}

/**
 * The tiles that are new or wider once `leaves` are appended.
 * @param edge the tiles of the right edge of the tree of `size` leaves.
 * @param leaves hashes of the new leaves.
 */
export function extendTiles(edge: Tiles, size: number, leaves: readonly Uint8Array[]): Tiles | undefined {
  const added = new Map<string, readonly Uint8Array[]>();
  let hashes = leaves;
  for (let level = 0; hashes.length > 0; level++) {
    const count = hashesAt(level, size);
    let index = Math.floor(count / TILE_WIDTH);
    const standing = count % TILE_WIDTH === 0 ? [] : edge.get(tileKey({ level, index }));
    if (standing?.length !== count % TILE_WIDTH) return undefined;
    const roots: Uint8Array[] = [];
    for (let all = [...standing, ...hashes]; all.length > 0; all = all.slice(TILE_WIDTH)) {
      const tile = all.slice(0, TILE_WIDTH);
      added.set(tileKey({ level, index }), tile);
      if (tile.length === TILE_WIDTH) roots.push(perfectRoot(tile));
      index++;
    }
    hashes = roots;
  }
  return added;
}

function tilesOf(ranges: readonly LeafRange[], size: number): readonly HashTile[] {
  const tiles = new Map<string, HashTile>();
  for (const subtree of ranges.flatMap(perfectSubtrees)) {
    const { level, index } = placeOf(subtree);
    tiles.set(tileKey({ level, index }), { level, index, width: tileWidth(level, index, size) });
  }
  return [...tiles.values()];
}

/** The perfect subtrees that a subtree of the log is made of, left to right. */
function perfectSubtrees({ start, end }: LeafRange): readonly Subtree[] {
  const subtrees: Subtree[] = [];
  let at = start;
  while (at < end) {
    let height = 0;
    while (at % 2 ** (height + 1) === 0 && at + 2 ** (height + 1) <= end) height++;
    subtrees.push({ height, index: at / 2 ** height });
    at += 2 ** height;
  }
  return subtrees;
}

/** The tile that a subtree's hash is computed from, and which of the tile's hashes. */
function placeOf({ height, index }: Subtree): {
  readonly level: number;
  readonly index: number;
  readonly from: number;
  readonly count: number;
} {
  const level = Math.floor(height / TILE_HEIGHT);
  const count = 2 ** (height % TILE_HEIGHT);
  const from = index * count;
  return { level, index: Math.floor(from / TILE_WIDTH), from: from % TILE_WIDTH, count };
}

function rangeHashes(tiles: Tiles, ranges: readonly LeafRange[]): readonly Uint8Array[] | undefined {
  const hashes: Uint8Array[] = [];
  for (const range of ranges) {
    const hash = rangeHash(tiles, range);
    if (hash === undefined) return undefined;
    hashes.push(hash);
  }
  return hashes;
}

function rangeHash(tiles: Tiles, range: LeafRange): Uint8Array | undefined {
  let root: Uint8Array | undefined;
  for (const subtree of [...perfectSubtrees(range)].reverse()) {
    const { level, index, from, count } = placeOf(subtree);
    const hashes = tiles.get(tileKey({ level, index }))?.slice(from, from + count);
    if (hashes?.length !== count) return undefined;
    const hash = perfectRoot(hashes);
    root = root === undefined ? hash : nodeHash(hash, root);
  }
  return root;
}

/** The root over a power of two of hashes: of a full tile, the hash that stands for it in the tile above. */
export function perfectRoot(hashes: readonly Uint8Array[]): Uint8Array {
  let row = hashes;
  while (row.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i + 1 < row.length; i += 2) {
      above.push(nodeHash(row[i] ?? new Uint8Array(), row[i + 1] ?? new Uint8Array()));
    }
    row = above;
  }
  return row[0] ?? new Uint8Array();
}
