/**
 * Between devices that speak and the database: states are gathered in memory and written together, some seconds apart.
 *
 * - A fleet costs a statement for each gathering, not a row for each poll: of one device only the newest state is kept, and one that
 *   says nothing new is written again only after a while.
 * - Memory is bounded. Where the database is gone, states wait; beyond the bound they are dropped and counted, and the log is told.
 * - Devices never wait for it, and nothing that it does can fail an answer to them.
 */
import { OperationError } from '../formats/operation-error.ts';
import type { DeviceState } from '../formats/device-state.ts';
import type { Instant } from '../formats/instant.ts';
import type { Database } from './database.ts';
import { writeInventory, type SeenState } from './device-inventory.ts';
import { createBoundedCache } from './bounded-cache.ts';
import type { EventSink } from './server-event.ts';

export type InventoryWriter = {
  /** Takes what a device said; returns at once. */
  readonly take: (state: DeviceState, now: Instant) => void;
  /** Writes what waits. */
  readonly flush: () => Promise<void>;
  /** Writes what waits, for the last time. */
  readonly close: () => Promise<void>;
};
export type InventoryLimits = {
  /** Devices whose states wait. */
  readonly waitingMax: number;
  /** How often they are written. */
  readonly flushMs: number;
  /** How long a device that says nothing new is not written again. */
  readonly quietMs: number;
};

const INVENTORY_LIMITS: InventoryLimits = { waitingMax: 16_384, flushMs: 2_000, quietMs: 600_000 };
const KNOWN_BYTES_MAX = 33_554_432;

type Known = { readonly said: string; readonly at: Instant };

/** A writer into `database`, which writes every `flushMs` until it is closed. */
export function createInventoryWriter(
  database: Database,
  log: EventSink,
  limits: InventoryLimits = INVENTORY_LIMITS,
): InventoryWriter {
  const waiting = new Map<string, SeenState>();
  const known = createBoundedCache<Known>(
    { entriesMax: limits.waitingMax * 4, bytesMax: KNOWN_BYTES_MAX },
    ({ said }) => said.length,
  );
  let dropped = 0;
  let flushing: Promise<void> | undefined;
  /** What was written waits no more, unless the device has said something else meanwhile. */
  const forget = (written: SeenState): void => {
    const key = keyOf(written.state);
    if (waiting.get(key) === written) waiting.delete(key);
  };
  const write = async (): Promise<void> => {
    const states = [...waiting.values()];
    if (states.length === 0 && dropped === 0) return;
    if (states.length > 0) await writeInventory(database, states);
    for (const written of states) forget(written);
    if (dropped > 0) log({ event: 'inventory-dropped', states: dropped });
    dropped = 0;
  };
  const tell = (fault: unknown): void => {
    if (!(fault instanceof OperationError)) throw fault;
    log({ event: 'inventory-fault', code: fault.code, detail: fault.message, waiting: waiting.size, dropped });
  };
  const flush = (): Promise<void> => {
    flushing ??= write()
      .catch(tell)
      .finally(() => (flushing = undefined));
    return flushing;
  };
  const timer = setInterval(() => void flush(), limits.flushMs);
  timer.unref();
  return {
    take: (state, at) => {
      const key = keyOf(state);
      const said = JSON.stringify(Object.values(state));
      const before = known.get(key);
      if (before?.said === said && at - before.at < limits.quietMs) return;
      if (!waiting.has(key) && waiting.size >= limits.waitingMax) {
        dropped++;
        return;
      }
      known.set(key, { said, at });
      waiting.set(key, { state, at });
    },
    flush,
    close: async () => {
      clearInterval(timer);
      await flushing;
      await flush();
    },
  };
}

function keyOf({ product, deviceId }: DeviceState): string {
  return `${product} ${deviceId}`;
}
