/**
 * The right edge of a log while its entries pass, one after the other: enough to judge every tile and every tree on the way.
 *
 * - Held are at most `TILE_WIDTH` hashes a level, whatever the size of the log.
 */
import { TILE_WIDTH } from '../../formats/log-tiles.ts';
import { perfectRoot, tileKey, treeRoot, type Tiles } from '../../formats/log-tree.ts';

export type LogRows = {
  /** Takes the hash of the next leaf. @returns the tiles that have grown, lowest level first. */
  readonly push: (leaf: Uint8Array) => readonly GrownTile[];
  readonly size: () => number;
  /** The root of the tree of all that has passed. */
  readonly root: () => Uint8Array | undefined;
  /** The hashes that the partial tile of `level` has now. */
  readonly row: (level: number) => readonly Uint8Array[];
};
export type GrownTile = { readonly level: number; readonly index: number; readonly hashes: readonly Uint8Array[] };

/** Before the first entry. */
export function logRows(): LogRows {
  const rows: Uint8Array[][] = [];
  let size = 0;
  return {
    push: (leaf) => {
      const grown: GrownTile[] = [];
      let hash: Uint8Array | undefined = leaf;
      for (let level = 0; hash !== undefined; level++) {
        const row = (rows[level] ??= []);
        row.push(hash);
        const index = Math.floor(size / TILE_WIDTH ** (level + 1));
        grown.push({ level, index, hashes: [...row] });
        hash = row.length === TILE_WIDTH ? perfectRoot(row) : undefined;
        if (hash !== undefined) rows[level] = [];
      }
      size++;
      return grown;
    },
    size: () => size,
    root: () => treeRoot(edgeOf(rows, size), size),
    row: (level) => rows[level] ?? [],
  };
}

function edgeOf(rows: readonly (readonly Uint8Array[])[], size: number): Tiles {
  return new Map(
    rows.map((hashes, level) => [
      tileKey({ level, index: Math.floor(Math.floor(size / TILE_WIDTH ** level) / TILE_WIDTH) }),
      hashes,
    ]),
  );
}
