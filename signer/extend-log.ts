/**
 * The files that an append adds to a log: tiles and bundles that are new or wider, and the tree that they make.
 *
 * - The right edge of the log is all that is read; what is written grows with the entries, and with the logarithm of the log.
 * - The same log and the same entries give the same bytes, whoever computes them: so anybody can finish an append.
 * - Bundles come first, then a tile for every entry, as wide as the log is with it. Such files are created and never change: so each
 *   position has one owner in the store, too, before anything is signed, even among signers that do not share a memory.
 */
import assert from 'node:assert';
import { encodeEntryBundle, encodeTile, TILE_WIDTH, tileName, tileWidth } from '../formats/log-tiles.ts';
import { extendTiles, treeRoot, type Tiles } from '../formats/log-tree.ts';
import { leafHash, type TreeHead } from '../formats/merkle.ts';
import type { ImmutableObject } from './publication.ts';

/** A log as far as an append needs it. */
export type LogEdge = {
  readonly head: TreeHead;
  /** The tiles of the right edge of the tree. */
  readonly edge: Tiles;
  /** The entries of the bundle that is not yet full. */
  readonly entries: readonly Uint8Array[];
};
export type ExtendedLog = {
  readonly head: TreeHead;
  /** The right edge and all that is new: enough to prove every new entry. */
  readonly tiles: Tiles;
  /** Named relative to the log. */
  readonly files: readonly ImmutableObject[];
};

/** `log` with `entries` appended. */
export function extendLog(log: LogEdge, entries: readonly Uint8Array[]): ExtendedLog {
  const { head, edge } = log;
  const size = head.size + entries.length;
  const added = extendTiles(edge, head.size, entries.map(leafHash));
  assert(added !== undefined, 'the right edge was read whole');
  const tiles = new Map([...edge, ...added]);
  const rootHash = treeRoot(tiles, size);
  assert(rootHash !== undefined, 'the right edge and what is new make the root');
  return { head: { size, rootHash }, tiles, files: [...bundles(log, entries), ...tileFiles(added, head.size, size)] };
}

function bundles({ head, entries: standing }: LogEdge, entries: readonly Uint8Array[]): readonly ImmutableObject[] {
  const files: ImmutableObject[] = [];
  let index = Math.floor(head.size / TILE_WIDTH);
  for (let rest = [...standing, ...entries]; rest.length > 0; rest = rest.slice(TILE_WIDTH)) {
    const bundle = rest.slice(0, TILE_WIDTH);
    files.push({
      name: tileName({ level: 'entries', index, width: bundle.length }),
      bytes: encodeEntryBundle(bundle),
    });
    index++;
  }
  return files;
}

/** Of the lowest level every width that the log grows through, in their order; of others the last. */
function tileFiles(added: Tiles, before: number, size: number): readonly ImmutableObject[] {
  return [...added].flatMap(([key, hashes]) => {
    const [level = 0, index = 0] = key.split('/').map(Number);
    const width = tileWidth(level, index, size);
    const first = level === 0 ? tileWidth(level, index, before) + 1 : width;
    return Array.from({ length: width - first + 1 }, (_, i) => ({
      name: tileName({ level, index, width: first + i }),
      bytes: encodeTile(hashes.slice(0, first + i)),
    }));
  });
}
