/**
 * What an object of a published repository is, by its name below the product; whatever has no such name is foreign there.
 *
 * - The names are those of `repository-layout.ts`, the claim to the log that earlier versions wrote, which devices do not know, and what cuts leave.
 */
import { TILE_WIDTH, type TilePlace } from '../../formats/log-tiles.ts';
import { parseTargetName } from '../../formats/names.ts';

export type ObjectPlace =
  | { readonly kind: 'role'; readonly role: string; readonly version: number }
  | { readonly kind: 'timestamp' | 'checkpoint' | 'claim' | 'proof' | 'tile' | 'leftover' }
  | { readonly kind: 'target'; readonly sha256: string };

const ROLE = /^metadata\/([1-9][0-9]{0,15})\.([a-z0-9][a-z0-9-]{0,62})\.json$/;
const TARGET = /^targets\/(.+\/)([0-9a-f]{64})\.([^/]+)$/;
const PROOF = /^log\/proof\/[0-9a-f]{64}$/;
const TILE =
  /^log\/tile\/(entries|[0-9]|[1-5][0-9]|6[0-3])\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;
/** What a write that was cut leaves in a folder. */
const LEFTOVER = /^([A-Za-z0-9][A-Za-z0-9._-]*\/)*\.firmament-[A-Za-z0-9-]+$/;

const SINGLES: ReadonlyMap<string, ObjectPlace> = new Map([
  ['metadata/timestamp.json', { kind: 'timestamp' }],
  ['log/checkpoint', { kind: 'checkpoint' }],
  ['log/claim', { kind: 'claim' }],
]);

/** Where `name`, below the product, belongs; undefined if it belongs nowhere. */
export function placeOf(name: string): ObjectPlace | undefined {
  const single = SINGLES.get(name);
  if (single !== undefined) return single;
  const [, version, role] = ROLE.exec(name) ?? [];
  if (version !== undefined && role !== undefined) return { kind: 'role', role, version: Number(version) };
  const [, folder = '', sha256, file = ''] = TARGET.exec(name) ?? [];
  if (sha256 !== undefined) return parseTargetName(`${folder}${file}`) && { kind: 'target', sha256 };
  if (PROOF.test(name)) return { kind: 'proof' };
  if (LEFTOVER.test(name)) return { kind: 'leftover' };
  return tilePlaceOf(name) && { kind: 'tile' };
}

/** The tile or bundle that `name`, below the product, is of; undefined if it is none. */
export function tilePlaceOf(name: string): TilePlace | undefined {
  const [, level, digits, partial] = TILE.exec(name) ?? [];
  const index = Number(digits?.replaceAll(/[x/]/g, ''));
  const isOne =
    level !== undefined && Number.isSafeInteger(index) && (partial === undefined || Number(partial) < TILE_WIDTH);
  if (!isOne) return undefined;
  return { level: level === 'entries' ? level : Number(level), index, width: Number(partial ?? TILE_WIDTH) };
}
