/**
 * Text and its bytes in UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
 *
 * - By the engine where it has coders, else in portable JavaScript; both give the same answers.
 * - The work is linear in any engine: pieces are joined once, never appended to what was read before.
 */
import { hostDecoder, hostEncoder } from './host.ts';

const CHUNK = 4096;
/** A call of the engine costs as much as so many characters. */
const SHORT = 64;

/** UTF-8 of `text`. A lone surrogate is a fault of ours and becomes U+FFFD, as in WHATWG encoders. */
export function encodeUtf8(text: string): Uint8Array {
  if (hostEncoder !== undefined && text.length > SHORT) return hostEncoder.encode(text);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return encodeWide(text, bytes.subarray(0, i));
    bytes[i] = unit;
  }
  return bytes;
}

/** UTF-8 of `text`, of which the ASCII at its start is encoded already. */
function encodeWide(text: string, start: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(start.length + (text.length - start.length) * 3);
  bytes.set(start);
  let at = start.length;
  for (let i = at; i < text.length; i++) {
    let point = text.codePointAt(i) ?? 0;
    if (point > 0xffff) i++;
    else if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
    if (point < 0x80) {
      bytes[at++] = point;
    } else if (point < 0x800) {
      bytes[at++] = 0xc0 | (point >> 6);
      bytes[at++] = 0x80 | (point & 63);
    } else if (point < 0x10000) {
      bytes[at++] = 0xe0 | (point >> 12);
      bytes[at++] = 0x80 | ((point >> 6) & 63);
      bytes[at++] = 0x80 | (point & 63);
    } else {
      bytes[at++] = 0xf0 | (point >> 18);
      bytes[at++] = 0x80 | ((point >> 12) & 63);
      bytes[at++] = 0x80 | ((point >> 6) & 63);
      bytes[at++] = 0x80 | (point & 63);
    }
  }
  return bytes.slice(0, at);
}

/** Text of UTF-8 `bytes`, or undefined unless they are well formed (RFC 3629). */
export function parseUtf8(bytes: Uint8Array): string | undefined {
  return hostDecoder === undefined ? decodePortable(bytes) : decodeBy(hostDecoder, bytes);
}

function decodeBy(decoder: NonNullable<typeof hostDecoder>, bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function decodePortable(bytes: Uint8Array): string | undefined {
  const pieces: string[] = [];
  let start = 0;
  for (let i = 0; i < bytes.length;) {
    if ((bytes[i] ?? 0) < 0x80) {
      i++;
      if (i - start < CHUNK && i < bytes.length && (bytes[i] ?? 0) < 0x80) continue;
      pieces.push(String.fromCharCode.apply(undefined, bytes.subarray(start, i) as unknown as number[]));
      start = i;
      continue;
    }
    const size = sequenceLength(bytes, i);
    if (size === 0) return undefined;
    pieces.push(String.fromCodePoint(sequencePoint(bytes, i, size)));
    i += size;
    start = i;
  }
  return pieces.join('');
}

/** Length of the well-formed multi-byte sequence at `i`, or 0 (the table of RFC 3629 section 4). */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const lead = bytes[i] ?? 0;
  const size = lead >= 0xc2 && lead <= 0xdf ? 2 : (lead & 0xf0) === 0xe0 ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
  if (size === 0 || i + size > bytes.length) return 0;
  const second = bytes[i + 1] ?? 0;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let k = 2; k < size; k++) if (((bytes[i + k] ?? 0) & 0xc0) !== 0x80) return 0;
  return size;
}

/** Code point of the sequence of `size` bytes at `i`, already found well formed. */
function sequencePoint(bytes: Uint8Array, i: number, size: number): number {
  let point = (bytes[i] ?? 0) & (0x7f >> size);
  for (let k = 1; k < size; k++) point = (point << 6) | ((bytes[i + k] ?? 0) & 63);
  return point;
}
