/**
 * Whether a confirmation is the word of the device that it names.
 *
 * - The device id chooses the key; whoever lists devices has held each id against its key.
 * - The signature covers the very bytes that are parsed.
 */
import { CONFIRMATION_PAYLOAD_TYPE, parseConfirmation, type Confirmation } from './confirmation.ts';
import { parseEnvelope, preAuthEncoding } from './dsse.ts';
import type { PublicKey, SignatureCheck } from './signature-check.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from './verdict.ts';

export type ConfirmationCode = 'ENVELOPE_MALFORMED' | 'CONFIRMATION_MALFORMED' | 'CONFIRMATION_SIGNATURE_INVALID';

/** Decides about the envelope in `bytes`. @param keyOf the identity key of a device, undefined if it is not known. */
export function verifyConfirmation(
  bytes: Uint8Array,
  keyOf: (deviceId: string) => PublicKey | undefined,
  check: SignatureCheck,
): Verdict<Verified<Confirmation>, ConfirmationCode> {
  const envelope = parseEnvelope(bytes, CONFIRMATION_PAYLOAD_TYPE);
  if (!envelope.ok) return envelope;
  const { payload, signatures } = envelope.value;
  const confirmation = parseConfirmation(payload);
  if (!confirmation.ok) return confirmation;
  const { deviceId } = confirmation.value;
  const key = keyOf(deviceId);
  if (key === undefined) {
    return reject('CONFIRMATION_SIGNATURE_INVALID', `device ${deviceId.slice(0, 12)} is not known here`);
  }
  const message = preAuthEncoding(CONFIRMATION_PAYLOAD_TYPE, payload);
  return signatures.some(({ sig }) => check(key, message, sig))
    ? accept(markVerified(confirmation.value))
    : reject('CONFIRMATION_SIGNATURE_INVALID', `no signature of device ${deviceId.slice(0, 12)} fits`);
}
