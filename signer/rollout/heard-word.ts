/**
 * What the signer keeps of a device's word: the envelope as it was signed, and when it arrived by the signer's clock.
 *
 * - The moment of arrival decides about deadlines; the device's own clock decides about nothing.
 */
import { encodeBase64 } from '../../formats/bytes.ts';
import { base64Bytes, decodeJson, literal, object, refine, type DecodeCode } from '../../formats/decode.ts';
import { encodeJson } from '../../formats/encode-json.ts';
import { encodeInstant, instantDecoder, type Instant } from '../../formats/instant.ts';
import type { JsonValue } from '../../formats/json.ts';
import { RECEIPT_FILE_BYTES_MAX } from '../../formats/receipt.ts';
import { accept, type Verdict } from '../../formats/verdict.ts';

export type HeardWord = { readonly receivedAt: Instant; readonly envelope: Uint8Array };

/** The largest envelope of a confirmation that is taken from outside. */
export const WORD_BYTES_MAX = 16_384;
export const HEARD_BYTES_MAX = 32_768;

const wordDecoder = refine(
  object('refused', { version: literal(1), receivedAt: instantDecoder, envelope: base64Bytes(RECEIPT_FILE_BYTES_MAX) }),
  ({ receivedAt, envelope }) => accept({ receivedAt, envelope }),
);

/** Parses the bytes of a kept word. */
export function parseHeardWord(bytes: Uint8Array): Verdict<HeardWord, DecodeCode> {
  return decodeJson(bytes, HEARD_BYTES_MAX, wordDecoder);
}

/** The bytes of a kept word. */
export function encodeHeardWord({ receivedAt, envelope }: HeardWord): Uint8Array {
  return encodeJson(
    new Map<string, JsonValue>([
      ['version', 1],
      ['receivedAt', encodeInstant(receivedAt)],
      ['envelope', encodeBase64(envelope)],
    ]),
  );
}
