/**
 * UTF-8 by Node: stands in the executable in the place of `formats/utf8.ts`, and answers the same.
 *
 * - A byte order mark is text like any other; what is not well formed has no text.
 */

/** UTF-8 of `text`; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Text of UTF-8 `bytes`, or undefined unless they are well formed (RFC 3629). */
export function parseUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (fault) {
    if (fault instanceof TypeError) return undefined;
    throw fault;
  }
}
