/** The first decoder: each field read where it stands. */
import type { Reading } from './frame.ts';

/** Reads the fields of a sound frame. */
export function decodeDirect(frame: DataView): Reading {
  return {
    sensor: frame.getUint32(4),
    sequence: frame.getUint32(8),
    temperature: frame.getInt16(12),
    humidity: frame.getUint16(14),
  };
}
