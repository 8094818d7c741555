/** Strict JSON beside JSON.parse: what we accept means the same there, and what it refuses we refuse. */
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { JSON_DEPTH_MAX, parseJson, type JsonCode, type JsonValue } from '../../formats/json.ts';
import type { Verdict } from '../../formats/verdict.ts';
import { byOracle, oracleReads } from './json-oracle.ts';
import { jsonValues, toPlain } from './json-values.ts';

const BYTES_MAX = 100_000;

function parse(text: string): Verdict<JsonValue, JsonCode> {
  return parseJson(encodeUtf8(text), { bytesMax: BYTES_MAX });
}

/** Holds `text` against the oracle: accepted here means accepted there with the same value. Returns whether we accept. */
function agreesWithOracle(text: string): boolean {
  const verdict = parse(text);
  if (!verdict.ok) return false;
  if (oracleReads(text, verdict.value)) return true;
  return expect.fail(`differs from JSON.parse on ${JSON.stringify(text)}`);
}

test('a name that is an escaped quote is read as it stands, whatever was read before', () => {
  expect(parse('{"a":1,"\\\\":2}')).toEqual({ ok: true, value: new Map([['a', 1], ['\\', 2]]) }); // prettier-ignore
  expect(parse('{"a":1,"\\"":2}')).toEqual({ ok: true, value: new Map([['a', 1], ['"', 2]]) }); // prettier-ignore
});

