/**
 * Parts of ours that must be refused: from a sample that is accepted, one fault each.
 *
 * - Of every member: absent, unless the format lets it be; null; of another kind. Beside all of them: one that nobody knows.
 * - What the format rules beyond that stands in the table of each part.
 */
import { concatBytes, encodeHex } from '../../formats/bytes.ts';
import type { Code } from '../../formats/codes.ts';

/** A sample, and what the format says of it. */
export type PartFormat = {
  /** The part, by the name that its document gives it. */
  readonly of: string;
  readonly code: Code;
  /** The sample in JSON. */
  readonly text: string;
  readonly optional: readonly string[];
  /** Members that another format rules. */
  readonly foreign?: readonly string[];
  readonly rules: readonly (readonly [says: string, change: Readonly<Record<string, unknown>>])[];
};
export type RefusedPart = { readonly of: string; readonly says: string; readonly code: Code; readonly text: string };

/** Every fault of a part. */
export function refusedParts({ of, code, text, optional, foreign = [], rules }: PartFormat): readonly RefusedPart[] {
  const sample = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const row = (says: string, change: Readonly<Record<string, unknown>>): RefusedPart => {
    return { of, says, code, text: JSON.stringify({ ...sample, ...change }) };
  };
  const members = Object.keys(sample).filter((name) => !foreign.includes(name));
  return [
    // A member that is undefined is left out of the text.
    ...members.filter((name) => !optional.includes(name)).map((name) => row(`without ${name}`, { [name]: undefined })),
    ...members.map((name) => row(`${name} is null`, { [name]: null })),
    ...members.map((name) => row(`${name} is of another kind`, { [name]: Array.isArray(sample[name]) ? {} : [] })),
    row('a member that nobody knows', { more: 1 }),
    ...rules.map(([says, change]) => row(says, change)),
  ];
}

/** Bytes that are no part: none, cut, with a byte more, and of another kind. */
export function refusedBytes(part: {
  readonly of: string;
  readonly code: Code;
  readonly sample: Uint8Array;
}): readonly RefusedPart[] {
  const { of, code, sample } = part;
  const faults: readonly (readonly [string, Uint8Array])[] = [
    ['nothing', new Uint8Array()],
    ['the first half', sample.slice(0, sample.length >> 1)],
    ['a byte less', sample.slice(0, -1)],
    ['a byte more', concatBytes(sample, Uint8Array.of(0))],
    ['another kind', concatBytes(Uint8Array.of((sample[0] ?? 0) ^ 0x20), sample.slice(1))],
  ];
  return faults.map(([says, bytes]) => ({ of, says, code, text: encodeHex(bytes) }));
}

/** `count` times `item`. */
export function times<T>(count: number, item: T): readonly T[] {
  return Array.from({ length: count }, () => item);
}
