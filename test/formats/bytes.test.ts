/** Bytes and their text forms, beside Node's own coders as oracles. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  concatBytes,
  encodeBase64,
  encodeHex,
  encodeUtf8,
  equalBytes,
  parseBase64,
  parseHex,
  parseUtf8,
} from '../../formats/bytes.ts';
import { wellFormedText } from './json-values.ts';

const bytes = fc.uint8Array({ maxLength: 200 });
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of `input` by the WHATWG decoder, or undefined where that refuses. */
function utf8ByOracle(input: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(input);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

test('hex of any bytes reads back as those bytes, and Node writes the same text', () => {
  fc.assert(
    fc.property(bytes, (input) => {
      expect(encodeHex(input)).toBe(Buffer.from(input).toString('hex'));
      expect(parseHex(encodeHex(input))).toEqual(input);
    }),
  );
});

test('hex that is upper case, odd, spaced or not hex at all is refused', () => {
  for (const text of ['A0', 'aF', '0', 'abc', 'zz', '0x', ' 00', '00 ', '0\n', '٠٠', 'é0', '-1', '+1']) {
    expect(parseHex(text), text).toBeUndefined();
  }
  expect(parseHex('')).toEqual(new Uint8Array());
});

test('base64 of any bytes reads back as those bytes, and Node writes the same text', () => {
  fc.assert(
    fc.property(bytes, (input) => {
      expect(encodeBase64(input)).toBe(Buffer.from(input).toString('base64'));
      expect(parseBase64(encodeBase64(input))).toEqual(input);
    }),
  );
});

test('a base64 text is accepted only when it is the one text of its bytes', () => {
  const alphabet = fc.constantFrom('A', 'Q', 'g', 'w', 'z', '9', '+', '/', '=', '-', '_', ' ', '\n', 'é');
  fc.assert(
    fc.property(fc.string({ unit: alphabet, maxLength: 9 }), (text) => {
      const oracle = Buffer.from(text, 'base64');
      const parsed = parseBase64(text);
      if (oracle.toString('base64') === text) expect(parsed).toEqual(new Uint8Array(oracle));
      else expect(parsed).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});

test('base64 with padding missing, doubled, early or over set bits is refused', () => {
  for (const text of [
    'A',
    'AA',
    'AAA',
    'A===',
    '====',
    'AA==AA==',
    'AA=A',
    'AB==',
    'AAB=',
    'AA-_',
    'AAAA\n',
    'AA==A',
  ]) {
    expect(parseBase64(text), text).toBeUndefined();
  }
  expect(parseBase64('')).toEqual(new Uint8Array());
});

test('UTF-8 of any text reads back as that text, and Node writes the same bytes', () => {
  fc.assert(
    fc.property(wellFormedText, (text) => {
      expect(encodeUtf8(text)).toEqual(new TextEncoder().encode(text));
      expect(parseUtf8(encodeUtf8(text))).toBe(text);
    }),
  );
});

test('bytes are read as UTF-8 exactly when a fatal WHATWG decoder reads them, and as the same text', () => {
  const lead = fc.constantFrom(
    0x41,
    0x7f,
    0x80,
    0xbf,
    0xc0,
    0xc1,
    0xc2,
    0xdf,
    0xe0,
    0xed,
    0xef,
    0xf0,
    0xf4,
    0xf5,
    0xff,
  );
  const follow = fc.constantFrom(0x20, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbb, 0xbf, 0xc0);
  const sequences = fc.array(fc.oneof(lead, follow, fc.integer({ min: 0, max: 255 })), { maxLength: 12 });
  fc.assert(
    fc.property(sequences, (numbers) => {
      const input = Uint8Array.from(numbers);
      expect(parseUtf8(input)).toBe(utf8ByOracle(input));
    }),
    { numRuns: 5000 },
  );
});

test('every sequence of two bytes, and every three-byte border of the surrogates, is judged as the oracle judges it', () => {
  for (let pair = 0; pair < 0x10000; pair++) {
    const input = Uint8Array.of(pair >> 8, pair & 255);
    if (parseUtf8(input) !== utf8ByOracle(input)) expect.fail(`differs at ${encodeHex(input)}`);
  }
  for (const hex of [
    'ed9fbf',
    'eda080',
    'edbfbf',
    'ee8080',
    'e09fbf',
    'e0a080',
    'f08fbfbf',
    'f0908080',
    'f48fbfbf',
    'f4908080',
  ]) {
    const input = parseHex(hex) ?? new Uint8Array();
    expect(parseUtf8(input), hex).toBe(utf8ByOracle(input));
  }
});

test('texts longer than one inner chunk keep every character, also where a chunk ends inside a sequence', () => {
  for (const length of [4094, 4095, 4096, 4097, 8192, 20_000]) {
    for (const text of [
      'a'.repeat(length),
      `${'a'.repeat(length)}é`,
      `é${'a'.repeat(length)}😀${'b'.repeat(length)}`,
    ]) {
      expect(parseUtf8(encodeUtf8(text)) === text, `${length}`).toBe(true);
    }
  }
});

test('a byte order mark is a character like any other and is never dropped', () => {
  expect(parseUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toBe('\ufeffA');
});

test('a lone surrogate in a text of ours is written as U+FFFD, as WHATWG encoders do', () => {
  for (const text of ['\ud800', 'a\udfff', '\udc00\ud800', '\ud83d-']) {
    expect(encodeUtf8(text)).toEqual(new TextEncoder().encode(text));
  }
});

test('concatenation keeps every byte in order, and equality holds for equal bytes alone', () => {
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 5 }), fc.nat(), (parts, at) => {
      const joined = concatBytes(...parts);
      expect(joined).toEqual(new Uint8Array(Buffer.concat(parts)));
      expect(equalBytes(joined, joined.slice())).toBe(true);
      expect(equalBytes(joined, concatBytes(joined, Uint8Array.of(0)))).toBe(false);
      if (joined.length === 0) return;
      const changed = joined.slice();
      changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ 1;
      expect(equalBytes(joined, changed)).toBe(false);
    }),
  );
});
