/**
 * Port: where a mirror is kept, object by object, under the names of the repository.
 *
 * - An object appears as a whole or not at all, and is durable when it is told to be written.
 */
import type { Verdict } from '../../formats/verdict.ts';
import type { PublishedSource } from './published-source.ts';

export type MirrorPlace = {
  /** What is there already. */
  readonly source: PublishedSource;
  /** Writes an object, in the place of whatever stands there. */
  readonly keep: (name: string, bytes: Uint8Array) => Promise<void>;
  /** Writes an object while `fill` brings its bytes; it gets its name only if `fill` accepts them in the end. */
  readonly keepStream: (name: string, fill: Fill) => Promise<Verdict<void>>;
};
export type Fill = (take: (chunk: Uint8Array) => Promise<void>) => Promise<Verdict<void>>;
