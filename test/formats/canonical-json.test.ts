/** Canonical JSON beside tuf-js's own encoder, and where that one goes wrong. */
import { createRequire } from 'node:module';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8, parseUtf8 } from '../../formats/bytes.ts';
import { encodeCanonicalJson } from '../../formats/canonical-json.ts';
import { compareCodePoints } from '../../formats/code-points.ts';
import { encodeJson } from '../../formats/encode-json.ts';
import { isJsonObject, parseJson, parseJsonWithForm, type JsonValue } from '../../formats/json.ts';
import { jsonValues, toPlain, wellFormedText } from './json-values.ts';

type Canonicalizer = { readonly canonicalize: (value: unknown) => string };

// The encoder that @tufjs/models brings along, found where that package finds it.
const fromModels = createRequire(createRequire(import.meta.url).resolve('@tufjs/models'));
const { canonicalize } = fromModels('@tufjs/canonical-json') as Canonicalizer;

function canonicalText(value: JsonValue): string | undefined {
  return parseUtf8(encodeCanonicalJson(value));
}

/** The canonical form of JSON `text`. */
function canonicalOf(text: string): string | undefined {
  const parsed = parseJson(encodeUtf8(text), { bytesMax: 10_000 });
  return parsed.ok ? canonicalText(parsed.value) : undefined;
}

/** Whether a name of `value` holds a character above U+FFFF, where tuf-js sorts by UTF-16 unit. */
function hasAstralName(value: JsonValue): boolean {
  if (value instanceof Map) {
    const members = value as ReadonlyMap<string, JsonValue>;
    return [...members].some(([name, item]) => /[\u{10000}-\u{10ffff}]/u.test(name) || hasAstralName(item));
  }
  return Array.isArray(value) && (value as readonly JsonValue[]).some(hasAstralName);
}

test('the canonical bytes of any value without astral names are those of tuf-js', () => {
  let compared = 0;
  fc.assert(
    fc.property(jsonValues, (value) => {
      if (hasAstralName(value)) return;
      compared++;
      expect(canonicalText(value)).toBe(canonicalize(toPlain(value)));
    }),
    { numRuns: 1000 },
  );
  expect(compared).toBeGreaterThan(500);
});

test('members stand in code point order, also where UTF-16 order differs', () => {
  expect(canonicalOf('{"\\ud83d\\ude00":1,"\\uffff":2,"b":3,"":4,"B":5,"ab":6}')).toBe(
    '{"":4,"B":5,"ab":6,"b":3,"\uffff":2,"😀":1}',
  );
  fc.assert(
    fc.property(wellFormedText, wellFormedText, (a, b) => {
      // UTF-8 keeps code point order, so the order of the encoded bytes is the oracle.
      expect(Math.sign(compareCodePoints(a, b))).toBe(Buffer.compare(encodeUtf8(a), encodeUtf8(b)));
    }),
    { numRuns: 1000 },
  );
});

test('only the quote and the backslash are escaped; control characters and slashes stand as they are', () => {
  expect(canonicalOf('"\\u0000\\n\\/\\"\\\\\\u007f\\u00e9\\u2028"')).toBe('"\u0000\n/\\"\\\\\u007fé\u2028"');
});

test('white space and member order of the input never change the canonical bytes', () => {
  expect(canonicalOf(' { "b" : [ 1 , { } , [ ] , null , true , false ] , "a" : -7 } ')).toBe(
    '{"a":-7,"b":[1,{},[],null,true,false]}',
  );
});

test('two different values never share their canonical bytes', () => {
  fc.assert(
    fc.property(jsonValues, jsonValues, (a, b) => {
      // JSON.stringify is injective on these values, save for the order of members, which it is given sorted.
      const same = canonicalText(a) === canonicalText(b);
      expect(same).toBe(sortedText(a) === sortedText(b));
    }),
    { numRuns: 1000 },
  );
});

