/**
 * A device's receipts: written down on its flash with the outcome, left in a folder until it is there, once for each outcome (R14).
 *
 * - What a trial came to is a record on flash before it is a file: a cut at any write, or a stick that is away, loses no receipt.
 * - The refusal of a file is said by what runs on, and only there: the file is looked at again at the next start, so nothing is kept.
 * - A device that runs nothing has no key that could sign for it, and leaves no receipt.
 */
import { parseEnvelope } from '../../formats/dsse.ts';
import type { Instant } from '../../formats/instant.ts';
import { parseReceipt, RECEIPT_PAYLOAD_TYPE } from '../../formats/receipt.ts';
import type { Flash } from '../boot/flash.ts';
import type { BootIdentity } from '../boot/measure-boot.ts';
import { nextSequence, readReport, sendReport } from './report-outcome.ts';
import type { ReceiptFolder } from './receipt-folder.ts';
import { signReceipt } from './sign-receipt.ts';

const ID_SHOWN = 16;

/** Leaves the receipt that is written down, if it is not there yet. @returns its name, or undefined if there was nothing to leave. */
export async function leaveReceipt(flash: Flash, folder: ReceiptFolder): Promise<string | undefined> {
  let left: string | undefined;
  await sendReport(flash, async (word) => {
    const name = nameOf(word);
    if (name === undefined) return false;
    await folder.write(name, word);
    left = name;
    return true;
  });
  return left;
}

/** Leaves the receipt of a file that was refused, unless one is there. @returns its name, or undefined. */
export async function leaveRefusal(
  flash: Flash,
  folder: ReceiptFolder,
  refused: {
    /** Of the bytes of the file. */
    readonly sha256: string;
    readonly code: string;
    readonly identity: BootIdentity;
    readonly now: Instant;
  },
): Promise<string | undefined> {
  const { identity, sha256, code, now } = refused;
  const name = `${identity.boot.deviceId.slice(0, ID_SHOWN)}-refused-${sha256.slice(0, ID_SHOWN)}.receipt`;
  if (await folder.has(name)) return undefined;
  const before = await readReport(flash);
  const receipt = signReceipt(identity, {
    ...{ plan: undefined, outcome: 'refused', code, capsule: sha256, at: now },
    ...{ sequence: nextSequence(before, now), failures: before?.failures ?? 0 },
  });
  await folder.write(name, receipt);
  return name;
}

/** The name of a receipt's file; undefined for what is no receipt. */
function nameOf(bytes: Uint8Array): string | undefined {
  const envelope = parseEnvelope(bytes, RECEIPT_PAYLOAD_TYPE);
  const receipt = envelope.ok ? parseReceipt(envelope.value.payload) : envelope;
  return receipt.ok ? `${receipt.value.deviceId.slice(0, ID_SHOWN)}-${receipt.value.sequence}.receipt` : undefined;
}
