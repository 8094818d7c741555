/**
 * The static files of a log: tiles of hashes and bundles of entries (C2SP tlog-tiles 0.1.0).
 *
 * - A tile holds up to 256 consecutive hashes of one height; tile level L holds the roots of subtrees of 256^L leaves.
 * - A bundle holds up to 256 entries, each behind its length in two bytes, big-endian.
 * - The last tile of a level may be partial; its width stands in its name, so that no name ever has two contents.
 * - Names are relative to the log: `tile/0/x001/x234/067`, `tile/0/000.p/5`, `tile/entries/000.p/5`.
 */
import { concatBytes } from './bytes.ts';
import { HASH_BYTES } from './merkle.ts';
import { accept, reject, type Verdict } from './verdict.ts';

/** Hashes in a full tile, entries in a full bundle. */
export const TILE_WIDTH = 256;
export const TILE_BYTES_MAX: number = TILE_WIDTH * HASH_BYTES;
/** Longest entry that a bundle can hold. */
export const ENTRY_BYTES_MAX = 65_535;
export const BUNDLE_BYTES_MAX: number = TILE_WIDTH * (2 + ENTRY_BYTES_MAX);

/** Where a tile stands, and how many hashes or entries of it exist. */
export type TilePlace = { readonly level: number | 'entries'; readonly index: number; readonly width: number };

/** The name of a tile, or of a bundle where the level is `entries`. */
export function tileName({ level, index, width }: TilePlace): string {
  const parts = [String(index % 1000).padStart(3, '0')];
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    parts.unshift(`x${String(rest % 1000).padStart(3, '0')}`);
  }
  return `tile/${level}/${parts.join('/')}${width < TILE_WIDTH ? `.p/${width}` : ''}`;
}

/** How many hashes level `level` has in a tree of `size` leaves. */
export function hashesAt(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** The width of tile `index` of `level` in a tree of `size` leaves; 0 where there is none. */
export function tileWidth(level: number, index: number, size: number): number {
  return Math.max(0, Math.min(TILE_WIDTH, hashesAt(level, size) - index * TILE_WIDTH));
}

/** The partial tiles of a tree of `size` leaves: its right edge, lowest level first. */
export function edgeTiles(size: number): readonly (TilePlace & { readonly level: number })[] {
  const tiles: (TilePlace & { readonly level: number })[] = [];
  for (let level = 0; hashesAt(level, size) > 0; level++) {
    const width = hashesAt(level, size) % TILE_WIDTH;
    if (width > 0) tiles.push({ level, index: Math.floor(hashesAt(level, size) / TILE_WIDTH), width });
  }
  return tiles;
}

/** The partial bundle of a log of `size` entries, or undefined where the last one is full. */
export function edgeBundle(size: number): TilePlace | undefined {
  const width = size % TILE_WIDTH;
  return width === 0 ? undefined : { level: 'entries', index: Math.floor(size / TILE_WIDTH), width };
}

/** The bytes of a tile. */
export function encodeTile(hashes: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...hashes);
}

/** The hashes of a tile of `width` hashes. */
export function parseTile(bytes: Uint8Array, width: number): Verdict<readonly Uint8Array[], 'LOG_TILE_MALFORMED'> {
  if (width < 1 || width > TILE_WIDTH || bytes.length !== width * HASH_BYTES) {
    return reject('LOG_TILE_MALFORMED', `a tile of ${bytes.length} bytes, ${width} hashes were expected`);
  }
  return accept(Array.from({ length: width }, (_, i) => bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES)));
}

/** The bytes of a bundle; an entry beyond `ENTRY_BYTES_MAX` is a fault of ours and throws. */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  return concatBytes(
    ...entries.flatMap((entry) => {
      if (entry.length > ENTRY_BYTES_MAX) throw new RangeError('an entry has at most 65535 bytes');
      return [Uint8Array.of(entry.length >> 8, entry.length & 255), entry];
    }),
  );
}

/** The entries of a bundle of `width` entries. */
export function parseEntryBundle(
  bytes: Uint8Array,
  width: number,
): Verdict<readonly Uint8Array[], 'LOG_TILE_MALFORMED'> {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length && entries.length < width) {
    const end = at + 2 + (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
    if (end > bytes.length) break;
    entries.push(bytes.slice(at + 2, end));
    at = end;
  }
  return at === bytes.length && entries.length === width && width >= 1 && width <= TILE_WIDTH
    ? accept(entries)
    : reject('LOG_TILE_MALFORMED', `a bundle of ${bytes.length} bytes, ${width} whole entries were expected`);
}
