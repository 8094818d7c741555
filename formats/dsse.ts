/**
 * DSSE envelopes: bytes of a named type, and signatures over both.
 *
 * - What is signed is the pre-authentication encoding of the payload exactly as decoded; nothing is serialised again to verify.
 * - The payload stays bytes here: the caller verifies, then parses these same bytes, and never the envelope again.
 * - A caller names the payload type it expects, so that no envelope is read as something else.
 * - A key id is an unauthenticated hint: it may choose which key to try, it decides nothing. Absent and empty are the same.
 * - Unknown members are ignored and both base64 alphabets are read, because the specification demands it; padding is required,
 *   and the standard alphabet is written.
 * - Source: DSSE 1.0.2, `protocol.md` and `envelope.md`.
 */
import { concatBytes, encodeBase64, encodeUtf8, parseBase64 } from './bytes.ts';
import { decodeJson, list, object, optional, refine, shape, type Decoder } from './decode.ts';
import { accept, reject, type Verdict } from './verdict.ts';

/** One signature; `keyid` is empty where the signer gave none. */
export type EnvelopeSignature = { readonly keyid: string; readonly sig: Uint8Array };
export type Envelope = {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly EnvelopeSignature[];
};

/** The largest envelope that is read: a provenance of ours has about 4 kB. */
export const ENVELOPE_BYTES_MAX = 400_000;
/** The largest payload that is read, as large as the largest statement. */
export const PAYLOAD_BYTES_MAX = 256_000;
export const ENVELOPE_SIGNATURES_MAX = 16;
/** Room for ML-DSA-87, whose signatures have 4,627 bytes. */
export const ENVELOPE_SIGNATURE_BYTES_MAX = 5_000;
export const ENVELOPE_KEYID_LENGTH_MAX = 256;

const keyidDecoder: Decoder<string> = (json) =>
  typeof json === 'string' && json.length <= ENVELOPE_KEYID_LENGTH_MAX
    ? accept(json)
    : shape(`a string of at most ${ENVELOPE_KEYID_LENGTH_MAX} characters is expected`);

const signatureDecoder: Decoder<EnvelopeSignature> = refine(
  object('ignored', { keyid: optional(keyidDecoder), sig: eitherBase64(ENVELOPE_SIGNATURE_BYTES_MAX) }),
  ({ keyid, sig }) => accept({ keyid: keyid ?? '', sig }),
);

/**
 * Parses an envelope without judging its signatures.
 * @param payloadType the only type that is accepted, compared exactly.
 * @returns the envelope with at least one signature, or `ENVELOPE_MALFORMED`. Never throws.
 */
export function parseEnvelope(bytes: Uint8Array, payloadType: string): Verdict<Envelope, 'ENVELOPE_MALFORMED'> {
  const envelopeDecoder = object('ignored', {
    payloadType: (json) => (json === payloadType ? accept(payloadType) : shape(`${payloadType} is expected`)),
    payload: eitherBase64(PAYLOAD_BYTES_MAX),
    signatures: list(signatureDecoder, ENVELOPE_SIGNATURES_MAX, 1),
  });
  const envelope = decodeJson(bytes, ENVELOPE_BYTES_MAX, envelopeDecoder);
  return envelope.ok ? envelope : reject('ENVELOPE_MALFORMED', `${envelope.code}: ${envelope.detail}`);
}

/** The bytes of an envelope: the same for the same content. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const signatures = envelope.signatures.map(({ keyid, sig }) => ({ keyid, sig: encodeBase64(sig) }));
  const { payload, payloadType } = envelope;
  return encodeUtf8(JSON.stringify({ payload: encodeBase64(payload), payloadType, signatures }));
}

/** The message that a DSSE signature covers: PAE of `protocol.md`. Lengths count bytes, not characters. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = encodeUtf8(payloadType);
  return concatBytes(encodeUtf8(`DSSEv1 ${type.length} `), type, encodeUtf8(` ${payload.length} `), payload);
}

/** Padded base64 in the standard or the URL-safe alphabet, not in a mixture; at most `sizeMax` bytes. */
function eitherBase64(sizeMax: number): Decoder<Uint8Array> {
  return (json) => {
    if (typeof json !== 'string' || json.length > Math.ceil(sizeMax / 3) * 4) return tooLong(sizeMax);
    const standard = /[+/]/.test(json) ? json : json.replaceAll('-', '+').replaceAll('_', '/');
    const bytes = parseBase64(standard);
    return bytes !== undefined && bytes.length <= sizeMax ? accept(bytes) : tooLong(sizeMax);
  };
}

function tooLong(sizeMax: number): Verdict<Uint8Array, 'SHAPE_MALFORMED'> {
  return shape(`base64 of at most ${sizeMax} bytes is expected`);
}
