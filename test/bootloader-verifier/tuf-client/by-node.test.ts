/** What stands in the executable in the place of portable code answers the same, on any input. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256Bytes, sha256Hex } from '../../../bootloader-verifier/agent/tuf-client/sha256-node.ts';
import { sha512Hex } from '../../../bootloader-verifier/agent/tuf-client/sha512-node.ts';
import { encodeUtf8, parseUtf8 } from '../../../bootloader-verifier/agent/tuf-client/utf8-node.ts';
import * as portable256 from '../../../formats/sha256.ts';
import * as portable512 from '../../../formats/sha512.ts';
import * as portable from '../../../formats/utf8.ts';

const bytes = fc.uint8Array({ maxLength: 300 });

test('digests are those of the portable code, for every length around the blocks', () => {
  const known = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect(sha256Hex(Uint8Array.of(0x61, 0x62, 0x63))).toBe(known);
  for (let length = 0; length < 300; length++) {
    const input = new Uint8Array(length).map((_, i) => i * 7 + length);
    expect(sha256Hex(input)).toBe(portable256.sha256Hex(input));
    expect(sha256Bytes(input)).toEqual(portable256.sha256Bytes(input));
    expect(sha512Hex(input)).toBe(portable512.sha512Hex(input));
  }
});

test('a digest of a part of a buffer is of that part alone', () => {
  const whole = new Uint8Array(100).map((_, i) => i);
  expect(sha256Hex(whole.subarray(10, 20))).toBe(portable256.sha256Hex(whole.slice(10, 20)));
});

test('bytes have the same text, or none, in both', () => {
  fc.assert(
    fc.property(fc.oneof(bytes, fc.string({ unit: 'binary' }).map(portable.encodeUtf8)), (input) => {
      expect(parseUtf8(input)).toBe(portable.parseUtf8(input));
    }),
    { numRuns: 3000 },
  );
  const mark = Uint8Array.of(0xef, 0xbb, 0xbf, 0x61);
  expect(parseUtf8(mark)).toBe('\ufeffa');
  for (const odd of [[0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
    expect(parseUtf8(Uint8Array.from(odd))).toBeUndefined();
  }
});

test('text has the same bytes in both, lone surrogates among it', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
      (text) => {
        expect(encodeUtf8(text)).toEqual(portable.encodeUtf8(text));
      },
    ),
    { numRuns: 3000 },
  );
});
