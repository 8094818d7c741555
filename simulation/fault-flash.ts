/**
 * Flash in memory whose power can be cut at a chosen write, torn at a random byte, and whose bits can be damaged.
 *
 * - The model of a torn write is that of `boot/flash.ts`: a prefix of the new bytes lands, what was there before stays behind it.
 * - Without power every call fails with `POWER_CUT`, until it is back; what lies on flash stays.
 * - Each writer has its own view with its own rights, as on a device: a call without the right is a bug and throws.
 * - Writes are counted by region, and each cut is told, so that a test can see which kinds of write it has hit.
 */
import assert from 'node:assert/strict';
import { OperationError } from '../formats/operation-error.ts';
import {
  mayRead,
  MAY_WRITE,
  REGIONS,
  type Flash,
  type FlashRights,
  type Region,
} from '../bootloader-verifier/boot/flash.ts';
import type { Random } from './seed.ts';

export type FlashSizes = Readonly<Record<Region, number>>;
/** Where a write falls: a region of the device's flash, or that of its microcontroller. */
export type Place = Region | 'microcontroller';
/** Where a cut fell: the place, and how many of the bytes of this write had landed. */
export type Cut = { readonly region: Place; readonly landed: number; readonly length: number };

export type FaultFlash = {
  /** The flash as one of its writers has it. */
  readonly view: (rights: FlashRights) => Flash;
  /** How often each region was written since the start. */
  readonly writes: () => ReadonlyMap<Place, number>;
  /** Cuts the power during the write after `writes` more ones; 0 cuts the next. `random` chooses where it is torn. */
  readonly cutAfter: (writes: number, random: Random) => void;
  readonly cutPower: () => void;
  readonly powerOn: () => void;
  readonly isOn: () => boolean;
  /** Settles when the power goes, at the latest cut that was asked for. */
  readonly powerLost: () => Promise<void>;
  readonly lastCut: () => Cut | undefined;
  /** Flips the bits of `mask` in one byte. */
  readonly damage: (region: Place, offset: number, mask: number) => void;
  /** What lies on flash, copied. */
  readonly image: () => ReadonlyMap<Place, Uint8Array>;
  /** The cells of a microcontroller on the same power; the right to write them is its installer's. */
  readonly microcontroller: MicrocontrollerCells;
};

export type MicrocontrollerCells = {
  readonly size: number;
  readonly read: () => Promise<Uint8Array>;
  readonly write: (offset: number, bytes: Uint8Array) => Promise<void>;
  /** What lies there, with power or without, for whoever watches from outside. */
  readonly lying: () => Uint8Array;
};

/** Small enough for thousands of lives: bytes by region. */
export const SMALL_FLASH: FlashSizes = {
  factory: 16_384,
  identity: 1_024,
  protected: 4_096,
  state: 4_096,
  cache: 32_768,
  credentials: 16_384,
  reports: 65_536,
  'bundle-a': 65_536,
  'bundle-b': 65_536,
  'slot-a': 1_024,
  'slot-b': 1_024,
  'parts-a': 1_024,
  'parts-b': 1_024,
};

const PLACES: readonly Place[] = [...REGIONS, 'microcontroller'];
const MICROCONTROLLER_SIZE = 64;

type Cells = {
  readonly sizes: FlashSizes;
  readonly bytes: ReadonlyMap<Place, Uint8Array>;
  readonly writes: Map<Place, number>;
  isOn: boolean;
  pending: { left: number; readonly random: Random } | undefined;
  lastCut: Cut | undefined;
  /** Told when the power goes; emptied then. */
  waiting: readonly (() => void)[];
};

/** Flash with power, blank or with what another one held. */
export function faultFlash(sizes: FlashSizes, before?: ReadonlyMap<Place, Uint8Array>): FaultFlash {
  const cells: Cells = {
    sizes,
    bytes: new Map(PLACES.map((place) => [place, before?.get(place)?.slice() ?? blank(place, sizes)] as const)),
    writes: new Map(),
    isOn: true,
    pending: undefined,
    lastCut: undefined,
    waiting: [],
  };
  return {
    view: (rights) => viewOf(cells, rights),
    writes: () => new Map(cells.writes),
    cutAfter: (writes, random) => {
      cells.pending = { left: writes, random };
    },
    cutPower: () => losePower(cells),
    powerOn: () => {
      cells.isOn = true;
    },
    isOn: () => cells.isOn,
    powerLost: () =>
      new Promise((settle) => {
        cells.waiting = [...cells.waiting, settle];
      }),
    lastCut: () => cells.lastCut,
    damage: (region, offset, mask) => {
      const bytes = cellsOf(cells, region);
      bytes.set([(bytes[offset] ?? 0) ^ mask], offset);
    },
    image: () => new Map(PLACES.map((place) => [place, cellsOf(cells, place).slice()])),
    microcontroller: microcontrollerOf(cells),
  };
}

/** Blank cells: a microcontroller's are erased to ones, those of the device are zero. */
function blank(place: Place, sizes: FlashSizes): Uint8Array {
  return place === 'microcontroller' ? new Uint8Array(MICROCONTROLLER_SIZE).fill(0xff) : new Uint8Array(sizes[place]);
}

function microcontrollerOf(cells: Cells): MicrocontrollerCells {
  const lying = (): Uint8Array => cellsOf(cells, 'microcontroller').slice();
  return {
    size: MICROCONTROLLER_SIZE,
    read: async () => {
      demandPower(cells);
      return lying();
    },
    write: async (offset, bytes) => writeCells(cells, 'microcontroller', { offset, bytes }),
    lying,
  };
}

/** One write that power may cut. */
async function writeCells(
  cells: Cells,
  place: Place,
  { offset, bytes }: { readonly offset: number; readonly bytes: Uint8Array },
): Promise<void> {
  demandPower(cells);
  cells.writes.set(place, (cells.writes.get(place) ?? 0) + 1);
  const landed = tear(cells, place, bytes.length);
  cellsOf(cells, place).set(bytes.subarray(0, landed), offset);
  demandPower(cells);
}

function viewOf(cells: Cells, rights: FlashRights): Flash {
  return {
    sizeOf: (region) => cells.sizes[region],
    read: async (region, offset, length) => {
      assert(mayRead(rights, region), `${rights} may not read ${region}`);
      demandPower(cells);
      assert(offset >= 0 && length >= 0 && offset + length <= cells.sizes[region], 'read within the region');
      return cellsOf(cells, region).slice(offset, offset + length);
    },
    write: async (region, offset, bytes) => {
      assert(MAY_WRITE[rights].includes(region), `${rights} may not write ${region}`);
      assert(offset >= 0 && offset + bytes.length <= cells.sizes[region], 'write within the region');
      await writeCells(cells, region, { offset, bytes });
    },
  };
}

/** How many bytes of this write land: all, or fewer where the power goes during it. */
function tear(cells: Cells, region: Place, length: number): number {
  const { pending } = cells;
  if (pending === undefined || pending.left-- > 0) return length;
  const landed = pending.random(length + 1);
  cells.pending = undefined;
  cells.lastCut = { region, landed, length };
  losePower(cells);
  return landed;
}

function losePower(cells: Cells): void {
  cells.isOn = false;
  for (const settle of cells.waiting) settle();
  cells.waiting = [];
}

function demandPower(cells: Cells): void {
  if (!cells.isOn) throw new OperationError('POWER_CUT', 'this device has no power', { retriable: true });
}

function cellsOf(cells: Cells, region: Place): Uint8Array {
  const bytes = cells.bytes.get(region);
  assert(bytes !== undefined, 'every region has cells');
  return bytes;
}
