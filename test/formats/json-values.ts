/**
 * Generated JSON values for the property tests of the formats.
 *
 * - `jsonValues` makes exactly what our strict parser can yield: integers, well-formed strings, objects as maps.
 * - `toPlain` and `fromPlain` cross to what JSON.parse yields and back, so that other implementations serve as oracles.
 */
import * as fc from 'fast-check';
import type { JsonValue } from '../../formats/json.ts';

/** Any code point but the surrogates: control characters, quotes and astral characters among them. */
export const wellFormedText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '/', '\n', '\u0000', '\u007f', 'é', '\uffff', '😀', '\u{10ffff}', 'u'),
  }),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'length', '', '0', '10', '9'),
);

const integers = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -10, max: 10 }));
const leaves: fc.Arbitrary<JsonValue> = fc.oneof(fc.constant(null), fc.boolean(), integers, wellFormedText);

/** Values of limited depth and width that any strict JSON text can hold. */
export const jsonValues: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    leaves,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(fc.tuple(wellFormedText, tie('value')), { maxLength: 5 }).map((members) => new Map(members)),
  ),
})).value;

/** `value` as JSON.parse would hold it: objects with own members, `__proto__` among them. */
export function toPlain(value: JsonValue): unknown {
  if (value instanceof Map) {
    return Object.fromEntries(
      [...(value as ReadonlyMap<string, JsonValue>)].map(([name, item]) => [name, toPlain(item)]),
    );
  }
  return Array.isArray(value) ? (value as readonly JsonValue[]).map(toPlain) : value;
}

/** What JSON.parse yielded, with objects as maps. */
export function fromPlain(plain: unknown): unknown {
  if (Array.isArray(plain)) return plain.map(fromPlain);
  if (typeof plain !== 'object' || plain === null) return plain;
  return new Map(Object.entries(plain).map(([name, item]) => [name, fromPlain(item)]));
}
