/** Moments: one spelling, real dates only, and none that could never expire. The hostile spellings stand in `tuf-refusals.ts` too. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeInstant, instantDecoder, parseInstant } from '../../formats/instant.ts';

const SECOND_MS = 1000;

test('every second of the years 0 to 9999 is written in one way and read back', () => {
  const first = Date.parse('0000-01-01T00:00:00Z');
  const last = Date.parse('9999-12-31T23:59:59Z');
  fc.assert(
    fc.property(fc.integer({ min: first / SECOND_MS, max: last / SECOND_MS }), (seconds) => {
      const text = encodeInstant(seconds * SECOND_MS);
      expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(parseInstant(text)).toBe(seconds * SECOND_MS);
      expect(new Date(text).getTime()).toBe(seconds * SECOND_MS);
    }),
  );
  for (const border of [first, last]) expect(parseInstant(encodeInstant(border))).toBe(border);
});

test('parts of a second are cut off, never rounded up', () => {
  expect(encodeInstant(999)).toBe('1970-01-01T00:00:00Z');
  expect(encodeInstant(-1)).toBe('1969-12-31T23:59:59Z');
});

test('a moment of no four-digit year, or none at all, is never written: it would be an expiry that nobody reads', () => {
  const beyond = [Date.parse('9999-12-31T23:59:59Z') + SECOND_MS, Date.parse('0000-01-01T00:00:00Z') - 1];
  for (const instant of [...beyond, 8.64e15 + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => encodeInstant(instant), String(instant)).toThrow(RangeError);
  }
});

test('the 29th of February exists in leap years alone', () => {
  for (const year of ['2028', '2000', '2400']) expect(parseInstant(`${year}-02-29T00:00:00Z`)).toBeTypeOf('number');
  for (const year of ['2027', '1900', '2100']) expect(parseInstant(`${year}-02-29T00:00:00Z`)).toBeUndefined();
});

test('a text in another form, or a date that does not exist, is no moment', () => {
  for (const text of [
    ...['', '2030', '2030-01', '2030-01-01', '2030-01-01T00:00Z', '2030-01-01T00:00:00', '2030-01-01T00:00:00z'],
    ...['2030-01-01t00:00:00Z', '2030-01-01 00:00:00Z', '2030-01-01T00:00:00+00:00', '2030-01-01T00:00:00.0Z'],
    ...['2030-00-01T00:00:00Z', '2030-13-01T00:00:00Z', '2030-01-32T00:00:00Z', '2030-04-31T00:00:00Z'],
    ...['2030-01-01T24:00:00Z', '2030-01-01T00:60:00Z', '2030-12-31T23:59:60Z', '2030-1-1T00:00:00Z'],
    ...[
      '+012030-01-01T00:00:00Z',
      '-000001-01-01T00:00:00Z',
      '+02030-01-01T00:00:00Z',
      '-2030-01-01T00:00:00Z',
      '2030-01-01T00:00:00ZZ',
      ' 2030-01-01T00:00:00Z',
    ],
    ...[
      '2030-01-01T00:00:00Z\n',
      '２０３０-01-01T00:00:00Z',
      'Tue, 01 Jan 2030 00:00:00 GMT',
      'now',
      'NaN',
      'Invalid Date',
    ],
  ]) {
    expect(parseInstant(text), text).toBeUndefined();
    expect(instantDecoder(text), text).toMatchObject({ ok: false, code: 'SHAPE_MALFORMED' });
  }
});

test('a number is no moment on the wire', () => {
  for (const json of [0, 1893456000, 1893456000000, null, true]) {
    expect(instantDecoder(json)).toMatchObject({ ok: false, code: 'SHAPE_MALFORMED' });
  }
  expect(instantDecoder('2030-01-01T00:00:00Z')).toEqual({ ok: true, value: 1893456000000 });
});
