/**
 * Whether the one key that is expected has signed an envelope.
 *
 * - Every signature is tried, whatever key id it stands under: a key id decides nothing.
 * - Source: DSSE 1.0.2, `protocol.md`.
 */
import { parseEnvelope, preAuthEncoding } from './dsse.ts';
import type { PublicKey, SignatureCheck } from './signature-check.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type EnvelopeCode = 'ENVELOPE_MALFORMED' | 'EVIDENCE_SIGNATURE_INVALID';

/** The payload of the envelope in `bytes`, if it is of `payloadType` and `key` has signed it. */
export function verifyEnvelope(
  bytes: Uint8Array,
  by: { readonly payloadType: string; readonly key: PublicKey },
  check: SignatureCheck,
): Verdict<Uint8Array, EnvelopeCode> {
  const envelope = parseEnvelope(bytes, by.payloadType);
  if (!envelope.ok) return envelope;
  const { payload, signatures } = envelope.value;
  const message = preAuthEncoding(by.payloadType, payload);
  return signatures.some(({ sig }) => check(by.key, message, sig))
    ? accept(payload)
    : reject('EVIDENCE_SIGNATURE_INVALID', `no signature over ${by.payloadType} is of the expected key`);
}
