/** Signing a receipt: with the evidence key of the very start that it speaks of, so that what did not run has none. */
import { encodeEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { signEd25519 } from '../../formats/ed25519-key.ts';
import { encodeReceipt, RECEIPT_PAYLOAD_TYPE, type Receipt } from '../../formats/receipt.ts';
import type { BootIdentity } from '../boot/measure-boot.ts';

/** What is said beside what was started. */
export type ReceiptWords = Pick<Receipt, 'plan' | 'outcome' | 'code' | 'capsule' | 'sequence' | 'failures' | 'at'>;

/** The receipt of a start, signed by the evidence key of that start. */
export function signReceipt(
  { boot, statement, evidenceSeed }: BootIdentity,
  { plan, outcome, code, capsule, sequence, failures, at }: ReceiptWords,
): Uint8Array {
  const { product, root, deviceId, channel, channelVersion, release, components } = boot;
  const started = { product, root, deviceId, channel, channelVersion, release, components, statement };
  const payload = encodeReceipt({ ...started, plan, outcome, code, capsule, sequence, failures, at });
  const sig = signEd25519(preAuthEncoding(RECEIPT_PAYLOAD_TYPE, payload), evidenceSeed);
  return encodeEnvelope({ payloadType: RECEIPT_PAYLOAD_TYPE, payload, signatures: [{ keyid: deviceId, sig }] });
}
