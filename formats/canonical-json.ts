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
  const parts: string[] = [];
  writeValue(parts, value);
  return encodeUtf8(parts.join(''));
}

function writeValue(parts: string[], value: JsonValue): void {
  if (typeof value === 'string') parts.push(quote(value));
  else if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new RangeError('not an integer within 2^53-1');
  else if (value === null || typeof value === 'boolean' || typeof value === 'number') parts.push(String(value));
  else if (isJsonObject(value)) writeObject(parts, value);
  else {
    parts.push('[');
    for (const [index, item] of value.entries()) {
      if (index > 0) parts.push(',');
      writeValue(parts, item);
    }
    parts.push(']');
  }
}

function writeObject(parts: string[], value: JsonObject): void {
  let before = '{';
  for (const [name, member] of inOrder(value)) {
    parts.push(before, quote(name), ':');
    writeValue(parts, member);
    before = ',';
  }
  parts.push(value.size === 0 ? '{}' : '}');
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
  return text.includes('"') || text.includes('\\') ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`;
}
