/**
 * JSON as files hold it: compact, and the same bytes for the same value.
 *
 * - Members stand in the order of the canonical form, by code point. Where no string has a control character, the two forms are
 *   the same bytes; where one has, as the PEM of a key does, the canonical form is no JSON and only this one can be read back.
 * - What is written here is what `parseJson` reads, for every value that it can yield.
 */
import { encodeUtf8 } from './bytes.ts';
import { canonicalText } from './canonical-json.ts';
import { compareCodePoints } from './code-points.ts';
import { isJsonObject, type JsonValue } from './json.ts';

/** What the canonical form leaves as it is and JSON escapes: control characters, and a surrogate, if it is a lone one. */
const ESCAPED = /[\0-\x1f\ud800-\udfff]/;

/** The bytes of a file that holds `value`. A number that is no integer within 2^53-1 is a bug of ours and throws. */
export function encodeJson(value: JsonValue): Uint8Array {
  return encodeUtf8(jsonText(value));
}

/** The text of that file. @param canonical the canonical form of `value`, where it is known already. */
export function jsonText(value: JsonValue, canonical: string = canonicalText(value)): string {
  return ESCAPED.test(canonical) ? escapedText(value) : canonical;
}

function escapedText(value: JsonValue): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError('not an integer within 2^53-1');
  if (isJsonObject(value)) {
    const names = [...value.keys()].sort(compareCodePoints);
    return `{${names.map((name) => `${JSON.stringify(name)}:${escapedText(value.get(name) ?? null)}`).join(',')}}`;
  }
  return Array.isArray(value)
    ? `[${(value as readonly JsonValue[]).map(escapedText).join(',')}]`
    : JSON.stringify(value);
}
