/**
 * What lies in a store below a product, and the partial tiles among it, each held against the log as it grows past its size.
 *
 * - Listed once, before anything is judged. What is held is one entry an object.
 */
import { equalBytes } from '../../formats/bytes.ts';
import {
  BUNDLE_BYTES_MAX,
  parseEntryBundle,
  parseTile,
  TILE_BYTES_MAX,
  TILE_WIDTH,
  tileName,
} from '../../formats/log-tiles.ts';
import { leafHash } from '../../formats/merkle.ts';
import { LOG_FOLDER } from '../../formats/names.ts';
import { NOTE_BYTES_MAX } from '../../formats/signed-note.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { parseLogClaim, type LogClaim } from '../log-claim.ts';
import { objectOf, readToCheck, type CheckInput } from './check-scene.ts';
import type { Findings } from './finding.ts';
import type { GrownTile } from './log-rows.ts';
import type { ListedObject } from './published-source.ts';

export type BesideObject = Omit<ListedObject, 'name'>;
export type Beside = {
  /** By name below the product. */
  readonly objects: ReadonlyMap<string, BesideObject>;
  /** Partial tiles and bundles that were held against the log. */
  readonly judged: Set<string>;
  /** The claim to the log that an earlier version left, by its own words. */
  readonly claim: LogClaim | undefined;
};

/** Lists the product. */
export async function listBeside(input: CheckInput): Promise<Beside> {
  const prefix = `${input.repository.product}/`;
  const objects = new Map<string, BesideObject>();
  for await (const { name, ...object } of input.list.list(prefix)) objects.set(name.slice(prefix.length), object);
  const claim = await readToCheck(input, `${LOG_FOLDER}/claim`, NOTE_BYTES_MAX);
  const parsed = claim.ok && claim.value !== undefined ? parseLogClaim(claim.value) : undefined;
  return { objects, judged: new Set(), claim: parsed?.ok === true ? parsed.value.claim : undefined };
}

/** Judges the partial tile and bundle of just this width, where they lie in the store. */
export async function checkPartial(
  { input, found }: { readonly input: CheckInput; readonly found: Findings },
  beside: Beside,
  { level, index, hashes }: GrownTile,
): Promise<void> {
  const width = hashes.length;
  if (width === TILE_WIDTH) return;
  const judge = async (
    place: number | 'entries',
    bytesMax: number,
    parse: (bytes: Uint8Array) => Verdict<readonly Uint8Array[]>,
  ): Promise<void> => {
    const name = `${LOG_FOLDER}/${tileName({ level: place, index, width })}`;
    if (!beside.objects.has(name)) return;
    beside.judged.add(name);
    const bytes = await readToCheck(input, name, bytesMax);
    const parsed = bytes.ok ? parse(bytes.value ?? new Uint8Array()) : bytes;
    const same = parsed.ok ? sameAs(parsed.value, hashes) : parsed;
    if (!same.ok) found.damage(objectOf(input, name), same);
  };
  await judge(level, TILE_BYTES_MAX, (bytes) => parseTile(bytes, width));
  if (level > 0) return;
  await judge('entries', BUNDLE_BYTES_MAX, (bytes) => {
    const entries = parseEntryBundle(bytes, width);
    return entries.ok ? accept(entries.value.map(leafHash)) : entries;
  });
}

function sameAs(hashes: readonly Uint8Array[], expected: readonly Uint8Array[]): Verdict<void, 'LOG_TILE_MALFORMED'> {
  return hashes.every((hash, i) => equalBytes(hash, expected[i] ?? new Uint8Array()))
    ? accept(undefined)
    : reject('LOG_TILE_MALFORMED', 'its hashes are not those of the tree');
}
