/**
 * Whether a receipt is the word of the device that it names, about what it really started.
 *
 * - The device id chooses the factory key; whoever lists devices has held each id against its key.
 * - The boot statement is verified by the factory key, the receipt by the evidence key that the statement names; device, channel, release
 *   and every image must be those that were started.
 * - The signature covers the very bytes that are parsed.
 */
import type { RepositoryId } from './binding.ts';
import type { BootStatement, MeasuredComponent } from './boot-statement.ts';
import { parseEnvelope, preAuthEncoding } from './dsse.ts';
import { parseReceipt, RECEIPT_FILE_BYTES_MAX, RECEIPT_PAYLOAD_TYPE, type Receipt } from './receipt.ts';
import type { PublicKey, SignatureCheck } from './signature-check.ts';
import { accept, markVerified, reject, type Rejected, type Verdict, type Verified } from './verdict.ts';
import { verifyBootStatement } from './verify-boot-statement.ts';

export type ReceiptCode =
  'ENVELOPE_MALFORMED' | 'RECEIPT_MALFORMED' | 'REPOSITORY_MISMATCH' | 'RECEIPT_SIGNATURE_INVALID';
/** Whose receipts are read, and of which repository. */
export type ReceiptTrust = {
  readonly repository: RepositoryId;
  /** The factory key of a device, undefined if it is not known. */
  readonly keyOf: (deviceId: string) => PublicKey | undefined;
};

/** Decides about the file in `bytes`. Never throws. */
export function verifyReceipt(
  bytes: Uint8Array,
  trust: ReceiptTrust,
  check: SignatureCheck,
): Verdict<Verified<Receipt>, ReceiptCode> {
  if (bytes.length > RECEIPT_FILE_BYTES_MAX) {
    return reject('RECEIPT_MALFORMED', `${bytes.length} bytes, at most ${RECEIPT_FILE_BYTES_MAX} are read`);
  }
  const envelope = parseEnvelope(bytes, RECEIPT_PAYLOAD_TYPE);
  if (!envelope.ok) return envelope;
  const { payload, signatures } = envelope.value;
  const receipt = parseReceipt(payload);
  if (!receipt.ok) return receipt;
  const { deviceId, product, root, statement } = receipt.value;
  const { repository } = trust;
  if (product !== repository.product || root !== repository.rootOneSha256) {
    return reject('REPOSITORY_MISMATCH', `a receipt of product ${product}, or of another root 1`);
  }
  const key = trust.keyOf(deviceId);
  if (key === undefined) return unsigned(`device ${deviceId.slice(0, 12)} is not known here`);
  const started = verifyBootStatement(statement, { deviceKey: key.public, repository }, check);
  if (!started.ok) return unsigned(`its boot statement: ${started.code}: ${started.detail}`);
  if (!isAbout(receipt.value, started.value)) {
    return unsigned(`it speaks of ${receipt.value.release}, which is not what the device started`);
  }
  const message = preAuthEncoding(RECEIPT_PAYLOAD_TYPE, payload);
  const evidenceKey = { ...key, public: started.value.evidenceKey };
  return signatures.some(({ sig }) => check(evidenceKey, message, sig))
    ? accept(markVerified(receipt.value))
    : unsigned(`no signature of device ${deviceId.slice(0, 12)} fits`);
}

/** Whether the receipt speaks of the very start that the statement describes. */
function isAbout(receipt: Receipt, started: BootStatement): boolean {
  const { release, channel, channelVersion, components } = started;
  return (
    receipt.release === release &&
    receipt.channel === channel &&
    receipt.channelVersion === channelVersion &&
    receipt.components.length === components.length &&
    receipt.components.every((component, index) => isSame(component, components[index]))
  );
}

function isSame(a: MeasuredComponent, b: MeasuredComponent | undefined): boolean {
  return (
    a.component === b?.component &&
    a.firmwareVersion === b.firmwareVersion &&
    a.securityCounter === b.securityCounter &&
    a.image === b.image
  );
}

function unsigned(detail: string): Rejected<'RECEIPT_SIGNATURE_INVALID'> {
  return reject('RECEIPT_SIGNATURE_INVALID', detail);
}