/** An independent injective text: JSON.stringify over lists of sorted members. */
function sortedText(value: JsonValue): string {
  if (value instanceof Map) {
    const members = [...(value as ReadonlyMap<string, JsonValue>)].map(([name, item]) => [name, sortedText(item)]);
    return JSON.stringify({ members: members.sort(([a = ''], [b = '']) => (a < b ? -1 : 1)) });
  }
  return Array.isArray(value) ? JSON.stringify((value as readonly JsonValue[]).map(sortedText)) : JSON.stringify(value);
}

test('a number of our own making that is no integer is a bug, never signed as something that others read differently', () => {
  for (const number of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e21, 2 ** 53]) {
    expect(() => encodeCanonicalJson(number)).toThrow(RangeError);
  }
});

/** The bytes that are told to be the canonical form of the member `signed`, and the form itself. */
function formsOf(text: string): readonly [told: string | undefined, form: string | undefined] {
  const parsed = parseJsonWithForm(encodeUtf8(text), { bytesMax: 100_000 }, 'signed');
  if (!parsed.ok) return [undefined, undefined];
  const { value, canonical } = parsed.value;
  const signed = isJsonObject(value) ? value.get('signed') : undefined;
  return [canonical && parseUtf8(canonical), signed === undefined ? undefined : canonicalText(signed)];
}

test('bytes are taken for the canonical form only where they are it, however a text is written', () => {
  const written = fc.record({
    value: jsonValues,
    space: fc.constantFrom(0, 1, '\t'),
    name: fc.constantFrom('"signed":', '"signed" :', '"\\u0073igned":', '"other":'),
    isOurs: fc.boolean(),
  });
  let told = 0;
  fc.assert(
    fc.property(written, ({ value, space, name, isOurs }) => {
      const text = isOurs ? (parseUtf8(encodeJson(value)) ?? '') : JSON.stringify(toPlain(value), undefined, space);
      const [bytes, form] = formsOf(`{ "a":1,${name}${text}, "z":{"signed":[ ]} }`);
      if (bytes === undefined) return;
      told++;
      expect(bytes).toBe(form);
    }),
    { numRuns: 3000 },
  );
  expect(told).toBeGreaterThan(500);
});

test('one character put anywhere into a canonical text leaves no bytes that are falsely taken for the form', () => {
  const put = fc.constantFrom(
    ' ',
    '\n',
    '\\/',
    '\\"',
    '\\\\',
    '\\u0041',
    '"',
    ',',
    '0',
    '\u007f',
    'é',
    '"\u{1f600}":1,',
    '"":2,',
  );
  fc.assert(
    fc.property(jsonValues, fc.nat(), put, (value, at, piece) => {
      const text = parseUtf8(encodeJson(new Map<string, JsonValue>([['signed', value]]))) ?? '';
      const start = at % text.length;
      const [bytes, form] = formsOf(`${text.slice(0, start)}${piece}${text.slice(start)}`);
      if (bytes !== undefined) expect(bytes).toBe(form);
    }),
    { numRuns: 3000 },
  );
});

test('a file as we write it is verified over the very bytes that came, and one in another order over its form', () => {
  expect(formsOf('{"signatures":[],"signed":{"a":1,"b":"\\"é"}}')).toEqual([
    '{"a":1,"b":"\\"é"}',
    '{"a":1,"b":"\\"é"}',
  ]);
  const odd = [
    '{"b":1,"a":1}',
    '{"a": 1}',
    '{"a":"\\u0061"}',
    '{"a":"\\/"}',
    '{"a":"\\n"}',
    '{"\u{1f600}":1,"\uffff":1}',
    '[{"b":1,"a":1}]',
  ];
  for (const signed of odd) expect(formsOf(`{"signed":${signed}}`)[0], signed).toBeUndefined();
  // The member of the whole is meant, and no other one of its name.
  expect(formsOf('[{"signed":1}]')[0]).toBeUndefined();
  expect(formsOf('{"a":{"signed":1}}')[0]).toBeUndefined();
});