test('every value of integers, strings, lists and objects that JSON.stringify writes is read back whole', () => {
  fc.assert(
    fc.property(jsonValues, fc.constantFrom(0, 1, '\t', '\r\n '), (value, space) => {
      const verdict = parse(JSON.stringify(toPlain(value), undefined, space));
      expect(verdict.ok && isDeepStrictEqual(verdict.value, value)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test('whatever is accepted means the same to JSON.parse, over texts put together from pieces of JSON', () => {
  const pieces = ['{', '}', '[', ']', ':', ',', '"a"', '"', '\\', '\\u00', 'e9', '\\ud83d\\ude00', '0', '-', '1', '.', 'e', '+']; // prettier-ignore
  const text = fc.string({
    unit: fc.constantFrom(...pieces, 'true', 'nul', 'null', ' ', '\n', '\u00a0', '\ufeff', 'é'),
  });
  fc.assert(
    fc.property(text, (candidate) => {
      agreesWithOracle(candidate);
    }),
    { numRuns: 5000 },
  );
});

test('whatever is accepted means the same to JSON.parse, over valid texts with one character changed', () => {
  let accepted = 0;
  const change = fc.record({ at: fc.nat(), remove: fc.nat({ max: 2 }), put: fc.constantFrom('', '"', ',', '}', ']', '0', '-', '\\', 'n', ' ') }); // prettier-ignore
  fc.assert(
    fc.property(jsonValues, change, (value, { at, remove, put }) => {
      const text = JSON.stringify(toPlain(value));
      const start = at % (text.length + 1);
      // A cut may halve a surrogate pair; what is sent is UTF-8, which has no halves.
      const changed = `${text.slice(0, start)}${put}${text.slice(start + remove)}`.toWellFormed();
      if (agreesWithOracle(changed)) accepted++;
    }),
    { numRuns: 3000 },
  );
  // Otherwise the property would hold for want of cases.
  expect(accepted).toBeGreaterThan(300);
});

test('every single-character escape and every unit outside the surrogates reads as JSON.parse reads it', () => {
  for (let unit = 0; unit < 0x10000; unit++) {
    const hex = unit.toString(16).padStart(4, '0');
    const accepted = agreesWithOracle(`"\\u${unit % 2 === 0 ? hex : hex.toUpperCase()}"`);
    if (accepted !== (unit < 0xd800 || unit > 0xdfff)) expect.fail(hex);
  }
  for (let unit = 0; unit < 0x100; unit++) {
    const text = `"\\${String.fromCharCode(unit)}"`;
    if (agreesWithOracle(text) !== (byOracle(text) !== undefined)) expect.fail(text);
  }
});

test('two members of one name are refused, however the name is spelt and wherever it stands', () => {
  for (const text of ['{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '{"b":{"":0,"":0}}', '[{"__proto__":1,"__proto__":2}]']) {
    expect(parse(text), text).toMatchObject({ ok: false, code: 'JSON_DUPLICATE_NAME' });
  }
  expect(parse('{"a":{"a":1},"b":{"a":1}}').ok).toBe(true);
});

test('the name __proto__ is a member like any other and changes no prototype', () => {
  const verdict = parse('{"__proto__":{"admin":true},"constructor":1}');
  expect(verdict.ok && verdict.value instanceof Map && [...verdict.value.keys()]).toEqual(['__proto__', 'constructor']);
  expect(Object.hasOwn(Object.prototype, 'admin')).toBe(false);
});

test('a number that is not a plain integer within 2^53-1 is refused, so that no two parsers round it differently', () => {
  const refused = ['1.0', '1e3', '1E3', '0e0', '-0', '00', '01', '-01', '9007199254740992', '9007199254740993', '0.1'];
  for (const text of [...refused, '-9007199254740992', `1${'0'.repeat(400)}`, `[${'9'.repeat(30)}]`]) {
    expect(parse(text), text).toMatchObject({ ok: false, code: 'JSON_NUMBER_NOT_CANONICAL' });
  }
  for (const text of ['-', '+1', '.5', '-a', '0x10', 'NaN', 'Infinity', '-Infinity', '1_0', '１']) {
    expect(parse(text), text).toMatchObject({ ok: false, code: 'JSON_MALFORMED' });
  }
  for (const number of [0, 1, -1, 10, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    expect(parse(String(number))).toEqual({ ok: true, value: number });
  }
});

test('values nest as deep as the limit and no deeper', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const nested = (depth: number): Uint8Array => encodeUtf8(`${open.repeat(depth)}1${close.repeat(depth)}`);
    for (const depthMax of [1, 2, 7]) {
      expect(parseJson(nested(depthMax), { bytesMax: BYTES_MAX, depthMax }).ok).toBe(true);
      expect(parseJson(nested(depthMax + 1), { bytesMax: BYTES_MAX, depthMax })).toMatchObject({
        code: 'JSON_TOO_DEEP',
      });
    }
    expect(parseJson(nested(JSON_DEPTH_MAX), { bytesMax: BYTES_MAX }).ok).toBe(true);
    expect(parseJson(nested(JSON_DEPTH_MAX + 1), { bytesMax: BYTES_MAX })).toMatchObject({ code: 'JSON_TOO_DEEP' });
  }
  expect(parse(`[${'[],'.repeat(100)}[]]`).ok).toBe(true);
  expect(parse('['.repeat(BYTES_MAX))).toMatchObject({ ok: false, code: 'JSON_TOO_DEEP' });
});

test('a text as long as the limit is read and one byte more is refused unread', () => {
  expect(parseJson(encodeUtf8('[12345]'), { bytesMax: 7 }).ok).toBe(true);
  expect(parseJson(encodeUtf8('[12345]'), { bytesMax: 6 })).toMatchObject({ ok: false, code: 'JSON_TOO_LARGE' });
});

test('half a surrogate pair and bytes that are not UTF-8 are refused', () => {
  for (const text of [
    '"\\ud800"',
    '"\\udc00"',
    '"\\ud800\\ud800"',
    '"\\ud800x"',
    '"\\udc00\\ud800"',
    '"\\ud83d\\u0041"',
  ]) {
    expect(parse(text), text).toMatchObject({ ok: false, code: 'UTF8_MALFORMED' });
  }
  for (const inside of [[0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
    const verdict = parseJson(Uint8Array.of(0x22, ...inside, 0x22), { bytesMax: BYTES_MAX });
    expect(verdict).toMatchObject({ ok: false, code: 'UTF8_MALFORMED' });
  }
});

test('a byte order mark, foreign white space, trailing data and open ends are refused', () => {
  const refused = ['', ' ', '\ufeff{}', '\u00a01', '{}x', '{} {}', '1 2', '[1,]', '[,1]', '{"a":1,}', '{,}', '{"a"}', '{a:1}', "'a'"]; // prettier-ignore
  const open = [
    '[',
    '{',
    '"',
    '"\\',
    '"\\u12',
    '{"a":',
    '[1',
    '{"a":1',
    'tru',
    'nulL',
    '[1}',
    '{"a":1]',
    '// no\n1',
    '1//',
  ];
  for (const text of [...refused, ...open, '"\n"', '"\u0000"', '"\t"', '"\\x41"', '"\\u12g4"']) {
    expect(parse(text), JSON.stringify(text)).toMatchObject({ ok: false, code: 'JSON_MALFORMED' });
  }
  expect(parse(' \t\r\n{ } \n').ok).toBe(true);
});

test('a refusal names the byte where the fault stands, also when the parser has moved on', () => {
  for (const [text, at] of [
    ['"ab\n   "', 3],
    ['[1,\n x]', 5],
    ['{"a":tru  }', 5],
    ['["é", "\\ud800", 1]', 8],
    ['[1] 2', 4],
  ] as const) {
    const verdict = parse(text);
    expect(verdict.ok ? '' : verdict.detail, text).toMatch(new RegExp(`at byte ${at}$`));
  }
});

test('any bytes at all get a verdict and never an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      expect(typeof parseJson(bytes, { bytesMax: 50 }).ok).toBe('boolean');
    }),
    { numRuns: 2000 },
  );
});

test('strings longer than one inner span keep every character', () => {
  for (const length of [8191, 8192, 8193, 30_000]) {
    for (const body of ['a'.repeat(length), `${'a'.repeat(length)}é`]) {
      expect(parse(`"${body}\\n${body}"`)).toEqual({ ok: true, value: `${body}\n${body}` });
    }
  }
});
