/**
 * Targets and channel files parsed once, however many rules of a publication look at them.
 *
 * - A memo over bytes that nobody changes: it is forgotten with them, and says nothing about trust.
 */
import type { Metadata, MetadataParseCode } from '../formats/tuf-metadata.ts';
import { parseTargets, type Targets } from '../formats/tuf-targets.ts';
import type { Verdict } from '../formats/verdict.ts';

type Parsed = Verdict<Metadata<Targets>, MetadataParseCode>;
const known = new WeakMap<Uint8Array, Parsed>();

/** `parseTargets(bytes)`. */
export function parsedRole(bytes: Uint8Array): Parsed {
  const parsed = known.get(bytes) ?? parseTargets(bytes);
  known.set(bytes, parsed);
  return parsed;
}

/** The role in `bytes`, or undefined if there are none, or they are none. */
export function readRole(bytes: Uint8Array | undefined): Metadata<Targets> | undefined {
  const parsed = bytes && parsedRole(bytes);
  return parsed?.ok === true ? parsed.value : undefined;
}
