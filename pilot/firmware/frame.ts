/**
 * The frame that a sensor sends: 20 bytes, big-endian, over TCP, one after the other.
 *
 * | offset | size | field                                                  |
 * | ------ | ---- | ------------------------------------------------------ |
 * | 0      | 2    | magic, `46 6d`                                         |
 * | 2      | 1    | format, 1                                              |
 * | 3      | 1    | reserved, 0                                            |
 * | 4      | 4    | sensor id                                              |
 * | 8      | 4    | sequence number, rising                                |
 * | 12     | 2    | temperature in hundredths of a degree Celsius, signed  |
 * | 14     | 2    | relative humidity in hundredths of a percent, unsigned |
 * | 16     | 4    | CRC-32 (IEEE 802.3) over the 16 bytes before it        |
 *
 * - Nothing of a frame is looked at before its checksum holds; a frame with any other fault is refused as a whole.
 */
import { crc32 } from 'node:zlib';

export const FRAME_BYTES = 20;
const CHECKED_BYTES = 16;
const HUMIDITY_MAX = 10_000;

/** What a frame says. */
export type Reading = {
  readonly sensor: number;
  readonly sequence: number;
  /** Hundredths of a degree Celsius. */
  readonly temperature: number;
  /** Hundredths of a percent. */
  readonly humidity: number;
};

/** Reads the fields of a frame whose frame and checksum hold. */
export type Decoder = (frame: DataView) => Reading;

/** The reading in `bytes`, or undefined if they are not one sound frame. */
export function readFrame(bytes: Uint8Array, decode: Decoder): Reading | undefined {
  if (bytes.length !== FRAME_BYTES) return undefined;
  const frame = new DataView(bytes.buffer, bytes.byteOffset, FRAME_BYTES);
  if (frame.getUint16(0) !== 0x466d || frame.getUint8(2) !== 1 || frame.getUint8(3) !== 0) return undefined;
  if (frame.getUint32(CHECKED_BYTES) !== crc32(bytes.subarray(0, CHECKED_BYTES))) return undefined;
  const reading = decode(frame);
  return reading.humidity <= HUMIDITY_MAX ? reading : undefined;
}
