/**
 * An object store and a signer's memory in memory, with a fault at a chosen write.
 *
 * - Writes and removals of both are counted together; at number `write` (from 1), until `restore`:
 *   `cut`: the power goes, the write is lost and everything afterwards fails, reading too;
 *   `full`: the disk is full, this write and all after it are refused, and what is there can be read;
 *   `lost`: the write is done and its answer is lost, once; its writer lives on and knows nothing of it.
 * - A write is never torn: that an object appears as a whole is the port's contract, which the adapters' own tests hold.
 * - A test may look at the medium before every write: at every moment that a device could see.
 */
import { equalBytes } from '../formats/bytes.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { OperationError } from '../formats/operation-error.ts';
import { accept, reject, type Rejected } from '../formats/verdict.ts';
import type { ObjectRemover } from '../signer/care/published-source.ts';
import type { ObjectStore, PutCondition } from '../signer/object-store.ts';
import { encodeLogMemory, parseLogMemory } from '../signer/log-memory.ts';
import { encodeSignerState, parseSignerState, type SignerMemory } from '../signer/signer-state.ts';
import { sweptMemory, type WhileLocked } from '../signer/swept-memory.ts';

export type FaultKind = 'cut' | 'full' | 'lost';
export type FaultStore = {
  readonly store: ObjectStore;
  readonly remover: ObjectRemover;
  readonly memory: SignerMemory;
  /** What the medium holds, by name. */
  readonly objects: Map<string, Uint8Array>;
  /** How many writes were begun since the start or the last `restore`. */
  writes(): number;
  /** Has that write from now on go wrong. */
  failAt(write: number, kind: FaultKind): void;
  /** Cuts the power at that write from now on. */
  cutAt(write: number): void;
  /** There is power, and room; the medium is as the fault left it. */
  restore(): void;
  /** Called before every write with what the medium holds. */
  beforeWrite(look: (objects: ReadonlyMap<string, Uint8Array>) => Promise<void>): void;
  /** Another medium with the same content, its writes not counted yet. */
  copy(): FaultStore;
};

type Medium = {
  readonly objects: Map<string, Uint8Array>;
  state: Uint8Array | undefined;
  log: Uint8Array | undefined;
  writes: number;
  fault: { readonly write: number; readonly kind: FaultKind } | undefined;
  dead: boolean;
  look: (objects: ReadonlyMap<string, Uint8Array>) => Promise<void>;
};

/** An empty store and memory, with power. */
export function makeFaultStore(): FaultStore {
  return faultStoreOver({
    objects: new Map(),
    state: undefined,
    log: undefined,
    writes: 0,
    fault: undefined,
    dead: false,
    look: () => Promise.resolve(),
  });
}

function faultStoreOver(medium: Medium): FaultStore {
  const failAt: FaultStore['failAt'] = (write, kind) => {
    medium.writes = 0;
    medium.fault = { write, kind };
  };
  return {
    store: storeOver(medium),
    remover: { remove: async (name) => Promise.resolve(write(medium, () => medium.objects.delete(name))) },
    memory: sweptMemory(memoryOver(medium), takingTurns()),
    objects: medium.objects,
    writes: () => medium.writes,
    failAt,
    cutAt: (write) => failAt(write, 'cut'),
    restore: () => {
      medium.writes = 0;
      medium.fault = undefined;
      medium.dead = false;
    },
    beforeWrite: (look) => {
      medium.look = look;
    },
    copy: () => faultStoreOver({ ...medium, objects: new Map(medium.objects), writes: 0 }),
  };
}

function storeOver(medium: Medium): ObjectStore {
  return {
    get: async (name, bytesMax) => {
      demandPower(medium);
      const bytes = medium.objects.get(name);
      if (bytes !== undefined && bytes.length > bytesMax) {
        throw new OperationError('RESPONSE_TOO_LARGE', `${name} has ${bytes.length} bytes`, { retriable: false });
      }
      return bytes && { bytes: bytes.slice(), etag: sha256Hex(bytes) };
    },
    put: async (name, bytes, condition) => {
      demandPower(medium);
      await medium.look(medium.objects);
      if (!holds(medium.objects.get(name), condition)) return reject('CONDITION_FAILED', `${name} is not as expected`);
      write(medium, () => medium.objects.set(name, bytes.slice()));
      return accept(undefined);
    },
  };
}

function holds(standing: Uint8Array | undefined, condition: PutCondition): boolean {
  if (condition === 'create-only') return standing === undefined;
  return standing !== undefined && sha256Hex(standing) === condition.replaces;
}

function memoryOver(medium: Medium): Omit<SignerMemory, 'exclusively' | 'collect'> {
  return {
    read: async () => {
      demandPower(medium);
      const state = medium.state && parseSignerState(medium.state);
      return state?.ok === true ? state.value : undefined;
    },
    write: async (state, former) => {
      demandPower(medium);
      await medium.look(medium.objects);
      const bytes = encodeSignerState(state);
      if (!replaces(medium.state, bytes, former && encodeSignerState(former))) return otherWriter();
      write(medium, () => (medium.state = bytes));
      return accept(undefined);
    },
    readLog: async () => {
      demandPower(medium);
      const log = medium.log && parseLogMemory(medium.log);
      return log?.ok === true ? log.value : undefined;
    },
    writeLog: async (log, former) => {
      demandPower(medium);
      await medium.look(medium.objects);
      const bytes = encodeLogMemory(log);
      if (!replaces(medium.log, bytes, former && encodeLogMemory(former))) return otherWriter();
      write(medium, () => (medium.log = bytes));
      return accept(undefined);
    },
  };
}

/** A lock of this process. */
function takingTurns(): WhileLocked {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

/** Whether `standing` is what a writer read, or what it is about to write. */
function replaces(standing: Uint8Array | undefined, bytes: Uint8Array, former: Uint8Array | undefined): boolean {
  if (standing === undefined) return former === undefined;
  return equalBytes(standing, bytes) || (former !== undefined && equalBytes(standing, former));
}

function otherWriter(): Rejected<'CONDITION_FAILED'> {
  return reject('CONDITION_FAILED', 'another publication wrote the memory meanwhile');
}

/** Counts a write and carries it out, or has it go wrong. */
function write(medium: Medium, apply: () => void): void {
  demandPower(medium);
  medium.writes++;
  const { write: at = Infinity, kind } = medium.fault ?? {};
  if (kind === 'full' && medium.writes >= at) {
    throw new OperationError('FILE_UNWRITABLE', `the disk is full at write ${medium.writes}`, { retriable: true });
  }
  medium.dead = kind === 'cut' && medium.writes === at;
  demandPower(medium);
  apply();
  if (kind === 'lost' && medium.writes === at) {
    throw new OperationError('NETWORK_TIMEOUT', `the answer to write ${medium.writes} is lost`, { retriable: true });
  }
}

function demandPower(medium: Medium): void {
  if (medium.dead)
    throw new OperationError('POWER_CUT', `the power is cut at write ${medium.writes}`, { retriable: true });
}
