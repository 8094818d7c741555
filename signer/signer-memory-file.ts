/**
 * The signer's memory in two local files: `PATH` for what is published, `PATH.log` for the log.
 *
 * - Each is replaced as a whole, synced; readable by its owner alone. They belong together: a backup holds both.
 * - A damaged file is a fault that a person repairs from a backup; it never reads as "nothing published yet".
 */
import { OperationError } from '../formats/operation-error.ts';
import { accept, reject, type Rejected, type Verdict } from '../formats/verdict.ts';
import { MODE_SECRET, readFileBounded, replaceFile } from './durable-file.ts';
import { whileLocked } from './lock-file.ts';
import { encodeLogMemory, isSameLogMemory, LOG_MEMORY_BYTES_MAX, parseLogMemory } from './log-memory.ts';
import {
  encodeSignerState,
  isSameState,
  parseSignerState,
  SIGNER_STATE_BYTES_MAX,
  type SignerMemory,
} from './signer-state.ts';

/** The memory in the file `path` and the one beside it; so does its lock. */
export function signerMemoryFile(path: string): SignerMemory {
  const log = `${path}.log`;
  const exclusively: SignerMemory['exclusively'] = (work) => whileLocked(`${path}.lock`, work);
  return {
    read: () => readPart(path, SIGNER_STATE_BYTES_MAX, parseSignerState),
    write: async (state, former) => {
      const standing = await readPart(path, SIGNER_STATE_BYTES_MAX, parseSignerState);
      if (!isSameState(standing, former) && !isSameState(standing, state)) return otherWriter(path);
      return accept(await replaceFile(path, { bytes: encodeSignerState(state), mode: MODE_SECRET }));
    },
    readLog: () => readPart(log, LOG_MEMORY_BYTES_MAX, parseLogMemory),
    writeLog: async (memory, former) => {
      const standing = await readPart(log, LOG_MEMORY_BYTES_MAX, parseLogMemory);
      if (!isSameLogMemory(standing, former) && !isSameLogMemory(standing, memory)) return otherWriter(log);
      return accept(await replaceFile(log, { bytes: encodeLogMemory(memory), mode: MODE_SECRET }));
    },
    exclusively,
    // Publications hold the lock from their first look to their last write.
    collect: (former, work) =>
      exclusively(async () => {
        const standing = await readPart(path, SIGNER_STATE_BYTES_MAX, parseSignerState);
        if (!isSameState(standing, former)) return otherWriter(path);
        await work();
        return accept(former);
      }),
  };
}

function otherWriter(path: string): Rejected<'CONDITION_FAILED'> {
  return reject('CONDITION_FAILED', `${path} was written by another publication meanwhile`);
}

async function readPart<T>(
  path: string,
  bytesMax: number,
  parse: (bytes: Uint8Array) => Verdict<T>,
): Promise<T | undefined> {
  const bytes = await readFileBounded(path, bytesMax);
  if (bytes === undefined) return undefined;
  const part = parse(bytes);
  if (part.ok) return part.value;
  throw new OperationError('FILE_UNREADABLE', `${path} is damaged, restore it from a backup: ${part.detail}`, {
    retriable: false,
  });
}
