/** Records on flash under power cuts at every byte and damage at every byte. */
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { encodeRecord, RECORD_HEADER_BYTES } from '../../../formats/flash-record.ts';
import { readRecord, writeRecord, writeRecordTwice } from '../../../bootloader-verifier/boot/flash-records.ts';
import { faultFlash, SMALL_FLASH, type FaultFlash } from '../../../simulation/fault-flash.ts';

const HALF = SMALL_FLASH.state / 2;
/** Payloads of growing and shrinking lengths, so that a record meets the remains of shorter and longer ones. */
const PAYLOADS = ['one', 'a second, longer one', '', 'four', 'the fifth one is the longest of all of them'].map(
  encodeUtf8,
);

/** A flash whose state region holds the first `count` payloads, written one after the other. */
async function written(count: number): Promise<FaultFlash> {
  const flash = faultFlash(SMALL_FLASH);
  for (const payload of PAYLOADS.slice(0, count)) {
    expect(await writeRecord(flash.view('system'), 'state', payload)).toBe(true);
  }
  return flash;
}

test('a region that was never written has no record, whatever blank flash reads as', async () => {
  for (const blank of [0x00, 0xff]) {
    const region = new Uint8Array(SMALL_FLASH.state).fill(blank);
    const flash = faultFlash(SMALL_FLASH, new Map([['state', region]]));
    expect(await readRecord(flash.view('system'), 'state')).toBeUndefined();
  }
});

test('the newest record is read, over any number of writes', async () => {
  for (let count = 1; count <= PAYLOADS.length; count++) {
    const flash = await written(count);
    expect(await readRecord(flash.view('system'), 'state')).toEqual(PAYLOADS[count - 1]);
  }
});

test('a power cut at any byte of a write leaves the old record or the new one, never a mixture, never nothing', async () => {
  for (let count = 0; count < PAYLOADS.length; count++) {
    const payload = PAYLOADS[count] ?? new Uint8Array();
    const old = count === 0 ? undefined : PAYLOADS[count - 1];
    const length = RECORD_HEADER_BYTES + payload.length;
    for (let landed = 0; landed <= length; landed++) {
      const flash = await written(count);
      flash.cutAfter(0, () => landed);
      const system = flash.view('system');
      await expect(writeRecord(system, 'state', payload)).rejects.toMatchObject({ code: 'POWER_CUT' });
      flash.powerOn();
      const whole = landed === length;
      expect(await readRecord(system, 'state'), `record ${count + 1} cut at byte ${landed}`).toEqual(
        whole ? payload : old,
      );
      expect(await writeRecord(system, 'state', payload)).toBe(true);
      expect(await readRecord(system, 'state')).toEqual(payload);
    }
  }
});

test('a damaged byte anywhere in the newest record brings back the one before, and never a changed one', async () => {
  const flash = await written(4);
  const newest = PAYLOADS[3] ?? new Uint8Array();
  for (let at = 0; at < RECORD_HEADER_BYTES + newest.length; at++) {
    for (const mask of [0x01, 0x80, 0xff]) {
      const damaged = faultFlash(SMALL_FLASH, flash.image());
      damaged.damage('state', HALF + at, mask);
      expect(await readRecord(damaged.view('system'), 'state'), `byte ${at}`).toEqual(PAYLOADS[2]);
    }
  }
});

test('a record that fits half of its region to the last byte is written, one byte more is refused and writes nothing', async () => {
  const flash = faultFlash(SMALL_FLASH);
  const system = flash.view('system');
  const largest = new Uint8Array(HALF - RECORD_HEADER_BYTES).fill(7);
  expect(await writeRecord(system, 'state', largest)).toBe(true);
  expect(await readRecord(system, 'state')).toEqual(largest);
  const before = flash.image();
  expect(await writeRecord(system, 'state', new Uint8Array(largest.length + 1))).toBe(false);
  expect(await writeRecordTwice(system, 'state', new Uint8Array(largest.length + 1))).toBe(false);
  expect(flash.image()).toEqual(before);
});

test('a header that announces more than half of the region holds is not believed', async () => {
  const flash = faultFlash(SMALL_FLASH);
  const record = encodeRecord({ sequence: 1, payload: new Uint8Array(HALF) });
  await flash.view('system').write('state', 0, record.subarray(0, HALF));
  expect(await readRecord(flash.view('system'), 'state')).toBeUndefined();
});

test('what is written twice survives any damage to one of its records', async () => {
  const flash = await written(3);
  const payload = encodeUtf8('kept twice');
  expect(await writeRecordTwice(flash.view('system'), 'state', payload)).toBe(true);
  for (const half of [0, HALF]) {
    for (let at = 0; at < RECORD_HEADER_BYTES + payload.length; at++) {
      const damaged = faultFlash(SMALL_FLASH, flash.image());
      damaged.damage('state', half + at, 0x10);
      expect(await readRecord(damaged.view('system'), 'state')).toEqual(payload);
    }
  }
});

test('writing twice costs nothing where both records hold the payload, and repairs the one that does not', async () => {
  const flash = await written(1);
  const system = flash.view('system');
  const payload = encodeUtf8('kept twice');
  await writeRecordTwice(system, 'state', payload);
  const writes = flash.writes().get('state');
  await writeRecordTwice(system, 'state', payload);
  expect(flash.writes().get('state')).toBe(writes);
  for (const half of [0, HALF]) {
    flash.damage('state', half + 20, 0x10);
    await writeRecordTwice(system, 'state', payload);
    flash.damage('state', HALF - half + 20, 0x10);
    expect(await readRecord(system, 'state')).toEqual(payload);
    await writeRecordTwice(system, 'state', payload);
  }
});

test('a power cut at any byte of either write of the two leaves the old record or the new one', async () => {
  const payload = encodeUtf8('kept twice');
  const length = RECORD_HEADER_BYTES + payload.length;
  for (const write of [0, 1]) {
    for (let landed = 0; landed <= length; landed++) {
      const flash = await written(2);
      flash.cutAfter(write, () => landed);
      const system = flash.view('system');
      await expect(writeRecordTwice(system, 'state', payload)).rejects.toMatchObject({ code: 'POWER_CUT' });
      flash.powerOn();
      const isNew = write === 1 || landed === length;
      expect(await readRecord(system, 'state')).toEqual(isNew ? payload : PAYLOADS[1]);
    }
  }
});
