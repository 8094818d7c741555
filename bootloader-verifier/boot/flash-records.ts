/**
 * Records on flash, written in turns to the two halves of a region, so that one whole record survives any power cut.
 *
 * - Reading takes the whole record of the higher sequence; writing replaces the other half.
 * - A region without a whole record reads as undefined: its reader decides what that means.
 * - What must not fall back to its former record when flash decays is kept twice: both halves hold the same.
 */
import { equalBytes } from '../../formats/bytes.ts';
import {
  encodeRecord,
  parseRecord,
  recordPayloadLength,
  RECORD_HEADER_BYTES,
  type FlashRecord,
} from '../../formats/flash-record.ts';
import type { Flash, Region } from './flash.ts';

const HALVES = 2;

/** The newest whole record of `region`, or undefined. */
export async function readRecord(flash: Flash, region: Region): Promise<Uint8Array | undefined> {
  return (await newest(flash, region)).record?.payload;
}

/**
 * Writes `payload` as the newest record of `region`.
 * @returns false, with nothing written, if it does not fit half of the region.
 */
export async function writeRecord(flash: Flash, region: Region, payload: Uint8Array): Promise<boolean> {
  const half = flash.sizeOf(region) / HALVES;
  if (payload.length + RECORD_HEADER_BYTES > half) return false;
  const { record, at } = await newest(flash, region);
  const sequence = (record?.sequence ?? 0) + 1;
  await flash.write(region, at === 0 ? half : 0, encodeRecord({ sequence, payload }));
  return true;
}

/**
 * Writes `payload` until both halves of `region` hold it: then no damage to one of them brings a former record back.
 * Writes nothing where both hold it already.
 * @returns false, with nothing written, if it does not fit half of the region.
 */
export async function writeRecordTwice(flash: Flash, region: Region, payload: Uint8Array): Promise<boolean> {
  for (let i = 0; i < HALVES; i++) {
    const halves = [await readHalf(flash, region, 0), await readHalf(flash, region, flash.sizeOf(region) / HALVES)];
    if (halves.every((record) => record !== undefined && equalBytes(record.payload, payload))) return true;
    if (!(await writeRecord(flash, region, payload))) return false;
  }
  return true;
}

type Found = { readonly record: FlashRecord | undefined; readonly at: number };

async function newest(flash: Flash, region: Region): Promise<Found> {
  const half = flash.sizeOf(region) / HALVES;
  const first = await readHalf(flash, region, 0);
  const second = await readHalf(flash, region, half);
  const useSecond = (second?.sequence ?? -1) > (first?.sequence ?? -1);
  return useSecond ? { record: second, at: half } : { record: first, at: first === undefined ? half : 0 };
}

async function readHalf(flash: Flash, region: Region, at: number): Promise<FlashRecord | undefined> {
  const payloadMax = flash.sizeOf(region) / HALVES - RECORD_HEADER_BYTES;
  const header = await flash.read(region, at, RECORD_HEADER_BYTES);
  const length = recordPayloadLength(header, payloadMax);
  return length === undefined ? undefined : parseRecord(await flash.read(region, at, RECORD_HEADER_BYTES + length));
}
