/**
 * Strict JSON (RFC 8259), narrowed until two parsers cannot disagree about a text.
 *
 * - Objects become `Map`: no name is special, `__proto__` least of all.
 * - A second member of the same name is refused, not overwritten.
 * - Numbers are integers within 2^53-1, written canonically: no sign on zero, no leading zero, fraction or exponent.
 * - Strings are well-formed UTF-8; an escaped lone surrogate is refused.
 * - Size and depth are bounded by the caller; the work is linear in the size.
 * - One value, nothing but white space around it.
 */
import { parseUtf8 } from './bytes.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type JsonObject = ReadonlyMap<string, JsonValue>;
export type JsonArray = readonly JsonValue[];
export type JsonValue = null | boolean | number | string | JsonArray | JsonObject;
export type JsonCode =
  | 'JSON_TOO_LARGE'
  | 'JSON_TOO_DEEP'
  | 'JSON_MALFORMED'
  | 'JSON_DUPLICATE_NAME'
  | 'JSON_NUMBER_NOT_CANONICAL'
  | 'UTF8_MALFORMED';

/** How deep values may nest where no caller says otherwise: TUF metadata needs 7. */
export const JSON_DEPTH_MAX = 32;

/**
 * Parses `bytes`.
 * @param limits.bytesMax longest text accepted, in bytes.
 * @param limits.depthMax how deep arrays and objects may nest; 1 is a flat one.
 * @returns the value, or one of `JsonCode` with the byte offset of the fault. Never throws.
 */
export function parseJson(
  bytes: Uint8Array,
  limits: { readonly bytesMax: number; readonly depthMax?: number },
): Verdict<JsonValue, JsonCode> {
  if (bytes.length > limits.bytesMax) {
    return reject('JSON_TOO_LARGE', `${bytes.length} bytes, at most ${limits.bytesMax} are read`);
  }
  const parser: Parser = { bytes, at: 0, depthLeft: limits.depthMax ?? JSON_DEPTH_MAX, fault: undefined };
  const value = parseValue(parser);
  skipSpace(parser);
  if (parser.fault === undefined && parser.at < bytes.length) fail(parser, 'JSON_MALFORMED', 'more follows the value');
  const { fault } = parser;
  return fault === undefined ? accept(value) : reject(fault.code, `${fault.what} at byte ${fault.at}`);
}

/** Whether `json` is an object: the one test, because a `Map` is how objects are held. */
export function isJsonObject(json: JsonValue | undefined): json is JsonObject {
  return json instanceof Map;
}

