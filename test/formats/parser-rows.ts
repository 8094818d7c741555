/** What a row of the table of parsers is, and the kinds of rows that there are. */
import { expect } from 'vitest';
import { encodeUtf8, equalBytes } from '../../formats/bytes.ts';
import { encodeJson } from '../../formats/encode-json.ts';
import { isJsonObject, parseJson, type JsonObject } from '../../formats/json.ts';
import type { Verdict } from '../../formats/verdict.ts';
import { accepted } from '../accepted.ts';

export type ParserRow = {
  /** The name under which the parser is exported. */
  readonly parser: string;
  /** Whether the outer layer of the file is JSON, so that values can be changed, too. */
  readonly isJson: boolean;
  readonly file: Uint8Array;
  /** Tries the parser on a mutant; returns whether it accepted it. */
  readonly holds: (mutant: Uint8Array) => boolean;
};

/** A row for a part of ours: what is accepted is written and read as the same. */
export function partRow<T>(
  parser: string,
  file: Uint8Array,
  format: { readonly parse: (bytes: Uint8Array) => T | undefined; readonly encode: (value: T) => Uint8Array },
): ParserRow {
  const holds = (mutant: Uint8Array): boolean => {
    const value = format.parse(mutant);
    if (value === undefined) return false;
    expect(format.parse(format.encode(value))).toEqual(value);
    return true;
  };
  return { parser, isJson: true, file, holds };
}

/** A row for a part in which nothing is ignored: what is accepted is written as the very JSON that was read. */
export function wholeRow<T>(
  parser: string,
  file: Uint8Array,
  format: { readonly parse: (bytes: Uint8Array) => T | undefined; readonly encode: (value: T) => Uint8Array },
): ParserRow {
  const row = partRow(parser, file, format);
  const holds = (mutant: Uint8Array): boolean => {
    if (!row.holds(mutant)) return false;
    const json = accepted(parseJson(mutant, { bytesMax: mutant.length }));
    const value = format.parse(mutant);
    expect(value !== undefined && equalBytes(format.encode(value), encodeJson(json)), 'nothing is ignored').toBe(true);
    return true;
  };
  return { ...row, holds };
}

/** A row for a text: what is accepted is written as the very text. */
export function textRow<T>(
  parser: string,
  text: string,
  format: { readonly parse: (text: string) => T | undefined; readonly encode: (value: T) => string },
): ParserRow {
  const holds = (mutant: Uint8Array): boolean => {
    const given = Buffer.from(mutant).toString('latin1');
    const value = format.parse(given);
    if (value === undefined) return false;
    expect(format.encode(value)).toBe(given);
    return true;
  };
  return { parser, isJson: false, file: encodeUtf8(text), holds };
}

/** A row for a file that is no JSON: what is accepted is written as the very bytes. */
export function bytesRow<T>(
  parser: string,
  file: Uint8Array,
  format: { readonly parse: (bytes: Uint8Array) => T | undefined; readonly encode: (value: T) => Uint8Array },
): ParserRow {
  const holds = (mutant: Uint8Array): boolean => {
    const value = format.parse(mutant);
    if (value === undefined) return false;
    expect(equalBytes(format.encode(value), mutant), 'one spelling').toBe(true);
    return true;
  };
  return { parser, isJson: false, file, holds };
}

/** A parser as one that answers undefined for every refusal. */
export function orUndefined<T>(parse: (bytes: Uint8Array) => Verdict<T>): (bytes: Uint8Array) => T | undefined {
  return (bytes) => {
    const verdict = parse(bytes);
    return verdict.ok ? verdict.value : undefined;
  };
}

/** The parser of a JSON object as one of its bytes. */
export function ofBytes<T>(parse: (json: JsonObject) => Verdict<T>): (bytes: Uint8Array) => T | undefined {
  return (bytes) => {
    const json = parseJson(bytes, { bytesMax: 100_000 });
    const verdict = json.ok && isJsonObject(json.value) ? parse(json.value) : undefined;
    return verdict?.ok === true ? verdict.value : undefined;
  };
}
