/** Records on flash: a torn or damaged one is never taken for a whole one, and a whole one is always found again. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes, encodeHex, equalBytes } from '../../formats/bytes.ts';
import { encodeRecord, parseRecord, recordPayloadLength, RECORD_HEADER_BYTES } from '../../formats/flash-record.ts';

const RECORD = { sequence: 258, payload: Uint8Array.of(1, 2, 3, 4, 5) };
const BYTES = encodeRecord(RECORD);

test('a record has a mark, a sequence, a length, a digest over both and the payload, and the payload', () => {
  expect(encodeHex(BYTES.subarray(0, 16))).toBe(`${'464d5231'}${'0000000000000102'}${'00000005'}`);
  expect(BYTES.length).toBe(RECORD_HEADER_BYTES + RECORD.payload.length);
  expect(RECORD_HEADER_BYTES).toBe(48);
});

test('every record is read back, whatever follows it on flash', () => {
  fc.assert(
    fc.property(
      fc.maxSafeNat(),
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ maxLength: 60 }),
      (sequence, payload, after) => {
        expect(parseRecord(concatBytes(encodeRecord({ sequence, payload }), after))).toEqual({ sequence, payload });
      },
    ),
  );
});

test('a record whose write was torn at any byte, over anything that stood there, is none', () => {
  const older = encodeRecord({ sequence: 257, payload: Uint8Array.of(9, 9, 9, 9, 9, 9, 9) });
  for (const before of [older, new Uint8Array(BYTES.length).fill(0xff), new Uint8Array(BYTES.length)]) {
    for (let torn = 0; torn < BYTES.length; torn++) {
      const bytes = concatBytes(BYTES.slice(0, torn), before.slice(torn));
      const record = parseRecord(bytes);
      if (record !== undefined)
        expect(equalBytes(encodeRecord(record), before.slice(0, encodeRecord(record).length))).toBe(true);
    }
  }
});

test('a record of which any bit was flipped is none', () => {
  for (let bit = 0; bit < BYTES.length * 8; bit++) {
    const bytes = BYTES.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
    expect(parseRecord(bytes), `bit ${bit}`).toBeUndefined();
  }
});

test('a record that is cut off anywhere is none', () => {
  for (let length = 0; length < BYTES.length; length++) expect(parseRecord(BYTES.slice(0, length))).toBeUndefined();
  expect(parseRecord(BYTES.slice(1))).toBeUndefined();
});

test('flash that was never written holds no record', () => {
  for (const byte of [0, 0xff]) expect(parseRecord(new Uint8Array(4096).fill(byte))).toBeUndefined();
});

test('a length beyond what is there, or beyond what the reader allows, is none, also the largest that fits its field', () => {
  expect(recordPayloadLength(BYTES, 5)).toBe(5);
  expect(recordPayloadLength(BYTES, 4)).toBeUndefined();
  expect(recordPayloadLength(BYTES.slice(0, RECORD_HEADER_BYTES), 5)).toBe(5);
  expect(recordPayloadLength(BYTES.slice(0, RECORD_HEADER_BYTES - 1), 5)).toBeUndefined();
  const huge = BYTES.map((byte, i) => (i >= 12 && i < 16 ? 0xff : byte));
  expect(recordPayloadLength(huge, 2 ** 31)).toBeUndefined();
  expect(recordPayloadLength(huge, 2 ** 32)).toBe(2 ** 32 - 1);
  expect(parseRecord(huge)).toBeUndefined();
});

test('a sequence beyond 2^53-1 is none: no later record could be told from it', () => {
  expect(parseRecord(encodeRecord({ sequence: Number.MAX_SAFE_INTEGER, payload: RECORD.payload }))?.sequence).toBe(
    Number.MAX_SAFE_INTEGER,
  );
  for (const sequence of [2 ** 53, 2 ** 60, 2 ** 64 - 2048]) {
    expect(parseRecord(encodeRecord({ sequence, payload: RECORD.payload })), String(sequence)).toBeUndefined();
  }
});

test('the payload that is handed out is a copy: later writes to the flash do not change it', () => {
  const flash = BYTES.slice();
  const record = parseRecord(flash);
  flash.fill(0);
  expect(record).toEqual(RECORD);
});
