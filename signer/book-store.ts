/**
 * Port: what a signer keeps for itself beside its memory, outside of the published store: admitted manifests, expected sets, votes.
 *
 * - Each entry is kept once and never changes; it appears as a whole or not at all, and is durable when `keep` returns.
 * - Names are of our own making: segments of lower-case letters, digits and dashes. Another one is a bug of the caller's.
 */
import assert from 'node:assert';

export type BookStore = {
  /** The entry `name`, or undefined. Throws `OperationError` if it is longer than `bytesMax`. */
  readonly read: (name: string, bytesMax: number) => Promise<Uint8Array | undefined>;
  /** Keeps a new entry. @returns false, with nothing changed, if one of this name is kept. */
  readonly keep: (name: string, bytes: Uint8Array) => Promise<boolean>;
};

const NAME = /^[a-z0-9][a-z0-9-]*(\/[a-z0-9][a-z0-9-]*)*$/;

/** The segments of an entry's name. */
export function bookSegments(name: string): readonly string[] {
  assert(NAME.test(name), 'a name of our own making');
  return name.split('/');
}
