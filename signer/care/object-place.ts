/**
 * What an object of a published repository is, by its name below the product; whatever has no such name is foreign there.
 *
 * - The names are those of `repository-layout.ts`, and the signer's own claim to the log, which devices do not know.
 */
import { parseTargetName } from '../../formats/names.ts';

export type ObjectPlace =
  | { readonly kind: 'role'; readonly role: string; readonly version: number }
  | { readonly kind: 'timestamp' | 'checkpoint' | 'claim' }
  | { readonly kind: 'target'; readonly sha256: string }
  | { readonly kind: 'proof'; readonly leaf: string }
  | { readonly kind: 'tile'; readonly level: number | 'entries'; readonly index: number; readonly width: number };

const ROLE = /^metadata\/([1-9][0-9]{0,15})\.([a-z0-9][a-z0-9-]{0,62})\.json$/;
const TARGET = /^targets\/(.+\/)([0-9a-f]{64})\.([^/]+)$/;
const PROOF = /^log\/proof\/([0-9a-f]{64})$/;
const TILE =
  /^log\/tile\/(entries|[0-9]|[1-5][0-9]|6[0-3])\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;
const TILE_WIDTH = 256;

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
  const [, leaf] = PROOF.exec(name) ?? [];
  return leaf === undefined ? tileOf(name) : { kind: 'proof', leaf };
}

function tileOf(name: string): ObjectPlace | undefined {
  const [, level, digits, partial] = TILE.exec(name) ?? [];
  if (level === undefined || digits === undefined) return undefined;
  const index = Number(digits.replaceAll(/[x/]/g, ''));
  const width = partial === undefined ? TILE_WIDTH : Number(partial);
  if (!Number.isSafeInteger(index) || (partial !== undefined && width >= TILE_WIDTH)) return undefined;
  return { kind: 'tile', level: level === 'entries' ? level : Number(level), index, width };
}
