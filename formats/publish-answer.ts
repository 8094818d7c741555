/**
 * What the signer daemon answers to `publish`: what stands now. It proves nothing; what is published does.
 *
 * - Specified in `docs/formats/signer.md`.
 */
import { hexText, integer, list, object, optional, text, type DecodeCode, type Decoder } from './decode.ts';
import type { JsonObject } from './json.ts';
import { nameDecoder } from './names.ts';
import type { Verdict } from './verdict.ts';

export type PublishedFacts = {
  readonly product: string;
  readonly timestampVersion: number;
  readonly snapshotVersion: number;
  readonly snapshotSha256: string;
  /** Names of objects that were written, the first ones of them. */
  readonly written: readonly string[];
  /** Where root demands a log. */
  readonly logSize: number | undefined;
  readonly logRoot: string | undefined;
};

/** How many names an answer tells. */
export const WRITTEN_MAX = 1024;
const NAME_LENGTH_MAX = 512;

const factsDecoder: Decoder<PublishedFacts> = object('ignored', {
  product: nameDecoder,
  timestampVersion: integer(1),
  snapshotVersion: integer(1),
  snapshotSha256: hexText(32),
  written: list(text(NAME_LENGTH_MAX), WRITTEN_MAX),
  logSize: optional(integer(1)),
  logRoot: optional(hexText(32)),
});

/** Parses what the verb `publish` answers. */
export function parsePublishAnswer(facts: JsonObject): Verdict<PublishedFacts, DecodeCode> {
  return factsDecoder(facts);
}
