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
/** Where a cut fell: the region, and how many of the bytes of this write had landed. */
export type Cut = { readonly region: Region; readonly landed: number; readonly length: number };

export type FaultFlash = {
  /** The flash as one of its writers has it. */
  readonly view: (rights: FlashRights) => Flash;
  /** How often each region was written since the start. */
  readonly writes: () => ReadonlyMap<Region, number>;
  /** Cuts the power during the write after `writes` more ones; 0 cuts the next. `random` chooses where it is torn. */
  readonly cutAfter: (writes: number, random: Random) => void;
  readonly cutPower: () => void;
  readonly powerOn: () => void;
  readonly isOn: () => boolean;
  /** Settles when the power goes, at the latest cut that was asked for. */
  readonly powerLost: () => Promise<void>;
  readonly lastCut: () => Cut | undefined;
  /** Flips the bits of `mask` in one byte. */
  readonly damage: (region: Region, offset: number, mask: number) => void;
  /** What lies on flash, copied. */
  readonly image: () => ReadonlyMap<Region, Uint8Array>;
};

/** Small enough for thousands of lives: bytes by region. */
export const SMALL_FLASH: FlashSizes = {
  factory: 16_384,
  identity: 1_024,
  protected: 4_096,
  state: 4_096,
  cache: 32_768,
  'bundle-a': 65_536,
  'bundle-b': 65_536,
  'slot-a': 1_024,
  'slot-b': 1_024,
  'parts-a': 1_024,
  'parts-b': 1_024,
};

type Cells = {
  readonly sizes: FlashSizes;
  readonly bytes: ReadonlyMap<Region, Uint8Array>;
  readonly writes: Map<Region, number>;
  isOn: boolean;
  pending: { left: number; readonly random: Random } | undefined;
  lastCut: Cut | undefined;
  /** Told when the power goes; emptied then. */
  waiting: readonly (() => void)[];
};

/** Flash with power, blank or with what another one held. */
export function faultFlash(sizes: FlashSizes, before?: ReadonlyMap<Region, Uint8Array>): FaultFlash {
  const cells: Cells = {
    sizes,
    bytes: new Map(REGIONS.map((region) => [region, before?.get(region)?.slice() ?? new Uint8Array(sizes[region])])),
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
    image: () => new Map(REGIONS.map((region) => [region, cellsOf(cells, region).slice()])),
  };
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
      demandPower(cells);
      cells.writes.set(region, (cells.writes.get(region) ?? 0) + 1);
      const landed = tear(cells, region, bytes.length);
      cellsOf(cells, region).set(bytes.subarray(0, landed), offset);
      demandPower(cells);
    },
  };
}

/** How many bytes of this write land: all, or fewer where the power goes during it. */
function tear(cells: Cells, region: Region, length: number): number {
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

function cellsOf(cells: Cells, region: Region): Uint8Array {
  const bytes = cells.bytes.get(region);
  assert(bytes !== undefined, 'every region has cells');
  return bytes;
}
