/**
 * Loaded into a process before its own code (`node --import`): its calendar runs beside that of the machine, as far off as the file
 * that `SHIFTED_CLOCK` names says at each moment, in milliseconds.
 *
 * - Timers go on as they do: a host that sets its clock does not change them either.
 */
import { readFileSync } from 'node:fs';

const Real = Date;
const shiftMs = (): number => Number(readFileSync(process.env['SHIFTED_CLOCK'] ?? '', 'utf8'));

globalThis.Date = class extends Real {
  constructor(...given: readonly unknown[]) {
    super(...((given.length === 0 ? [Real.now() + shiftMs()] : given) as [number]));
  }
  static override now(): number {
    return Real.now() + shiftMs();
  }
} as DateConstructor;
