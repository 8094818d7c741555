/** The tree computed from tiles: the same as from all leaves, with the tiles of the right edge alone. */
import { expect, test } from 'vitest';
import { encodeHex } from '../../formats/bytes.ts';
import { edgeTiles, hashesAt, tileWidth, TILE_WIDTH } from '../../formats/log-tiles.ts';
import {
  consistencyProof,
  consistencyTiles,
  extendTiles,
  inclusionProof,
  inclusionTiles,
  tileKey,
  treeRoot,
  type Tiles,
} from '../../formats/log-tree.ts';
import { leafHash, nodeHash, provesConsistency, provesInclusion } from '../../formats/merkle.ts';
import { seededRandom } from '../../simulation/seed.ts';
import { SEED } from '../simulation/seed.ts';
import { tinyLog } from '../tiny-log.ts';

const SIZE = 1100;
const ENTRIES = Array.from({ length: SIZE }, (_, i) => Uint8Array.of(i & 255, i >> 8));
const LOG = tinyLog(ENTRIES);
const NOTHING = new Uint8Array();

function definedRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length < 2) return leaves[0] ?? NOTHING;
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return nodeHash(definedRoot(leaves.slice(0, half)), definedRoot(leaves.slice(half)));
}
const rootAt = (size: number): Uint8Array => definedRoot(ENTRIES.slice(0, size).map(leafHash));

/** Of the tiles of `LOG`, those that `places` name, as wide as they are in a tree of `size`. */
function tilesAt(places: readonly { readonly level: number; readonly index: number; readonly width: number }[]): Tiles {
  return new Map(places.map((place) => [tileKey(place), (LOG.tiles.get(tileKey(place)) ?? []).slice(0, place.width)]));
}

test('an append needs the right edge alone, in any steps, across every border of tiles', () => {
  let size = 0;
  for (const step of [1, 254, 1, 1, 255, 1, 300, 256, 31]) {
    const edge = tilesAt(edgeTiles(size));
    const added = extendTiles(edge, size, ENTRIES.slice(size, size + step).map(leafHash));
    size += step;
    for (const [key, hashes] of added ?? []) {
      const [level = 0, index = 0] = key.split('/').map(Number);
      expect(hashes.map(encodeHex)).toEqual(
        LOG.tiles
          .get(key)
          ?.slice(0, tileWidth(level, index, size))
          .map(encodeHex),
      );
    }
    const all = new Map([...edge, ...(added ?? [])]);
    expect(encodeHex(treeRoot(new Map([...all, ...tilesAt(edgeTiles(size))]), size) ?? NOTHING)).toBe(
      encodeHex(rootAt(size)),
    );
    expect(added?.size).toBeGreaterThan(0);
  }
  expect(size).toBe(SIZE);
});

test('proofs are made from the tiles that they ask for, about as many as the tree has levels of them', () => {
  const random = seededRandom(SEED);
  const levels = 2;
  for (let i = 0; i < 20; i++) {
    const after = 1 + random(SIZE);
    const before = 1 + random(after);
    const index = random(after);
    const trees = {
      before: { size: before, rootHash: rootAt(before) },
      after: { size: after, rootHash: rootAt(after) },
    };
    const wanted = consistencyTiles(before, after);
    const consistency = consistencyProof(tilesAt(wanted), before, after);
    expect(provesConsistency(trees.before, trees.after, consistency ?? []), `seed ${SEED}`).toBe(true);
    const path = inclusionTiles(index, after);
    const inclusion = inclusionProof(tilesAt(path), index, after);
    const leaf = { index, hash: leafHash(ENTRIES[index] ?? NOTHING) };
    expect(provesInclusion(leaf, trees.after, inclusion ?? []), `seed ${SEED}`).toBe(true);
    for (const tiles of [wanted, path]) {
      expect(tiles.length).toBeLessThanOrEqual(2 * levels);
      for (const { level, index: at, width } of tiles) expect(width).toBe(tileWidth(level, at, after));
    }
  }
});

test('without a tile, or with too narrow a one, there is no answer', () => {
  const places = consistencyTiles(700, SIZE);
  for (const missing of places) {
    const others = tilesAt(places.filter((place) => place !== missing));
    expect(consistencyProof(others, 700, SIZE)).toBeUndefined();
    const narrow = new Map([...others, [tileKey(missing), []]]);
    expect(consistencyProof(narrow, 700, SIZE)).toBeUndefined();
  }
  expect(extendTiles(new Map(), 5, [leafHash(NOTHING)])).toBeUndefined();
  expect(treeRoot(new Map(), 1)).toBeUndefined();
});

test('the right edge of the largest log has one tile a level', () => {
  const size = Number.MAX_SAFE_INTEGER;
  const edge = edgeTiles(size);
  expect(edge.map(({ level }) => level)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(edge.every(({ width }) => width === TILE_WIDTH - 1 || width === 31)).toBe(true);
  expect(hashesAt(6, size)).toBe(31);
});
