/**
 * Port: where a repository is published, a local folder or a bucket. It is trusted with availability alone.
 *
 * - A `put` is durable when it returns, and appears as a whole or not at all.
 * - Every `put` has a condition, so that two publishers never overwrite each other unseen.
 * - Absent is undefined; every fault of the world is a thrown `OperationError`.
 */
import type { Verdict } from '../formats/verdict.ts';

export type StoredObject = {
  readonly bytes: Uint8Array;
  /** Differs whenever the bytes differ; opaque. */
  readonly etag: string;
};

/** `create-only`: nothing of this name exists. `replaces`: what exists has this tag. */
export type PutCondition = 'create-only' | { readonly replaces: string };

export type ObjectStore = {
  /** The object `name`. Throws `OperationError` if it is longer than `bytesMax`. */
  readonly get: (name: string, bytesMax: number) => Promise<StoredObject | undefined>;
  /** Writes `bytes` as `name`, or changes nothing and answers `CONDITION_FAILED`. */
  readonly put: (
    name: string,
    bytes: Uint8Array,
    condition: PutCondition,
  ) => Promise<Verdict<void, 'CONDITION_FAILED'>>;
};
