/**
 * A microcontroller of the simulated device: its own flash, on the power of the device, with faults of its own.
 *
 * - Its flash is erased first and written page by page: a cut leaves an erased one, or the beginning of an image.
 * - It may fall silent, or take what it is given without keeping it: as real ones do.
 */
import { sha256Hex } from '../formats/sha256.ts';
import { ERASED, type ComponentInstaller } from '../bootloader-verifier/boot/installer.ts';
import type { FirmwareImage } from '../bootloader-verifier/boot/verify-image.ts';
import type { FaultFlash } from './fault-flash.ts';

/** The component that a simulated device has beside its main one, if it has any. */
export const MICROCONTROLLER: string = 'hub';
const PAGE_BYTES = 16;

/** What a microcontroller does with its flash: all as it should, no answer, or an answer and nothing kept. */
export type MicrocontrollerState = 'sound' | 'silent' | 'worn';
export type SimulatedMicrocontroller = {
  readonly installer: ComponentInstaller;
  /** How often an image was written to it. */
  readonly writes: () => number;
  readonly turn: (state: MicrocontrollerState) => void;
};

/** The microcontroller of `flash`. */
export function simulatedMicrocontroller(flash: FaultFlash): SimulatedMicrocontroller {
  const { size, read, write } = flash.microcontroller;
  let state: MicrocontrollerState = 'sound';
  let writes = 0;
  const writePages = async (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length; at += PAGE_BYTES) await write(at, bytes.subarray(at, at + PAGE_BYTES));
  };
  return {
    installer: {
      size,
      digest: async () => {
        const bytes = await read();
        return state === 'silent' ? undefined : sha256Hex(bytes);
      },
      write: async ({ bytes }) => {
        if (state !== 'sound') return;
        writes += 1;
        await write(0, new Uint8Array(size).fill(ERASED));
        await writePages(bytes);
      },
    },
    writes: () => writes,
    turn: (next) => {
      state = next;
    },
  };
}

/** Whether `flash` holds what the release of `image` says of the microcontroller: its image and nothing else. */
export function standsBeside(flash: FaultFlash, { permit }: FirmwareImage): boolean {
  const part = permit.components.find(({ component }) => component === MICROCONTROLLER);
  if (part === undefined) return true;
  const bytes = flash.microcontroller.lying();
  const rest = bytes.subarray(part.image.length);
  return sha256Hex(bytes.subarray(0, part.image.length)) === part.image.sha256 && rest.every((byte) => byte === ERASED);
}
