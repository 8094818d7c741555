/**
 * Strict JSON (RFC 8259), narrowed until two parsers cannot disagree about a text.
 *
 * - Objects become `Map`: no name is special, `__proto__` least of all.
 * - A second member of the same name is refused, not overwritten.
 * - Numbers are integers within 2^53-1, written canonically: no sign on zero, no leading zero, fraction or exponent.
 * - Strings are well-formed UTF-8; an escaped lone surrogate is refused.
 * - Size and depth are bounded by the caller; the work is linear in the size.
 * - One value, nothing but white space around it.
 * - Where a member of the whole stands in canonical form already, its bytes as received are that form, and are told.
 */
import { compareCodePoints } from './code-points.ts';
import { encodeUtf8, parseUtf8 } from './utf8.ts';
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

type Limits = { readonly bytesMax: number; readonly depthMax?: number };

/**
 * Parses `bytes`.
 * @param limits.bytesMax longest text accepted, in bytes.
 * @param limits.depthMax how deep arrays and objects may nest; 1 is a flat one.
 * @returns the value, or one of `JsonCode` with the byte offset of the fault. Never throws.
 */
export function parseJson(bytes: Uint8Array, limits: Limits): Verdict<JsonValue, JsonCode> {
  const parsed = parseWhole(bytes, limits, undefined);
  return parsed.ok ? accept(parsed.value.value) : parsed;
}

/** A value, and of one of its members the canonical form where it stands so in the text. */
export type JsonWithForm = { readonly value: JsonValue; readonly canonical: Uint8Array | undefined };

/**
 * Parses `bytes` like `parseJson`, and looks whether the member `name` of the whole is written in its canonical form
 * (`canonical-json.ts`): members in the order of that form, no white space, no escape but those of quote and backslash.
 */
export function parseJsonWithForm(bytes: Uint8Array, limits: Limits, name: string): Verdict<JsonWithForm, JsonCode> {
  return parseWhole(bytes, limits, name);
}

function parseWhole(bytes: Uint8Array, limits: Limits, wanted: string | undefined): Verdict<JsonWithForm, JsonCode> {
  if (bytes.length > limits.bytesMax) {
    return reject('JSON_TOO_LARGE', `${bytes.length} bytes, at most ${limits.bytesMax} are read`);
  }
  const text = parseUtf8(bytes);
  if (text === undefined) return reject('UTF8_MALFORMED', 'bytes that are not UTF-8');
  const depthMax = limits.depthMax ?? JSON_DEPTH_MAX;
  const parser: Parser = {
    text,
    at: 0,
    depthMax,
    depthLeft: depthMax,
    oddAt: -1,
    wanted,
    form: undefined,
    fault: undefined,
  };
  const value = parseValue(parser);
  skipSpace(parser);
  if (parser.fault === undefined && parser.at < text.length) fail(parser, 'JSON_MALFORMED', 'more follows the value');
  const { fault, form } = parser;
  if (fault !== undefined) {
    return reject(fault.code, `${fault.what} at byte ${encodeUtf8(text.slice(0, fault.at)).length}`);
  }
  if (form === undefined) return accept({ value, canonical: undefined });
  // Where every character is one byte, the form is cut from the bytes; elsewhere its text is encoded again.
  const { start, end } = form;
  const canonical = text.length === bytes.length ? bytes.subarray(start, end) : encodeUtf8(text.slice(start, end));
  return accept({ value, canonical });
}

/** Whether `json` is an object: the one test, because a `Map` is how objects are held. */
export function isJsonObject(json: JsonValue | undefined): json is JsonObject {
  return json instanceof Map;
}

