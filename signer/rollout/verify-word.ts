/** Whether a word on a rollout is that of the device that it names: a confirmation or a receipt, each by its own rules. */
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';
import {
  verifyConfirmation,
  type ConfirmationCode,
  type ConfirmationTrust,
} from '../../formats/verify-confirmation.ts';
import { verifyReceipt, type ReceiptCode } from '../../formats/verify-receipt.ts';
import { isReceipt, wordOf, type SpokenWord } from './spoken-word.ts';

export type SpokenCode = ConfirmationCode | ReceiptCode | 'CONFIRMATION_REFUSED';

/** The word in `bytes`, if it is that of the device that it names. */
export function verifyWord(
  bytes: Uint8Array,
  trust: ConfirmationTrust,
  check: SignatureCheck,
): Verdict<Verified<SpokenWord>, SpokenCode> {
  if (!isReceipt(bytes)) return verifyConfirmation(bytes, trust, check);
  const receipt = verifyReceipt(bytes, trust, check);
  if (!receipt.ok) return receipt;
  const word = wordOf(receipt.value);
  return word === undefined
    ? reject('CONFIRMATION_REFUSED', 'a receipt of a file that was refused says nothing of a rollout')
    : accept(markVerified(word));
}
