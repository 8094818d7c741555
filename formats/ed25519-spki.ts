/**
 * An Ed25519 public key on its way to a library that takes SubjectPublicKeyInfo (RFC 8410, section 4).
 *
 * - As strict as RFC 8032, section 5.1.7: a point that is not written canonically, or is of small order, is no key.
 * - Whether the point lies on the curve is the library's to say.
 */
import { concatBytes, encodeHex, parseHex } from './bytes.ts';

const HEAD = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);
const POINT_BYTES = 32;
const FIELD = 2n ** 255n - 19n;
/** The `y` of the eight points of small order; the last two have order 8. */
const SMALL_ORDER: readonly bigint[] = [
  0n,
  1n,
  FIELD - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7n,
];

/** The key `text`, 32 bytes in hex, in DER; undefined if it is no strict point. */
export function strictEd25519Spki(text: string): Uint8Array | undefined {
  const point = parseHex(text);
  return point?.length === POINT_BYTES && isStrictPoint(point) ? concatBytes(HEAD, point) : undefined;
}

/** Whether the encoded point has a canonical `y` and is none of small order. */
function isStrictPoint(point: Uint8Array): boolean {
  const y = BigInt(`0x${encodeHex(point.toReversed())}`) & (2n ** 255n - 1n);
  return y < FIELD && !SMALL_ORDER.includes(y);
}