type Parser = {
  readonly bytes: Uint8Array;
  at: number;
  depthLeft: number;
  fault: { readonly code: JsonCode; readonly what: string; readonly at: number } | undefined;
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPAN_MAX = 8192;

/** Records the first fault and its place; the parsers then unwind because every loop asks for it. */
function fail(parser: Parser, code: JsonCode, what: string): null {
  parser.fault ??= { code, what, at: parser.at };
  return null;
}

function skipSpace(parser: Parser): void {
  for (;;) {
    const byte = parser.bytes[parser.at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
    parser.at++;
  }
}

function parseValue(parser: Parser): JsonValue {
  skipSpace(parser);
  const byte = parser.bytes[parser.at];
  if (byte === QUOTE) return parseString(parser);
  if (byte === 0x7b) return nested(parser, parseObject);
  if (byte === 0x5b) return nested(parser, parseArray);
  if (byte === 0x74) return parseWord(parser, 'true', true);
  if (byte === 0x66) return parseWord(parser, 'false', false);
  if (byte === 0x6e) return parseWord(parser, 'null', null);
  if (byte === 0x2d || isDigit(byte)) return parseNumber(parser);
  return fail(parser, 'JSON_MALFORMED', byte === undefined ? 'the text ends where a value belongs' : 'no value');
}

function nested(parser: Parser, parse: (parser: Parser) => JsonValue): JsonValue {
  if (parser.depthLeft === 0) return fail(parser, 'JSON_TOO_DEEP', 'values nest deeper than is read');
  parser.depthLeft--;
  parser.at++;
  const value = parse(parser);
  parser.depthLeft++;
  return value;
}

function parseWord<T extends JsonValue>(parser: Parser, word: string, value: T): T | null {
  for (let i = 0; i < word.length; i++) {
    if (parser.bytes[parser.at + i] !== word.charCodeAt(i)) return fail(parser, 'JSON_MALFORMED', 'no value');
  }
  parser.at += word.length;
  return value;
}

function parseObject(parser: Parser): JsonValue {
  const members = new Map<string, JsonValue>();
  skipSpace(parser);
  if (takeByte(parser, 0x7d)) return members;
  while (parser.fault === undefined) {
    skipSpace(parser);
    if (parser.bytes[parser.at] !== QUOTE) return fail(parser, 'JSON_MALFORMED', 'no member name');
    const name = parseString(parser);
    if (members.has(name)) return fail(parser, 'JSON_DUPLICATE_NAME', 'a member name stands twice in an object');
    skipSpace(parser);
    if (!takeByte(parser, 0x3a)) return fail(parser, 'JSON_MALFORMED', 'no colon after a member name');
    members.set(name, parseValue(parser));
    skipSpace(parser);
    if (takeByte(parser, 0x7d)) return members;
    if (!takeByte(parser, 0x2c)) return fail(parser, 'JSON_MALFORMED', 'neither comma nor end of the object');
  }
  return null;
}

function parseArray(parser: Parser): JsonValue {
  const items: JsonValue[] = [];
  skipSpace(parser);
  if (takeByte(parser, 0x5d)) return items;
  while (parser.fault === undefined) {
    items.push(parseValue(parser));
    skipSpace(parser);
    if (takeByte(parser, 0x5d)) return items;
    if (!takeByte(parser, 0x2c)) return fail(parser, 'JSON_MALFORMED', 'neither comma nor end of the array');
  }
  return null;
}

function takeByte(parser: Parser, byte: number): boolean {
  if (parser.fault !== undefined || parser.bytes[parser.at] !== byte) return false;
  parser.at++;
  return true;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function parseNumber(parser: Parser): JsonValue {
  const start = parser.at;
  if (parser.bytes[parser.at] === 0x2d) parser.at++;
  const first = parser.bytes[parser.at];
  let value = 0;
  while (isDigit(parser.bytes[parser.at]) && value <= Number.MAX_SAFE_INTEGER) {
    value = value * 10 + ((parser.bytes[parser.at++] ?? 0) - 0x30);
  }
  const next = parser.bytes[parser.at];
  if (!isDigit(first)) return fail(parser, 'JSON_MALFORMED', 'a sign without a number');
  const negative = parser.bytes[start] === 0x2d;
  const zeroLed = first === 0x30 && parser.at - start > 1;
  if (zeroLed || isDigit(next) || next === 0x2e || next === 0x65 || next === 0x45 || value > Number.MAX_SAFE_INTEGER) {
    return fail(parser, 'JSON_NUMBER_NOT_CANONICAL', 'only plain integers within 2^53-1 are read');
  }
  return negative ? -value : value;
}

/** Parses the string whose opening quote is at `parser.at`. */
function parseString(parser: Parser): string {
  const { bytes } = parser;
  let text = '';
  parser.at++;
  while (parser.fault === undefined) {
    const start = parser.at;
    let ascii = true;
    let byte = bytes[parser.at];
    while (byte !== undefined && byte !== QUOTE && byte !== BACKSLASH && byte >= 0x20) {
      if (byte >= 0x80) ascii = false;
      byte = bytes[++parser.at];
    }
    text += textSpan(parser, start, ascii);
    if (byte === QUOTE) {
      parser.at++;
      return text;
    }
    if (byte === BACKSLASH) text += parseEscape(parser);
    else
      fail(parser, 'JSON_MALFORMED', byte === undefined ? 'a string without end' : 'a control character in a string');
  }
  return text;
}

/** The text from `start` to where the parser stands. */
function textSpan(parser: Parser, start: number, ascii: boolean): string {
  const span = parser.bytes.subarray(start, parser.at);
  if (ascii && span.length <= SPAN_MAX) return String.fromCharCode.apply(undefined, span as unknown as number[]);
  const text = parseUtf8(span);
  if (text !== undefined) return text;
  parser.at = start;
  return fail(parser, 'UTF8_MALFORMED', 'bytes that are not UTF-8 in the string text') ?? '';
}

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [QUOTE, '"'],
  [BACKSLASH, '\\'],
  [0x2f, '/'],
  [0x62, '\b'],
  [0x66, '\f'],
  [0x6e, '\n'],
  [0x72, '\r'],
  [0x74, '\t'],
]);

function parseEscape(parser: Parser): string {
  const byte = parser.bytes[parser.at + 1] ?? 0;
  const simple = ESCAPES.get(byte);
  if (simple !== undefined) {
    parser.at += 2;
    return simple;
  }
  const first = byte === 0x75 ? hexUnit(parser, parser.at + 2) : undefined;
  if (first === undefined) return fail(parser, 'JSON_MALFORMED', 'an escape that JSON does not know') ?? '';
  if (first < 0xd800 || first > 0xdfff) {
    parser.at += 6;
    return String.fromCharCode(first);
  }
  const escaped = parser.bytes[parser.at + 6] === BACKSLASH && parser.bytes[parser.at + 7] === 0x75;
  const second = first <= 0xdbff && escaped ? hexUnit(parser, parser.at + 8) : undefined;
  if (second === undefined || second < 0xdc00 || second > 0xdfff) {
    return fail(parser, 'UTF8_MALFORMED', 'half of a surrogate pair in a string') ?? '';
  }
  parser.at += 12;
  return String.fromCharCode(first, second);
}

/** The UTF-16 unit of four hex digits at `at`, or undefined. */
function hexUnit(parser: Parser, at: number): number | undefined {
  let unit = 0;
  for (let i = 0; i < 4; i++) {
    const byte = parser.bytes[at + i] ?? 0;
    const lower = byte | 0x20;
    const digit = isDigit(byte) ? byte - 0x30 : lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
    if (digit < 0) return undefined;
    unit = unit * 16 + digit;
  }
  return unit;
}
