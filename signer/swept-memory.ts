/**
 * A memory whose publishers do not take turns, with garbage removed from under them: whoever removes announces it in the memory first.
 *
 * - The announcement, and the end of it, are writes of the state: a publication that read the state before fails at its own write, and
 *   starts anew. It may have found among the garbage a target that it was to show.
 * - Nobody works from a state in which a removal is under way: who reads it waits for whoever removes, who holds a lock meanwhile.
 *   Where that one has died the lock is free, and the reader ends the removal in its place.
 * - So no time limits are needed: a collector that hangs holds up the publishers of its product, and lets none of them go wrong.
 */
import { accept } from '../formats/verdict.ts';
import type { SignerMemory, SignerState } from './signer-state.ts';

type Plain = Omit<SignerMemory, 'exclusively' | 'collect'>;
/** Does work while nobody else does any with this lock, over all processes; it ends with its process. */
export type WhileLocked = <T>(work: () => Promise<T>) => Promise<T>;

/** `memory`, with removals in turn by `whileLocked`. */
export function sweptMemory(memory: Plain, whileLocked: WhileLocked): SignerMemory {
  const next = (state: SignerState): SignerState => ({ ...state, sweeps: (state.sweeps ?? 0) + 1 });
  return {
    ...memory,
    read: async () => {
      const read = await memory.read();
      if (!isSwept(read)) return read;
      return whileLocked(async () => {
        const standing = await memory.read();
        if (standing === undefined || !isSwept(standing)) return standing;
        await memory.write(next(standing), standing);
        return memory.read();
      });
    },
    exclusively: (work) => work(),
    collect: (former, work) =>
      whileLocked(async () => {
        const begun = next(former);
        const announced = await memory.write(begun, former);
        if (!announced.ok) return announced;
        await work();
        const ended = next(begun);
        const told = await memory.write(ended, begun);
        return told.ok ? accept(ended) : told;
      }),
  };
}

function isSwept(state: SignerState | undefined): boolean {
  return (state?.sweeps ?? 0) % 2 === 1;
}
