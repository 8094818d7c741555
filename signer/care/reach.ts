/**
 * Port: how whoever walks a published repository from outside gets at its objects.
 *
 * - Names are those that a device asks for, below the product: `metadata/timestamp.json`.
 * - An object comes with its judge: what was judged is what counts, and whoever brings it may look for it in more than one place.
 * - A refusal is a verdict; a fault of the world is a thrown `OperationError`.
 */
import type { ReleaseTarget } from '../../formats/release.ts';
import type { Verdict } from '../../formats/verdict.ts';

export type Order = {
  readonly name: string;
  /** More of it is never read. */
  readonly bytesMax: number;
  /** Never changes under its name. */
  readonly isFixed: boolean;
};
export type Judge<T> = (bytes: Uint8Array) => Verdict<T>;

export type Reach = {
  /** Brings an object that must be there; `NOT_FOUND` where it is not. */
  readonly file: <T>(order: Order, judge: Judge<T>) => Promise<Verdict<T>>;
  /** Brings an object that may be absent. */
  readonly fileIfAny: <T>(order: Order, judge: Judge<T>) => Promise<Verdict<T | undefined>>;
  /**
   * Brings objects that can only be judged together, `bytes` in their order. Where all are there and refused, whoever only looks names
   * none of them; whoever keeps what was brought brings nothing more.
   */
  readonly together: <T>(
    orders: readonly Order[],
    judge: (bytes: readonly Uint8Array[]) => Verdict<T>,
  ) => Promise<Verdict<T>>;
  /** Brings a target, whose length and digest are signed, without holding it in memory. */
  readonly target: (target: ReleaseTarget) => Promise<Verdict<void>>;
};
