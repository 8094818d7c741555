/**
 * Canonical JSON as the TUF implementations sign it (the OLPC form, not RFC 8785).
 *
 * - No white space; members sorted by code point, so that python-tuf and go-tuf compute the same bytes.
 * - In strings only the quote and the backslash are escaped; everything else stands as UTF-8.
 * - Only integers exist: the parser refuses every other number, and one made by our own code is a bug and throws.
 */
import { encodeUtf8 } from './bytes.ts';
import { isJsonObject, type JsonValue } from './json.ts';

/** The bytes over which a TUF signature is made (TUF specification 1.0.34, section 4.2.1). */
export function encodeCanonicalJson(value: JsonValue): Uint8Array {
  return encodeUtf8(canonicalText(value));
}

function canonicalText(value: JsonValue): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError('not an integer within 2^53-1');
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (isJsonObject(value)) {
    const names = [...value.keys()].sort(compareCodePoints);
    return `{${names.map((name) => `${quote(name)}:${canonicalText(value.get(name) ?? null)}`).join(',')}}`;
  }
  return `[${value.map(canonicalText).join(',')}]`;
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Orders by code point; JavaScript's own order is by UTF-16 unit and puts astral characters before U+E000. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return weight(x) - weight(y);
  }
  return a.length - b.length;
}

/** A UTF-16 unit's rank in code point order: surrogates stand for what lies above U+FFFF. */
function weight(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
