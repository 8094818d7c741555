/**
 * The signer's memory in a local file.
 *
 * - Replaced as a whole, synced; readable by its owner alone.
 * - A damaged file is a fault that a person repairs from a backup; it never reads as "nothing published yet".
 */
import { OperationError } from '../formats/operation-error.ts';
import { MODE_SECRET, readFileBounded, replaceFile } from './durable-file.ts';
import { whileLocked } from './lock-file.ts';
import { encodeSignerState, parseSignerState, SIGNER_STATE_BYTES_MAX, type SignerMemory } from './signer-state.ts';

/** The memory in the file `path`; its lock stands beside it. */
export function signerMemoryFile(path: string): SignerMemory {
  return {
    read: async () => {
      const bytes = await readFileBounded(path, SIGNER_STATE_BYTES_MAX);
      if (bytes === undefined) return undefined;
      const state = parseSignerState(bytes);
      if (state.ok) return state.value;
      throw new OperationError('FILE_UNREADABLE', `${path} is damaged, restore it from a backup: ${state.detail}`, {
        retriable: false,
      });
    },
    write: (state) => replaceFile(path, { bytes: encodeSignerState(state), mode: MODE_SECRET }),
    exclusively: (work) => whileLocked(`${path}.lock`, work),
  };
}
