/**
 * The rewritten decoder: one table says where each field stands, so that a new frame format is a new table.
 *
 * - Fields are read byte by byte, without sign; what a signed field means is a step of its own.
 */
import type { Reading } from './frame.ts';

type Field = { readonly offset: number; readonly size: number };

const SENSOR: Field = { offset: 4, size: 4 };
const SEQUENCE: Field = { offset: 8, size: 4 };
const TEMPERATURE: Field = { offset: 12, size: 2 };
const HUMIDITY: Field = { offset: 14, size: 2 };

/** The number that a signed field of `size` bytes stands for, given its bytes read as unsigned. */
export type SignStep = (unsigned: number, size: number) => number;

/** A decoder by the table, with `toSigned` for the fields that carry a sign. */
export function decodeByTable(toSigned: SignStep): (frame: DataView) => Reading {
  return (frame) => ({
    sensor: unsigned(frame, SENSOR),
    sequence: unsigned(frame, SEQUENCE),
    temperature: toSigned(unsigned(frame, TEMPERATURE), TEMPERATURE.size),
    humidity: unsigned(frame, HUMIDITY),
  });
}

function unsigned(frame: DataView, field: Field): number {
  let value = 0;
  for (let i = 0; i < field.size; i++) value = value * 256 + frame.getUint8(field.offset + i);
  return value;
}