type Parser = {
  readonly text: string;
  at: number;
  readonly depthMax: number;
  depthLeft: number;
  /** The last place at which the text was not in canonical form. */
  oddAt: number;
  /** The member of the whole whose form is asked for, and where it stands if it is canonical. */
  readonly wanted: string | undefined;
  form: { readonly start: number; readonly end: number } | undefined;
  fault: { readonly code: JsonCode; readonly what: string; readonly at: number } | undefined;
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Records the first fault and its place; the parsers then unwind because every loop asks for it. */
function fail(parser: Parser, code: JsonCode, what: string): null {
  parser.fault ??= { code, what, at: parser.at };
  return null;
}

function skipSpace(parser: Parser): void {
  for (;;) {
    const unit = parser.text.charCodeAt(parser.at);
    if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
    parser.oddAt = parser.at++;
  }
}

function parseValue(parser: Parser): JsonValue {
  skipSpace(parser);
  const unit = parser.text.charCodeAt(parser.at);
  if (unit === QUOTE) return parseString(parser);
  if (unit === 0x7b) return nested(parser, parseObject);
  if (unit === 0x5b) return nested(parser, parseArray);
  if (unit === 0x74) return parseWord(parser, 'true', true);
  if (unit === 0x66) return parseWord(parser, 'false', false);
  if (unit === 0x6e) return parseWord(parser, 'null', null);
  if (unit === 0x2d || isDigit(unit)) return parseNumber(parser);
  return fail(parser, 'JSON_MALFORMED', Number.isNaN(unit) ? 'the text ends where a value belongs' : 'no value');
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
  if (!parser.text.startsWith(word, parser.at)) return fail(parser, 'JSON_MALFORMED', 'no value');
  parser.at += word.length;
  return value;
}

function parseObject(parser: Parser): JsonValue {
  const members = new Map<string, JsonValue>();
  skipSpace(parser);
  if (takeUnit(parser, 0x7d)) return members;
  let before: string | undefined;
  while (parser.fault === undefined) {
    skipSpace(parser);
    const start = parser.at;
    if (parser.text.charCodeAt(start) !== QUOTE) return fail(parser, 'JSON_MALFORMED', 'no member name');
    const name = parseString(parser);
    if (members.has(name)) return fail(parser, 'JSON_DUPLICATE_NAME', 'a member name stands twice in an object');
    if (before !== undefined && compareCodePoints(before, name) > 0) parser.oddAt = start;
    before = name;
    skipSpace(parser);
    if (!takeUnit(parser, 0x3a)) return fail(parser, 'JSON_MALFORMED', 'no colon after a member name');
    members.set(name, parseMember(parser, name));
    skipSpace(parser);
    if (takeUnit(parser, 0x7d)) return members;
    if (!takeUnit(parser, 0x2c)) return fail(parser, 'JSON_MALFORMED', 'neither comma nor end of the object');
  }
  return null;
}

/** Parses the value of a member; of the wanted one, notes where its canonical form stands. */
function parseMember(parser: Parser, name: string): JsonValue {
  const isWanted = name === parser.wanted && parser.depthLeft === parser.depthMax - 1;
  skipSpace(parser);
  const start = parser.at;
  const value = parseValue(parser);
  if (isWanted && parser.oddAt < start) parser.form = { start, end: parser.at };
  return value;
}

function parseArray(parser: Parser): JsonValue {
  const items: JsonValue[] = [];
  skipSpace(parser);
  if (takeUnit(parser, 0x5d)) return items;
  while (parser.fault === undefined) {
    items.push(parseValue(parser));
    skipSpace(parser);
    if (takeUnit(parser, 0x5d)) return items;
    if (!takeUnit(parser, 0x2c)) return fail(parser, 'JSON_MALFORMED', 'neither comma nor end of the array');
  }
  return null;
}

function takeUnit(parser: Parser, unit: number): boolean {
  if (parser.fault !== undefined || parser.text.charCodeAt(parser.at) !== unit) return false;
  parser.at++;
  return true;
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

function parseNumber(parser: Parser): JsonValue {
  const { text, at: start } = parser;
  const negative = text.charCodeAt(start) === 0x2d;
  if (negative) parser.at++;
  const first = text.charCodeAt(parser.at);
  if (!isDigit(first)) return fail(parser, 'JSON_MALFORMED', 'a sign without a number');
  let value = 0;
  let next = first;
  while (isDigit(next) && value <= Number.MAX_SAFE_INTEGER) {
    value = value * 10 + (next - 0x30);
    next = text.charCodeAt(++parser.at);
  }
  const zeroLed = first === 0x30 && parser.at - start > 1;
  if (zeroLed || isDigit(next) || next === 0x2e || next === 0x65 || next === 0x45 || value > Number.MAX_SAFE_INTEGER) {
    return fail(parser, 'JSON_NUMBER_NOT_CANONICAL', 'only plain integers within 2^53-1 are read');
  }
  return negative ? -value : value;
}

/** Parses the string whose opening quote is at `parser.at`. */
function parseString(parser: Parser): string {
  const { text } = parser;
  const spans: string[] = [];
  parser.at++;
  while (parser.fault === undefined) {
    const start = parser.at;
    let at = start;
    let unit = text.charCodeAt(at);
    while (unit >= 0x20 && unit !== QUOTE && unit !== BACKSLASH) unit = text.charCodeAt(++at);
    parser.at = at;
    if (unit === QUOTE) {
      parser.at++;
      const last = text.slice(start, at);
      return spans.length === 0 ? last : spans.join('') + last;
    }
    spans.push(text.slice(start, at));
    if (unit === BACKSLASH) spans.push(parseEscape(parser));
    else fail(parser, 'JSON_MALFORMED', at >= text.length ? 'a string without end' : 'a control character in a string');
  }
  return '';
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
  const { text, at } = parser;
  const unit = text.charCodeAt(at + 1);
  if (unit !== QUOTE && unit !== BACKSLASH) parser.oddAt = at;
  const simple = ESCAPES.get(unit);
  if (simple !== undefined) {
    parser.at += 2;
    return simple;
  }
  const first = unit === 0x75 ? hexUnit(text, at + 2) : undefined;
  if (first === undefined) return fail(parser, 'JSON_MALFORMED', 'an escape that JSON does not know') ?? '';
  if (first < 0xd800 || first > 0xdfff) {
    parser.at += 6;
    return String.fromCharCode(first);
  }
  const escaped = text.charCodeAt(at + 6) === BACKSLASH && text.charCodeAt(at + 7) === 0x75;
  const second = first <= 0xdbff && escaped ? hexUnit(text, at + 8) : undefined;
  if (second === undefined || second < 0xdc00 || second > 0xdfff) {
    return fail(parser, 'UTF8_MALFORMED', 'half of a surrogate pair in a string') ?? '';
  }
  parser.at += 12;
  return String.fromCharCode(first, second);
}

/** The UTF-16 unit of four hex digits at `at`, or undefined. */
function hexUnit(text: string, at: number): number | undefined {
  let unit = 0;
  for (let i = 0; i < 4; i++) {
    const read = text.charCodeAt(at + i);
    const lower = read | 0x20;
    const digit = isDigit(read) ? read - 0x30 : lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
    if (digit < 0) return undefined;
    unit = unit * 16 + digit;
  }
  return unit;
}
