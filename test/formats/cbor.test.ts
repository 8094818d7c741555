/** Deterministic CBOR: cborg as a second opinion, and every other spelling refused. */
import { decode, encode, rfc8949EncodeOptions } from 'cborg';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes, encodeHex, parseHex } from '../../formats/bytes.ts';
import { CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, parseCbor } from '../../formats/cbor.ts';

const hex = (text: string): Uint8Array => parseHex(text) ?? expect.unreachable();
const LIMITS = { bytesMax: 4_096 };

const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    fc.maxSafeInteger(),
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.oneof(fc.integer(), fc.string()), tie('value')), { maxLength: 4 })
      .map((entries) => new Map(entries)),
  ),
})).value;

test('whatever cborg encodes deterministically is read as the same', () => {
  fc.assert(
    fc.property(values, (value) => {
      const bytes = Uint8Array.from(encode(value, rfc8949EncodeOptions));
      const read = parseCbor(bytes, { bytesMax: bytes.length });
      expect(read).toEqual({ ok: true, value });
    }),
  );
});

test('whatever is read from random bytes is what cborg reads, and would write in the same way', () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const read = parseCbor(bytes, LIMITS);
      if (!read.ok || bytes.some((byte) => byte >> 5 === 6)) return;
      accepted++;
      expect(decode(bytes, { useMaps: true, strict: true, rejectDuplicateMapKeys: true })).toEqual(read.value);
      expect(encodeHex(encode(read.value, rfc8949EncodeOptions))).toBe(encodeHex(bytes));
    }),
    { numRuns: 5_000 },
  );
  expect(accepted).toBeGreaterThan(50);
});

test.each([
  ['a head longer than it must be', '1800'],
  ['the same in two bytes', '190017'],
  ['the same in four bytes', '1a00000001'],
  ['the same in eight bytes', '1b0000000000000001'],
  ['an indefinite array', '9fff'],
  ['an indefinite text', '7f6161ff'],
  ['a float', 'f97e00'],
  ['undefined', 'f7'],
  ['a break alone', 'ff'],
  ['a key twice', 'a201000100'],
  ['keys out of order', 'a202000100'],
  ['a key that is a list', 'a18000'],
  ['a text that is not UTF-8', '61ff'],
  ['a number beyond 2^53-1', '1b0020000000000000'],
  ['a negative number beyond it', '3b001fffffffffffff'],
  ['two values', '0000'],
  ['nothing', ''],
  ['a text cut off', '6361'],
  ['an array cut off', '82'],
  ['an array of more than there is', '9affffffff'],
])('%s is refused', (_, bytes) => {
  expect(parseCbor(hex(bytes), LIMITS)).toMatchObject({ ok: false, code: 'CBOR_MALFORMED' });
});

test('depth, items and bytes are read up to their maximum', () => {
  const deep = (depth: number): Uint8Array => concatBytes(new Uint8Array(depth).fill(0x81), Uint8Array.of(0));
  expect(parseCbor(deep(CBOR_DEPTH_MAX), LIMITS).ok).toBe(true);
  expect(parseCbor(deep(CBOR_DEPTH_MAX + 1), LIMITS)).toMatchObject({ code: 'CBOR_MALFORMED' });
  const wide = (items: number): Uint8Array => encode(new Array(items - 1).fill(0), rfc8949EncodeOptions);
  expect(parseCbor(wide(CBOR_ITEMS_MAX), LIMITS).ok).toBe(true);
  expect(parseCbor(wide(CBOR_ITEMS_MAX + 1), LIMITS)).toMatchObject({ code: 'CBOR_MALFORMED' });
  const three = hex('8201f5');
  expect(parseCbor(three, { bytesMax: 3 }).ok).toBe(true);
  expect(parseCbor(three, { bytesMax: 2 })).toMatchObject({ code: 'CBOR_MALFORMED' });
});
