/**
 * What a device says of a rollout, in whichever envelope: a confirmation over the network, or a receipt in a file.
 *
 * - Both count the same, and by the same sequence: a device that says it twice has said it once.
 * - A receipt of a file that was refused says nothing of a rollout.
 */
import { CONFIRMATION_PAYLOAD_TYPE, parseConfirmation, type Confirmation } from '../../formats/confirmation.ts';
import { parseEnvelope } from '../../formats/dsse.ts';
import { parseReceipt, RECEIPT_PAYLOAD_TYPE, type Receipt } from '../../formats/receipt.ts';
import { accept, type Verdict } from '../../formats/verdict.ts';

export type SpokenWord = Pick<Confirmation, 'deviceId' | 'plan' | 'release' | 'outcome' | 'sequence'>;

/** Whether the envelope in `bytes` is a receipt. */
export function isReceipt(bytes: Uint8Array): boolean {
  return parseEnvelope(bytes, RECEIPT_PAYLOAD_TYPE).ok;
}

/** The product that the word in `bytes` names; nothing of it is verified. */
export function productOfWord(
  bytes: Uint8Array,
): Verdict<string, 'ENVELOPE_MALFORMED' | 'CONFIRMATION_MALFORMED' | 'RECEIPT_MALFORMED'> {
  const receipt = parseEnvelope(bytes, RECEIPT_PAYLOAD_TYPE);
  const envelope = receipt.ok ? receipt : parseEnvelope(bytes, CONFIRMATION_PAYLOAD_TYPE);
  if (!envelope.ok) return envelope;
  const word = receipt.ok ? parseReceipt(envelope.value.payload) : parseConfirmation(envelope.value.payload);
  return word.ok ? accept(word.value.product) : word;
}

/** The word in an envelope that was verified before; undefined if it cannot be read. */
export function readWord(bytes: Uint8Array): SpokenWord | undefined {
  const confirmation = parseEnvelope(bytes, CONFIRMATION_PAYLOAD_TYPE);
  if (confirmation.ok) {
    const parsed = parseConfirmation(confirmation.value.payload);
    return parsed.ok ? parsed.value : undefined;
  }
  const receipt = parseEnvelope(bytes, RECEIPT_PAYLOAD_TYPE);
  const parsed = receipt.ok ? parseReceipt(receipt.value.payload) : receipt;
  return parsed.ok ? wordOf(parsed.value) : undefined;
}

/** What a receipt says of a rollout, if anything. */
export function wordOf({ deviceId, plan, release, outcome, sequence }: Receipt): SpokenWord | undefined {
  return outcome === 'refused' ? undefined : { deviceId, plan, release, outcome, sequence };
}
