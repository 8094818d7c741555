/** Decoders: exactly one shape each, every limit at its maximum and one beyond, and the place of each fault. */
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../formats/bytes.ts';
import {
  anyObject,
  base64Bytes,
  decodeJson,
  flag,
  hexText,
  integer,
  list,
  literal,
  mapOf,
  object,
  oneOf,
  optional,
  refine,
  shape,
  text,
  type DecodeCode,
  type Decoder,
} from '../../formats/decode.ts';
import { accept, type Verdict } from '../../formats/verdict.ts';

function decode<T>(json: string, decoder: Decoder<T>): Verdict<T, DecodeCode> {
  return decodeJson(encodeUtf8(json), 10_000, decoder);
}

function accepts<T>(decoder: Decoder<T>, ...texts: readonly string[]): void {
  for (const json of texts) expect(decode(json, decoder).ok, json).toBe(true);
}

function refuses<T>(decoder: Decoder<T>, ...texts: readonly string[]): void {
  for (const json of texts) expect(decode(json, decoder), json).toMatchObject({ ok: false, code: 'SHAPE_MALFORMED' });
}

/** The sentence with which `json` is refused. */
function detailOf<T>(json: string, decoder: Decoder<T>): string {
  const verdict = decode(json, decoder);
  return verdict.ok ? '' : verdict.detail;
}

test('a number outside its bounds, or of another type, is no integer of the format', () => {
  accepts(integer(1, 3), '1', '2', '3');
  refuses(integer(1, 3), '0', '4', '-1', '"2"', 'null', 'true', '[2]', '{}');
  accepts(integer(0), '9007199254740991');
  // Values of our own making meet the same rule as parsed ones.
  for (const number of [1.5, Number.NaN, Number.POSITIVE_INFINITY]) expect(integer(0)(number).ok).toBe(false);
});

test('a string is accepted up to its length and never empty', () => {
  accepts(text(3), '"a"', '"abc"', '"é😀"');
  refuses(text(3), '""', '"abcd"', '"😀😀"', '1', 'null', '["a"]');
});

test('a pattern must match the whole string, whether or not its author anchored it', () => {
  for (const pattern of [/[a-z]+/, /^[a-z]+$/, /[a-z]+/g, /[a-z]+/y, /^[a-z]+$/m, /b|[a-z]+/]) {
    const decoder = text(20, pattern);
    // Twice each: a pattern that keeps state between calls would answer differently the second time.
    for (let round = 0; round < 2; round++) {
      accepts(decoder, '"abc"', '"b"');
      refuses(decoder, '"abc1"', '"1abc"', '"a b"', '"abc\\n"', '"abc\\n1"', '"\\nabc"', '"ABC"');
    }
  }
  accepts(text(3, /[a-z]+/i), '"ABC"');
});

test('hex and base64 have exactly their size and their one spelling', () => {
  accepts(hexText(2), '"00ff"');
  refuses(hexText(2), '"00FF"', '"00f"', '"00ff00"', '"zzzz"', '""', '0');
  accepts(base64Bytes(4), '""', '"AAAA"', '"AAAAAA=="');
  refuses(base64Bytes(4), '"AAAAAAA="', '"AAAAAAAA"', '"AAB="', '"AA"', '"AA-_"', '4');
  expect(decode('"/w=="', base64Bytes(1))).toEqual({ ok: true, value: Uint8Array.of(255) });
});

test('a fixed value and a choice accept themselves alone', () => {
  accepts(literal('root'), '"root"');
  refuses(literal('root'), '"Root"', '"root "', '1', 'null');
  accepts(literal(1), '1');
  refuses(literal(1), '"1"', 'true', '2');
  accepts(oneOf('a', 'b'), '"a"', '"b"');
  refuses(oneOf('a', 'b'), '"c"', '""', '"toString"', '["a"]');
  accepts(flag, 'true', 'false');
  refuses(flag, '1', '"true"', 'null');
});

test('lists hold to their least and their greatest length', () => {
  const decoder = list(integer(0), 3, 1);
  accepts(decoder, '[0]', '[0,1,2]');
  refuses(decoder, '[]', '[0,1,2,3]', '{}', '"abc"', '[0,-1]', '[null]');
  accepts(list(flag, 1), '[]');
});

test('maps hold to their size and to the names that are allowed', () => {
  const decoder = mapOf(text(3, /[a-z]+/), integer(0), 2);
  accepts(decoder, '{}', '{"a":1,"abc":2}');
  refuses(decoder, '{"a":1,"b":2,"c":3}', '{"A":1}', '{"abcd":1}', '{"":1}', '{"__proto__":1}', '{"a":"1"}', '[]');
  accepts(mapOf(text(20), anyObject, 1), '{"__proto__":{}}');
});

test('a member that a format of ours does not know is refused, and ignored only where the format says so', () => {
  const shapeOf = { a: integer(0), b: optional(text(3)) };
  accepts(object('refused', shapeOf), '{"a":1}', '{"b":"x","a":1}');
  refuses(
    object('refused', shapeOf),
    '{"a":1,"c":1}',
    '{"a":1,"__proto__":1}',
    '{"a":1,"constructor":1}',
    '{"a":1,"":1}',
  );
  expect(decode('{"a":1,"c":2,"toString":3}', object('ignored', shapeOf))).toEqual({
    ok: true,
    value: { a: 1, b: undefined },
  });
});

test('a missing member is refused, an optional one is undefined, and null is never taken for absent', () => {
  const decoder = object('ignored', { a: integer(0), toString: optional(text(3)) });
  refuses(decoder, '{}', '{"a":null}', '{"a":1,"toString":null}', '[]', 'null', '"a"');
  expect(decode('{"a":1}', decoder)).toEqual({ ok: true, value: { a: 1, toString: undefined } });
});

test('a further step sees only what was decoded, and its refusal stands', () => {
  const even = refine(integer(0), (value) =>
    value % 2 === 0 ? accept(value / 2) : shape('an even number is expected'),
  );
  expect(decode('8', even)).toEqual({ ok: true, value: 4 });
  refuses(even, '7', '"8"', '-2');
});

test('a refusal names the place of the fault, with names from outside clipped and made printable', () => {
  const decoder = object('refused', { list: list(mapOf(text(100), object('refused', { n: integer(0) }), 5), 5) });
  expect(detailOf('{"list":[{},{"k":{"n":-1}}]}', decoder)).toMatch(/^\.list\[1\]\.k\.n: an integer from 0/);
  expect(detailOf('{"list":[{"k\\n\\u202e":{}}]}', decoder)).toBe('.list[0].k??.n: it is missing');
  expect(detailOf(`{"${'x'.repeat(100)}":1}`, decoder)).toBe(`member ${'x'.repeat(40)}… is not known`);
});

test('a fault of the text itself keeps its own code, and the size limit holds before anything is read', () => {
  expect(decode('{"a":1,"a":1}', anyObject)).toMatchObject({ ok: false, code: 'JSON_DUPLICATE_NAME' });
  expect(decodeJson(encodeUtf8('{ }'), 3, anyObject).ok).toBe(true);
  expect(decodeJson(encodeUtf8('{ }'), 2, anyObject)).toMatchObject({ ok: false, code: 'JSON_TOO_LARGE' });
  refuses(anyObject, '[]', 'null', '1', '"{}"');
});
