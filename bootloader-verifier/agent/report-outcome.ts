/**
 * A device's word on a planned release: written down when the release was confirmed or failed, and sent until it is taken.
 *
 * - It is signed with the evidence key of the very start that it is about, and carries the boot statement that names this key: what
 *   did not run cannot be confirmed.
 * - It follows the confirmation and never comes before it; no update waits for it, and no server decides by it on the device (R17).
 * - What is said is said once: a good release that starts again says nothing new, also after another one has failed in between. A cut before it was written is made up for at the
 *   next start.
 */
import { CONFIRMATION_PAYLOAD_TYPE, encodeConfirmation, type Confirmation } from '../../formats/confirmation.ts';
import { encodeEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { signEd25519 } from '../../formats/ed25519-key.ts';
import type { Instant } from '../../formats/instant.ts';
import { encodeReportRecord, parseReportRecord, type ReportRecord } from '../../formats/report-record.ts';
import { readRecord, writeRecord } from '../boot/flash-records.ts';
import type { Flash } from '../boot/flash.ts';
import type { BootIdentity } from '../boot/measure-boot.ts';
import type { BootPermit } from '../boot/verify-bundle.ts';
import { signReceipt } from './sign-receipt.ts';

/** Port: hands a word to the server. @returns whether it was taken. Network faults throw `OperationError`. */
export type CheckIn = (word: Uint8Array) => Promise<boolean>;
export type Outcome = {
  readonly permit: BootPermit;
  readonly identity: BootIdentity;
  /** Why it failed; undefined where it was confirmed. */
  readonly failure: string | undefined;
  readonly now: Instant;
};

/**
 * Writes down the word on a release: for a server where it came with a plan, as a receipt in any case.
 * @returns whether there was anything new to say.
 */
export async function noteOutcome(
  flash: Flash,
  outcome: Outcome,
  as: 'confirmation' | 'receipt' = 'confirmation',
): Promise<boolean> {
  const { plan, imagesSha256 } = outcome.permit;
  if (plan === undefined && as === 'confirmation') return false;
  const before = await readReport(flash);
  const key = plan ?? imagesSha256;
  const isConfirmed = outcome.failure === undefined;
  const said = `${key} ${isConfirmed ? 'confirmed' : 'failed'}`;
  if (isConfirmed ? before?.confirmed === key : before?.said === said) return false;
  const sequence = nextSequence(before, outcome.now);
  const failures = (before?.failures ?? 0) + (isConfirmed ? 0 : 1);
  const confirmed = isConfirmed ? key : before?.confirmed;
  const word = wordOf(outcome, { sequence, failures });
  const pending =
    as === 'receipt'
      ? signReceipt(outcome.identity, { ...word, capsule: undefined })
      : signWord(word, outcome.identity);
  return writeRecord(flash, 'reports', encodeReportRecord({ sequence, failures, said, confirmed, pending }));
}

/** Sends what is written down, if it was not taken yet. @returns undefined if there was nothing to send. */
export async function sendReport(flash: Flash, checkIn: CheckIn): Promise<boolean | undefined> {
  const report = await readReport(flash);
  if (report?.pending === undefined) return undefined;
  if (!(await checkIn(report.pending))) return false;
  await writeRecord(flash, 'reports', encodeReportRecord({ ...report, pending: undefined }));
  return true;
}

/** The sequence of the next word: above all that came before, also where the record of those is lost. */
export function nextSequence(before: ReportRecord | undefined, now: Instant): number {
  return Math.max((before?.sequence ?? 0) + 1, Math.floor(now / 1000));
}

/** What was said last. */
export async function readReport(flash: Flash): Promise<ReportRecord | undefined> {
  const bytes = await readRecord(flash, 'reports');
  return bytes === undefined ? undefined : parseReportRecord(bytes);
}

function wordOf(
  { permit, identity, failure, now }: Outcome,
  counts: Pick<Confirmation, 'sequence' | 'failures'>,
): Confirmation {
  return {
    product: permit.repository.product,
    root: permit.repository.rootOneSha256,
    plan: permit.plan,
    release: permit.release,
    securityCounters: new Map(permit.components.map(({ component, securityCounter }) => [component, securityCounter])),
    deviceId: identity.boot.deviceId,
    outcome: failure === undefined ? 'confirmed' : 'failed',
    code: failure,
    ...counts,
    evidence: undefined,
    statement: identity.statement,
    at: now,
  };
}

function signWord(word: Confirmation, { boot, evidenceSeed }: BootIdentity): Uint8Array {
  const payload = encodeConfirmation(word);
  const sig = signEd25519(preAuthEncoding(CONFIRMATION_PAYLOAD_TYPE, payload), evidenceSeed);
  return encodeEnvelope({
    payloadType: CONFIRMATION_PAYLOAD_TYPE,
    payload,
    signatures: [{ keyid: boot.deviceId, sig }],
  });
}
