/**
 * Names of roles and targets as names of files: data, never a path.
 *
 * - Every character is percent-encoded but letters, digits, `_`, `.`, `-` and `~`; no name of ours holds `@`, so that files which
 *   are still being written have names of their own.
 * - A name too long for a file system stands as its digest, behind `%`, which no encoded name has before a letter like `s`.
 * - A delegated role that is named like a top-level role but for the case of its letters has its first letter encoded: some file
 *   systems take the two names for one.
 */
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { sha256Hex } from '../../../formats/sha256.ts';

const LENGTH_MAX = 200;
const TOP_LEVEL: ReadonlySet<string> = new Set(['root', 'targets', 'snapshot', 'timestamp']);

/** `name` percent-encoded as one segment of an address (RFC 3986, section 2.3). */
export function encodeSegment(name: string): string {
  return encodeURIComponent(name).replace(/[!'()*]/g, (character) => percent(character));
}

/** The file name of `role`, with its ending. */
export function roleFileName(role: string): string {
  const alike = !TOP_LEVEL.has(role) && TOP_LEVEL.has(role.toLowerCase());
  const encoded = alike ? `${percent(role.charAt(0))}${encodeSegment(role.slice(1))}` : encodeSegment(role);
  return `${shortened(encoded, role)}.json`;
}

/** The file name of the target `name`. */
export function targetFileName(name: string): string {
  const encoded = encodeSegment(name);
  return shortened(/^\.{1,2}$/.test(encoded) ? encoded.replaceAll('.', '%2E') : encoded, name);
}

function shortened(encoded: string, name: string): string {
  return encoded.length <= LENGTH_MAX ? encoded : `%sha256-${sha256Hex(encodeUtf8(name))}`;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
