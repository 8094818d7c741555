/**
 * Whether a confirmation is the word of the device that it names, about what it really started.
 *
 * - The device id chooses the factory key; whoever lists devices has held each id against its key.
 * - With a boot statement, that one is verified by the factory key, and the confirmation by the evidence key that it names; release,
 *   counters and repository must be those that were started. Without one, the factory key itself has signed.
 * - The signature covers the very bytes that are parsed.
 */
import type { RepositoryId } from './binding.ts';
import { CONFIRMATION_PAYLOAD_TYPE, parseConfirmation, type Confirmation } from './confirmation.ts';
import { parseEnvelope, preAuthEncoding } from './dsse.ts';
import type { PublicKey, SignatureCheck } from './signature-check.ts';
import { accept, markVerified, reject, type Rejected, type Verdict, type Verified } from './verdict.ts';
import { verifyBootStatement } from './verify-boot-statement.ts';

export type ConfirmationCode = 'ENVELOPE_MALFORMED' | 'CONFIRMATION_MALFORMED' | 'CONFIRMATION_SIGNATURE_INVALID';
/** Whose words count, and in which repository. */
export type ConfirmationTrust = {
  readonly repository: RepositoryId;
  /** The factory key of a device, undefined if it is not known. */
  readonly keyOf: (deviceId: string) => PublicKey | undefined;
};

/** Decides about the envelope in `bytes`. */
export function verifyConfirmation(
  bytes: Uint8Array,
  trust: ConfirmationTrust,
  check: SignatureCheck,
): Verdict<Verified<Confirmation>, ConfirmationCode> {
  const envelope = parseEnvelope(bytes, CONFIRMATION_PAYLOAD_TYPE);
  if (!envelope.ok) return envelope;
  const { payload, signatures } = envelope.value;
  const confirmation = parseConfirmation(payload);
  if (!confirmation.ok) return confirmation;
  const key = signingKey(confirmation.value, trust, check);
  if (!key.ok) return key;
  const message = preAuthEncoding(CONFIRMATION_PAYLOAD_TYPE, payload);
  return signatures.some(({ sig }) => check(key.value, message, sig))
    ? accept(markVerified(confirmation.value))
    : unsigned(`no signature of device ${confirmation.value.deviceId.slice(0, 12)} fits`);
}

/** The key that must have signed: the device's own, or the one that its boot statement names for this start. */
function signingKey(
  confirmation: Confirmation,
  { repository, keyOf }: ConfirmationTrust,
  check: SignatureCheck,
): Verdict<PublicKey, 'CONFIRMATION_SIGNATURE_INVALID'> {
  const { deviceId, product, root, statement } = confirmation;
  const key = keyOf(deviceId);
  if (key === undefined) return unsigned(`device ${deviceId.slice(0, 12)} is not known here`);
  if (product !== repository.product || root !== repository.rootOneSha256) {
    return unsigned(`it is about product ${product}, or another root 1`);
  }
  if (statement === undefined) return accept(key);
  const started = verifyBootStatement(statement, { deviceKey: key.public, repository }, check);
  if (!started.ok) return unsigned(`its boot statement: ${started.code}: ${started.detail}`);
  const { release, components, evidenceKey } = started.value;
  const isSame =
    release === confirmation.release &&
    components.length === confirmation.securityCounters.size &&
    components.every(
      ({ component, securityCounter }) => confirmation.securityCounters.get(component) === securityCounter,
    );
  return isSame
    ? accept({ ...key, public: evidenceKey })
    : unsigned(`it speaks of ${confirmation.release}, the device started ${release}`);
}

function unsigned(detail: string): Rejected<'CONFIRMATION_SIGNATURE_INVALID'> {
  return reject('CONFIRMATION_SIGNATURE_INVALID', detail);
}
