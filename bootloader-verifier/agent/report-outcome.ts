/**
 * A device's word on a planned release: written down when the release was confirmed or failed, and sent until it is taken.
 *
 * - It is signed with the evidence key of the very start that it is about, and carries the boot statement that names this key: what
 *   did not run cannot be confirmed.
 * - It follows the confirmation and never comes before it; no update waits for it, and no server decides by it on the device (R17).
 * - What is said is said once: a good release that starts again says nothing new. A cut before it was written is made up for at the
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

/** Port: hands a word to the server. @returns whether it was taken. Network faults throw `OperationError`. */
export type CheckIn = (word: Uint8Array) => Promise<boolean>;
export type Outcome = {
  readonly permit: BootPermit;
  readonly identity: BootIdentity;
  /** Why it failed; undefined where it was confirmed. */
  readonly failure: string | undefined;
  readonly now: Instant;
};

/** Writes down the word on a release that came with a plan. @returns whether there was anything new to say. */
export async function noteOutcome(flash: Flash, outcome: Outcome): Promise<boolean> {
  const { plan } = outcome.permit;
  if (plan === undefined) return false;
  const before = await readReport(flash);
  const said = `${plan} ${outcome.failure === undefined ? 'confirmed' : 'failed'}`;
  if (before?.said === said) return false;
  const sequence = Math.max((before?.sequence ?? 0) + 1, Math.floor(outcome.now / 1000));
  const failures = (before?.failures ?? 0) + (outcome.failure === undefined ? 0 : 1);
  const pending = signWord(wordOf(outcome, { sequence, failures }), outcome.identity);
  return writeRecord(flash, 'reports', encodeReportRecord({ sequence, failures, said, pending }));
}

/** Sends what is written down, if it was not taken yet. @returns undefined if there was nothing to send. */
export async function sendReport(flash: Flash, checkIn: CheckIn): Promise<boolean | undefined> {
  const report = await readReport(flash);
  if (report?.pending === undefined) return undefined;
  if (!(await checkIn(report.pending))) return false;
  await writeRecord(flash, 'reports', encodeReportRecord({ ...report, pending: undefined }));
  return true;
}

async function readReport(flash: Flash): Promise<ReportRecord | undefined> {
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
