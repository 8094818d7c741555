/** The Range field, against RFC 9110, section 14. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseByteRange } from '../../ota-server/byte-range.ts';

const part = (start: number, endExclusive: number) => ({ start, endExclusive });

test('first and last, first alone, and a suffix are ranges', () => {
  expect(parseByteRange('bytes=0-0', 10)).toEqual(part(0, 1));
  expect(parseByteRange('bytes=2-5', 10)).toEqual(part(2, 6));
  expect(parseByteRange('bytes=2-', 10)).toEqual(part(2, 10));
  expect(parseByteRange('bytes=9-', 10)).toEqual(part(9, 10));
  expect(parseByteRange('bytes=-3', 10)).toEqual(part(7, 10));
  expect(parseByteRange('Bytes= 2-5 ', 10)).toEqual(part(2, 6));
  expect(parseByteRange('bytes=002-0005', 10)).toEqual(part(2, 6));
});

test('a range is cut to the object, however far it reaches', () => {
  expect(parseByteRange('bytes=2-10', 10)).toEqual(part(2, 10));
  expect(parseByteRange('bytes=2-99999999999999999999999999', 10)).toEqual(part(2, 10));
  expect(parseByteRange(`bytes=0-${'9'.repeat(5000)}`, 10)).toEqual(part(0, 10));
  expect(parseByteRange('bytes=-11', 10)).toEqual(part(0, 10));
  expect(parseByteRange(`bytes=-${'9'.repeat(5000)}`, 10)).toEqual(part(0, 10));
});

test('a range that begins behind the end, and an empty suffix, cannot be satisfied', () => {
  for (const field of [
    'bytes=10-',
    'bytes=10-20',
    'bytes=99999999999999999999-',
    `bytes=${'9'.repeat(5000)}-`,
    'bytes=-0',
  ]) {
    expect(parseByteRange(field, 10), field).toBe('unsatisfiable');
  }
  expect(parseByteRange('bytes=0-', 0)).toBe('unsatisfiable');
  expect(parseByteRange('bytes=-1', 0)).toBe('ignored');
});

test('what is not one range of bytes is ignored', () => {
  for (const field of [
    'bytes=5-4',
    'bytes=99999999999999999999-4',
    'bytes=-',
    'bytes=',
    'bytes',
    '',
    'items=0-1',
    'bytes=0-1,2-3',
    'bytes=0-5,3-8',
    `bytes=${Array.from({ length: 1000 }, (_, i) => `${i}-${i}`).join(',')}`,
    'bytes=0-1,',
    'bytes=a-b',
    'bytes=0x1-2',
    'bytes=1e1-20',
    'bytes=+1-2',
    'bytes=1.0-2',
    'bytes=--1',
    'bytes=0-1-2',
    'bytes 0-1',
    'bytes=0 - 1',
    'bytes=\u0661-\u0662',
  ]) {
    expect(parseByteRange(field, 10), field).toBe('ignored');
  }
});

test('any range holds exactly the bytes that the standard says', () => {
  const number = fc.oneof(fc.nat(20), fc.constant(undefined), fc.maxSafeNat());
  fc.assert(
    fc.property(number, number, fc.nat(20), (first, last, size) => {
      const outcome = parseByteRange(`bytes=${first ?? ''}-${last ?? ''}`, size);
      const wanted = Array.from({ length: size }, (_, at) => at).filter((at) =>
        first === undefined ? last !== undefined && at >= size - last : at >= first && at <= (last ?? Infinity),
      );
      if (typeof outcome === 'string') expect(wanted).toEqual([]);
      else
        expect([outcome.start, outcome.endExclusive - 1, outcome.endExclusive - outcome.start]).toEqual([
          wanted[0],
          wanted.at(-1),
          wanted.length,
        ]);
    }),
  );
});

test('no text makes a range that is empty or leaves the object', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `bytes=${text}`),
      ),
      fc.nat(100),
      (field, size) => {
        const outcome = parseByteRange(field, size);
        if (typeof outcome === 'string') return;
        expect(outcome.start).toBeGreaterThanOrEqual(0);
        expect(outcome.start).toBeLessThan(outcome.endExclusive);
        expect(outcome.endExclusive).toBeLessThanOrEqual(size);
      },
    ),
  );
});
