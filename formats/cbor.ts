/**
 * Deterministic CBOR, read strictly: one encoding for one value, or a refusal.
 *
 * - Definite lengths, shortest heads, map keys in ascending order of their bytes and therefore never twice (RFC 8949 section 4.2.1).
 * - Integers within 2^53-1, byte and text strings, arrays, maps under integers or texts, tags, true, false, null. No float, no `undefined`.
 * - Depth and number of items are bounded; each byte is looked at a bounded number of times; nothing throws.
 * - Source: RFC 8949, sections 3 and 4.2.
 */
import { parseUtf8 } from './bytes.ts';
import { accept, reject, type Rejected, type Verdict } from './verdict.ts';

export type CborTag = { readonly tag: number; readonly value: CborValue };
export type CborMap = ReadonlyMap<number | string, CborValue>;
export type CborValue = number | string | boolean | null | Uint8Array | readonly CborValue[] | CborMap | CborTag;

export const CBOR_DEPTH_MAX = 8;
export const CBOR_ITEMS_MAX = 512;

type Reader = { readonly bytes: Uint8Array; at: number; items: number };
type Read<T> = Verdict<T, 'CBOR_MALFORMED'>;

/** The one value in `bytes`, all of them. */
export function parseCbor(bytes: Uint8Array, limits: { readonly bytesMax: number }): Read<CborValue> {
  if (bytes.length > limits.bytesMax) return malformed(`more than ${limits.bytesMax} bytes`);
  const reader: Reader = { bytes, at: 0, items: 0 };
  const value = readValue(reader, 0);
  if (!value.ok || reader.at === bytes.length) return value;
  return malformed(`${bytes.length - reader.at} bytes behind the value`);
}

function readValue(reader: Reader, depth: number): Read<CborValue> {
  if (depth > CBOR_DEPTH_MAX) return malformed(`nested deeper than ${CBOR_DEPTH_MAX}`);
  if (++reader.items > CBOR_ITEMS_MAX) return malformed(`more than ${CBOR_ITEMS_MAX} items`);
  const head = readHead(reader);
  if (!head.ok) return head;
  const { major, argument } = head.value;
  switch (major) {
    case 0:
      return accept(argument);
    case 1:
      return argument < Number.MAX_SAFE_INTEGER ? accept(-1 - argument) : malformed('a number beyond 2^53-1');
    case 2:
      return readBytes(reader, argument);
    case 3:
      return readText(reader, argument);
    case 4:
      return readArray(reader, argument, depth);
    case 5:
      return readMap(reader, argument, depth);
    case 6: {
      const value = readValue(reader, depth + 1);
      return value.ok ? accept({ tag: argument, value: value.value }) : value;
    }
    default:
      return simple(argument);
  }
}

function simple(argument: number): Read<CborValue> {
  if (argument === 20 || argument === 21) return accept(argument === 21);
  return argument === 22 ? accept(null) : malformed('a float, or a simple value that is not read');
}

/** Major type and argument, in the shortest form. */
function readHead(reader: Reader): Read<{ readonly major: number; readonly argument: number }> {
  const first = reader.bytes[reader.at++];
  if (first === undefined) return malformed('cut off');
  const major = first >> 5;
  const info = first & 31;
  if (info < 24) return accept({ major, argument: info });
  if (info > 27) return malformed('an indefinite length, or a reserved head');
  if (major === 7) return malformed('a float, or a simple value that is not read');
  const size = 1 << (info - 24);
  const least = size === 1 ? 24 : 2 ** (4 * size);
  let argument = 0;
  for (let i = 0; i < size; i++) {
    const byte = reader.bytes[reader.at++];
    if (byte === undefined) return malformed('cut off');
    argument = argument * 256 + byte;
  }
  if (!Number.isSafeInteger(argument)) return malformed('a number beyond 2^53-1');
  return argument >= least ? accept({ major, argument }) : malformed('a head that is longer than it must be');
}

function readBytes(reader: Reader, length: number): Read<Uint8Array> {
  if (length > reader.bytes.length - reader.at) return malformed('cut off');
  reader.at += length;
  return accept(reader.bytes.slice(reader.at - length, reader.at));
}

function readText(reader: Reader, length: number): Read<string> {
  const bytes = readBytes(reader, length);
  if (!bytes.ok) return bytes;
  const text = parseUtf8(bytes.value);
  return text === undefined ? malformed('a text that is not UTF-8') : accept(text);
}

function readArray(reader: Reader, length: number, depth: number): Read<readonly CborValue[]> {
  const values: CborValue[] = [];
  for (let i = 0; i < length; i++) {
    const value = readValue(reader, depth + 1);
    if (!value.ok) return value;
    values.push(value.value);
  }
  return accept(values);
}

function readMap(reader: Reader, length: number, depth: number): Read<CborMap> {
  const members = new Map<number | string, CborValue>();
  let before: Uint8Array | undefined;
  for (let i = 0; i < length; i++) {
    const start = reader.at;
    const key = readValue(reader, depth + 1);
    if (!key.ok) return key;
    const spelled = reader.bytes.subarray(start, reader.at);
    if (before !== undefined && !isBelow(before, spelled)) return malformed('the keys of a map are not in order');
    before = spelled;
    const value = readValue(reader, depth + 1);
    if (!value.ok) return value;
    if (typeof key.value !== 'number' && typeof key.value !== 'string') return malformed('a key that is not read');
    members.set(key.value, value.value);
  }
  return accept(members);
}

function isBelow(a: Uint8Array, b: Uint8Array): boolean {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return a.length < b.length;
}

function malformed(detail: string): Rejected<'CBOR_MALFORMED'> {
  return reject('CBOR_MALFORMED', detail);
}
