/**
 * Bytes and their text forms, strict in both directions and free of any host's API.
 *
 * - Hex is lower case and of even length; base64 is RFC 4648 section 4, padded, with zero trailing bits: one text for one value.
 * - Nothing here throws on outside data: a fault is `undefined`, and the caller names it.
 */

export { encodeUtf8, parseUtf8 } from './utf8.ts';

const HEX = '0123456789abcdef';
const HEX_OF_BYTE: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => HEX.charAt(byte >> 4) + HEX.charAt(byte & 15),
);
const IS_HEX = /^[0-9a-f]*$/;
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** By character code, the six bits that a character of base64 stands for; -1 for every other character of ASCII. */
const SEXTET_OF_CODE: readonly number[] = Array.from({ length: 128 }, (_, code) =>
  BASE64.indexOf(String.fromCharCode(code)),
);

/** Lower-case hex of `bytes`. */
export function encodeHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX_OF_BYTE[byte] ?? '';
  return text;
}

/** The bytes that `text` stands for, or undefined unless it is lower-case hex of even length. */
export function parseHex(text: string): Uint8Array | undefined {
  if (!isHex(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = digit(text.charCodeAt(2 * i)) * 16 + digit(text.charCodeAt(2 * i + 1));
  }
  return bytes;
}

/** Whether `text` is lower-case hex of whole bytes. */
export function isHex(text: string): boolean {
  return text.length % 2 === 0 && IS_HEX.test(text);
}

/** The value of a hex digit, given by its character code. */
function digit(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x57;
}

/** Padded base64 of `bytes` (RFC 4648 section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const a = bytes[i] ?? 0;
    const b = bytes[i + 1];
    const c = bytes[i + 2];
    text += BASE64.charAt(a >> 2) + BASE64.charAt(((a & 3) << 4) | ((b ?? 0) >> 4));
    text += b === undefined ? '=' : BASE64.charAt(((b & 15) << 2) | ((c ?? 0) >> 6));
    text += c === undefined ? '=' : BASE64.charAt(c & 63);
  }
  return text;
}

/** The bytes that `text` stands for, or undefined unless it is exactly what `encodeBase64` would write. */
export function parseBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let at = 0;
  let bits = 0;
  let held = 0;
  for (let i = 0; i < text.length - padding; i++) {
    const value = SEXTET_OF_CODE[text.charCodeAt(i)] ?? -1;
    if (value < 0) return undefined;
    held = ((held << 6) | value) & 0xfff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 0xff;
    }
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}

/** All of `parts` in one array. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Whether both hold the same bytes; of two arrays it takes the same time wherever they differ. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  let differences = 0;
  for (let i = 0; i < a.length; i++) differences |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return differences === 0;
}
