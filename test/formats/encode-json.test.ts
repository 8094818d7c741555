/** JSON as files hold it: whatever the strict parser can yield is written so that it reads it back, in one spelling. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8, equalBytes, parseUtf8 } from '../../formats/bytes.ts';
import { encodeCanonicalJson } from '../../formats/canonical-json.ts';
import { encodeJson } from '../../formats/encode-json.ts';
import { parseJson, type JsonValue } from '../../formats/json.ts';
import { oracleReads } from './json-oracle.ts';
import { jsonValues } from './json-values.ts';

function textOf(value: JsonValue): string {
  return parseUtf8(encodeJson(value)) ?? '';
}

test('every value is read back as it was written, by our parser and by JSON.parse', () => {
  fc.assert(
    fc.property(jsonValues, (value) => {
      const bytes = encodeJson(value);
      const read = parseJson(bytes, { bytesMax: bytes.length });
      expect(read.ok && equalBytes(encodeCanonicalJson(read.value), encodeCanonicalJson(value))).toBe(true);
      expect(oracleReads(textOf(value), value)).toBe(true);
    }),
  );
});

test('where no string has a control character, the file is the canonical form', () => {
  fc.assert(
    fc.property(jsonValues, (value) => {
      const canonical = encodeCanonicalJson(value);
      fc.pre(canonical.every((byte) => byte >= 0x20));
      expect(equalBytes(encodeJson(value), canonical)).toBe(true);
    }),
  );
});

test('a line end, which the canonical form leaves as it is, is escaped in a file', () => {
  expect(textOf(new Map([['a\n', 'b\u0000']]))).toBe('{"a\\n":"b\\u0000"}');
  expect(parseJson(encodeCanonicalJson('b\n'), { bytesMax: 10 }).ok).toBe(false);
  expect(encodeJson('b\n')).toEqual(encodeUtf8('"b\\n"'));
});

test('members stand in the order of code points, whatever order they came in', () => {
  const names = ['\u{1f600}', '\uffff', 'b', 'a', '10', '9', ''];
  expect(textOf(new Map(names.map((name) => [name, 0])))).toBe(
    '{"":0,"10":0,"9":0,"a":0,"b":0,"\uffff":0,"\u{1f600}":0}',
  );
});

test('a fraction of our own making is a bug and never written', () => {
  for (const number of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
    expect(() => encodeJson([number])).toThrow(RangeError);
});
