/**
 * Canonical JSON as the TUF implementations sign it (the OLPC form, not RFC 8785).
 *
 * - No white space; members sorted by code point, so that python-tuf and go-tuf compute the same bytes.
 * - In strings only the quote and the backslash are escaped; everything else stands as UTF-8.
 * - Only integers exist: the parser refuses every other number, and one made by our own code is a bug and throws.
 */
import { encodeUtf8 } from './utf8.ts';
import { compareCodePoints } from './code-points.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** The bytes over which a TUF signature is made (TUF specification 1.0.34, section 4.2.1). */
export function encodeCanonicalJson(value: JsonValue): Uint8Array {
  return encodeUtf8(canonicalText(value));
}

/** The canonical form as text. */
export function canonicalText(value: JsonValue): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError('not an integer within 2^53-1');
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return String(value);
  return isJsonObject(value) ? objectText(value) : `[${value.map(canonicalText).join(',')}]`;
}

function objectText(value: JsonObject): string {
  let text = '';
  for (const [name, member] of inOrder(value)) {
    text += `${text === '' ? '{' : ','}${quote(name)}:${canonicalText(member)}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

/** The members in their order. Most files have them so already, and are not sorted again. */
function inOrder(value: JsonObject): Iterable<readonly [string, JsonValue]> {
  let before: string | undefined;
  for (const name of value.keys()) {
    if (before !== undefined && compareCodePoints(before, name) > 0) {
      return [...value].sort(([a], [b]) => compareCodePoints(a, b));
    }
    before = name;
  }
  return value;
}

function quote(text: string): string {
  return /["\\]/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`;
}
