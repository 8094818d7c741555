/**
 * What a signer keeps, in memory, with power that is cut at a chosen entry.
 *
 * - At entry number `cutAt` (from 1) the power goes: before it is kept, or right after, when nobody was told any more; everything
 *   afterwards fails until `restore`.
 */
import { OperationError } from '../formats/operation-error.ts';
import { bookSegments, type BookStore } from '../signer/book-store.ts';

export type FaultBooks = BookStore & {
  readonly entries: ReadonlyMap<string, Uint8Array>;
  /** How many entries were begun since the start or the last `restore`. */
  readonly writes: () => number;
  readonly cutAt: (write: number, side: 'before' | 'after') => void;
  readonly restore: () => void;
};

/** Empty books, with power. */
export function makeFaultBooks(): FaultBooks {
  const entries = new Map<string, Uint8Array>();
  let writes = 0;
  let cut: { readonly write: number; readonly side: 'before' | 'after' } | undefined;
  let dead = false;
  const demandPower = (): void => {
    if (dead) throw new OperationError('POWER_CUT', `the power is cut at entry ${writes}`, { retriable: true });
  };
  return {
    entries,
    writes: () => writes,
    cutAt: (write, side) => {
      writes = 0;
      cut = { write, side };
    },
    restore: () => {
      writes = 0;
      cut = undefined;
      dead = false;
    },
    read: async (name, bytesMax) => {
      bookSegments(name);
      demandPower();
      const bytes = entries.get(name);
      if (bytes !== undefined && bytes.length > bytesMax) {
        throw new OperationError('FILE_UNREADABLE', `${name} has ${bytes.length} bytes`, { retriable: false });
      }
      return bytes?.slice();
    },
    keep: async (name, bytes) => {
      bookSegments(name);
      demandPower();
      writes++;
      const isCut = writes === cut?.write;
      dead = isCut && cut?.side === 'before';
      demandPower();
      const isNew = !entries.has(name);
      if (isNew) entries.set(name, bytes.slice());
      dead = isCut;
      demandPower();
      return isNew;
    },
  };
}
