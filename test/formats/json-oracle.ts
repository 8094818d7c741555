/** JSON.parse as the oracle of our own parser, and how it is asked in spite of a fault of its own. */
import { isDeepStrictEqual } from 'node:util';
import type { JsonValue } from '../../formats/json.ts';
import { fromPlain } from './json-values.ts';

/** Whether `text` means `value` to JSON.parse. */
export function oracleReads(text: string, value: JsonValue): boolean {
  return isDeepStrictEqual(value, byOracle(text)) || isDeepStrictEqual(value, byCarefulOracle(text));
}

/** What JSON.parse makes of `text`, or undefined where it refuses; JSON itself has no undefined. */
export function byOracle(text: string): unknown {
  try {
    return fromPlain(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const NAME = /("(?:[^"\\]|\\.)*)("\s*:)/gsu;
const NAME_END = '\ue000';

/**
 * What JSON.parse makes of `text` when every member name has one more letter at its end, which is then taken off again.
 * V8 guesses the next name from objects that it has read before, and compares the guess with the text before its escapes are
 * read: once an object had a backslash as a name, an escaped quote there is taken for a backslash (Node 24.21). No name
 * that ends in this letter looks like another one with an escape.
 */
function byCarefulOracle(text: string): unknown {
  return withoutNameEnds(byOracle(text.replace(NAME, `$1${NAME_END}$2`)));
}

function withoutNameEnds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNameEnds);
  if (!(value instanceof Map)) return value;
  return new Map(
    [...(value as Map<string, unknown>)].map(([name, item]) => [name.slice(0, -1), withoutNameEnds(item)]),
  );
}
