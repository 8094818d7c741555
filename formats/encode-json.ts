/**
 * JSON as files hold it: compact, and the same bytes for the same value.
 *
 * - Members stand in the order of the canonical form, by code point. Where no string has a control character, the two forms are
 *   the same bytes; where one has, as the PEM of a key does, the canonical form is no JSON and only this one can be read back.
 * - What is written here is what `parseJson` reads, for every value that it can yield.
 */
import { encodeUtf8 } from './bytes.ts';
import { compareCodePoints } from './code-points.ts';
import { isJsonObject, type JsonValue } from './json.ts';

/** The bytes of a file that holds `value`. A number that is no integer within 2^53-1 is a bug of ours and throws. */
export function encodeJson(value: JsonValue): Uint8Array {
  return encodeUtf8(jsonText(value));
}

function jsonText(value: JsonValue): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError('not an integer within 2^53-1');
  if (isJsonObject(value)) {
    const names = [...value.keys()].sort(compareCodePoints);
    return `{${names.map((name) => `${JSON.stringify(name)}:${jsonText(value.get(name) ?? null)}`).join(',')}}`;
  }
  return Array.isArray(value) ? `[${(value as readonly JsonValue[]).map(jsonText).join(',')}]` : JSON.stringify(value);
}
