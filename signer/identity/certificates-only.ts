/**
 * Certificates alone in a PKCS#7: the answer of EST (RFC 7030 section 4.1.3, RFC 8951 section 3.2, RFC 5652 section 5).
 *
 * - A SignedData without content and without signers. There is no content at all, not an empty one: clients refuse that.
 */
import { concatBytes } from '../../formats/bytes.ts';

const SEQUENCE = 0x30;
const SET = 0x31;
const EXPLICIT_0 = 0xa0;
/** 1.2.840.113549.1.7.2 and .1: signed data, and data. */
const SIGNED_DATA = Uint8Array.of(0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02);
const DATA = Uint8Array.of(0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01);
const VERSION_1 = Uint8Array.of(0x02, 0x01, 0x01);

/** The PKCS#7 that holds `certificate`, in DER. */
export function certificatesOnly(certificate: Uint8Array): Uint8Array {
  const signed = der(SEQUENCE, ...[VERSION_1, der(SET), der(SEQUENCE, DATA), der(EXPLICIT_0, certificate), der(SET)]);
  return der(SEQUENCE, SIGNED_DATA, der(EXPLICIT_0, signed));
}

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...parts);
  const { length } = content;
  const head = length < 0x80 ? [length] : length <= 0xff ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concatBytes(Uint8Array.of(tag, ...head), content);
}
