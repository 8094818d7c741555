/**
 * Names of roles and targets as names of files and in addresses: data, never a path of this machine.
 *
 * - In a file's name every character is percent-encoded but letters, digits, `_`, `.`, `-` and `~`; no name of ours holds `@`, so
 *   that files which are still being written have names of their own.
 * - A name too long for a file system stands as its digest, behind `%`, which no encoded name has before a letter like `s`.
 * - A delegated role that is named like a top-level role but for the case of its letters has its first letter encoded: some file
 *   systems take the two names for one. So has what Windows takes for a device; and a dot at the end of a name, which it drops.
 */
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { sha256Hex } from '../../../formats/sha256.ts';

const LENGTH_MAX = 200;
const TOP_LEVEL: ReadonlySet<string> = new Set(['root', 'targets', 'snapshot', 'timestamp']);
const DEVICE = /^(con|prn|aux|nul|(com|lpt)[0-9])(\.|$)/i;
/** What a path of an address may not hold (RFC 3986, section 3.3): `%` that starts no escape, and all but `pchar` and `/`. */
const NO_PATH = /%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~%!$&'()*+,;=:@/]/gu;

/** `name` percent-encoded as one segment of an address (RFC 3986, section 2.3). */
export function encodeSegment(name: string): string {
  return encodeURIComponent(name).replace(/[!'()*]/g, (character) => percent(character));
}

/**
 * The target `name` as a path below an address, or undefined where it would climb.
 * A name is a path-relative URL string (4.5): what may stand in one stands in the address as it is, escapes among it, as other
 * clients have it; every other character is percent-encoded.
 */
export function targetPath(name: string): string | undefined {
  const path = name.replace(NO_PATH, (character) => encodeURIComponent(character));
  return path.split('/').some((segment) => /^(\.|%2e){1,2}$/i.test(segment)) ? undefined : path;
}

/** The file name of `role`, with its ending. */
export function roleFileName(role: string): string {
  const isAlike = !TOP_LEVEL.has(role) && TOP_LEVEL.has(role.toLowerCase());
  return `${stored(role, isAlike)}.json`;
}

/** The file name of the target `name`. */
export function targetFileName(name: string): string {
  return stored(name, false).replace(/\.$/, '%2E');
}

function stored(name: string, isAlike: boolean): string {
  const encoded = encodeSegment(name);
  if (encoded.length > LENGTH_MAX) return `%sha256-${sha256Hex(encodeUtf8(name))}`;
  return isAlike || DEVICE.test(encoded) ? `${percent(encoded)}${encoded.slice(1)}` : encoded;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
