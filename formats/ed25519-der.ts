/**
 * What X.509 and PKCS#10 have in common when Ed25519 signs them: a sequence of the body, the algorithm and the signature.
 *
 * - Read from its ends: length of the whole, then 64 bytes of signature behind the one spelling of the algorithm (RFC 8410).
 * - The body stays bytes: what is in it is read by an X.509 library, once the signature over these very bytes has been checked.
 */
import { concatBytes, equalBytes } from './bytes.ts';

export type Ed25519Signed = { readonly body: Uint8Array; readonly signature: Uint8Array };

const SIGNATURE_BYTES = 64;
/** The algorithm Ed25519, and the head of a bit string of 64 bytes. */
const BEFORE_SIGNATURE = Uint8Array.of(0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x41, 0x00);
const SEQUENCE = 0x30;

/** The parts of a signed sequence, or undefined unless `der` is one, whole, of DER's only spelling, under Ed25519. */
export function parseEd25519Signed(der: Uint8Array): Ed25519Signed | undefined {
  const tail = der.length - SIGNATURE_BYTES - BEFORE_SIGNATURE.length;
  const head = sequenceHead(der.length);
  if (head === undefined || tail < head.length || !equalBytes(der.subarray(0, head.length), head)) return undefined;
  if (!equalBytes(der.subarray(tail, tail + BEFORE_SIGNATURE.length), BEFORE_SIGNATURE)) return undefined;
  return { body: der.slice(head.length, tail), signature: der.slice(-SIGNATURE_BYTES) };
}

/** The signed sequence of `parts`. */
export function encodeEd25519Signed({ body, signature }: Ed25519Signed): Uint8Array {
  const content = concatBytes(body, BEFORE_SIGNATURE, signature);
  for (const size of [2, 3, 4]) {
    const head = sequenceHead(content.length + size);
    if (head?.length === size) return concatBytes(head, content);
  }
  throw new RangeError('longer than 65,539 bytes');
}

/** The head of a sequence that has `length` bytes with its head. */
function sequenceHead(length: number): Uint8Array | undefined {
  if (length >= 2 && length - 2 < 0x80) return Uint8Array.of(SEQUENCE, length - 2);
  if (length - 3 >= 0x80 && length - 3 <= 0xff) return Uint8Array.of(SEQUENCE, 0x81, length - 3);
  const content = length - 4;
  return content > 0xff && content <= 0xffff ? Uint8Array.of(SEQUENCE, 0x82, content >> 8, content & 0xff) : undefined;
}
