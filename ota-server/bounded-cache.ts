/**
 * A map with a limit in entries and in bytes: what was used longest ago goes first.
 *
 * - Neither limit is ever exceeded; an entry larger than all of it is not kept.
 * - Every operation costs the same, however much is held, but for the entries that it drops.
 */

export type CacheLimits = { readonly entriesMax: number; readonly bytesMax: number };

export type BoundedCache<T> = {
  /** The entry under `key`; it now counts as used last. */
  get(key: string): T | undefined;
  /** The entry under `key`, without counting as a use. */
  peek(key: string): T | undefined;
  set(key: string, value: T): void;
  delete(key: string): void;
};

/** An empty cache; `sizeBytesOf` tells what an entry weighs and must always tell the same. */
export function createBoundedCache<T>(limits: CacheLimits, sizeBytesOf: (value: T) => number): BoundedCache<T> {
  // A Map keeps the order in which keys were set: the first is the one used longest ago.
  const entries = new Map<string, T>();
  let bytes = 0;
  const drop = (key: string): void => {
    const value = entries.get(key);
    if (value === undefined) return;
    entries.delete(key);
    bytes -= sizeBytesOf(value);
  };
  const put = (key: string, value: T): void => {
    drop(key);
    entries.set(key, value);
    bytes += sizeBytesOf(value);
    for (const oldest of entries.keys()) {
      if (entries.size <= limits.entriesMax && bytes <= limits.bytesMax) break;
      drop(oldest);
    }
  };
  return {
    get: (key) => {
      const value = entries.get(key);
      if (value !== undefined) put(key, value);
      return value;
    },
    peek: (key) => entries.get(key),
    set: put,
    delete: drop,
  };
}
