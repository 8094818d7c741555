/**
 * One poll: is there anything new, is it to be believed, and what has to be done about it.
 *
 * - An unchanged, unexpired timestamp ends the poll after one request.
 * - What was seen is remembered only after a whole refresh has passed.
 * - New trust is committed to the running slot before a new release is installed beside it.
 */
import { equalBytes } from '../../formats/bytes.ts';
import type { Instant } from '../../formats/instant.ts';
import { parseBootBundle } from '../../formats/boot-bundle.ts';
import { encodeSeenMetadata, parseSeenMetadata, type SeenMetadata } from '../../formats/seen-metadata.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { parseTimestamp, TIMESTAMP_BYTES_MAX } from '../../formats/tuf-snapshot.ts';
import { accept, type Rejected, type Verdict } from '../../formats/verdict.ts';
import { readRecord, writeRecord } from '../boot/flash-records.ts';
import type { Flash } from '../boot/flash.ts';
import { standingOf } from '../boot/find-ways.ts';
import { readDeviceTrust } from '../boot/protected-store.ts';
import { readBundle } from '../boot/slot.ts';
import { verifySignedParts, type DeviceTrust } from '../boot/verify-bundle.ts';
import { commitTrust, installRelease, type InstallCode, type Installed, type RunningSlot } from './install.ts';
import { decideRelease, type DecideCode, type StuckWay } from './decide-release.ts';
import { refresh, type RefreshCode, type Refreshed } from './refresh.ts';
import type { RepositoryClient } from './repository-client.ts';

export type PollCode = RefreshCode | InstallCode | DecideCode | 'PROTECTED_STORE_MISSING';
export type PollInput = {
  readonly flash: Flash;
  readonly client: RepositoryClient;
  readonly check: SignatureCheck;
  readonly now: Instant;
  readonly running: RunningSlot | undefined;
  /** The timestamp after which there was nothing left to do, from the poll before; kept by the caller. */
  readonly settled: Uint8Array | undefined;
};
export type Polled = {
  readonly outcome: { readonly kind: 'unchanged' } | Installed | StuckWay;
  /** To be passed to the next poll. */
  readonly settled: Uint8Array | undefined;
  /** Why the running image could not take the newest trust, if it could not. */
  readonly trustRefused?: Rejected<InstallCode> | undefined;
};

/** Polls once. Network faults throw `OperationError`; whatever the server says wrongly is a verdict. */
export async function poll(input: PollInput): Promise<Verdict<Polled, PollCode>> {
  if (await isSettled(input)) {
    return accept({ outcome: { kind: 'unchanged' }, settled: input.settled, trustRefused: undefined });
  }
  const device = await readDeviceTrust(input.flash, input.check);
  if (!device.ok) return device;
  const refreshed = await refreshDevice(input, device.value);
  if (!refreshed.ok) return refreshed;
  await rememberSeen(input.flash, refreshed.value.seen);
  return applyRefreshed(input, device.value, refreshed.value);
}

/** Whether the server's timestamp is the one after which nothing was left to do, and still unexpired. */
async function isSettled({ client, settled, now }: PollInput): Promise<boolean> {
  if (settled === undefined) return false;
  const offered = await client.get('metadata/timestamp.json', TIMESTAMP_BYTES_MAX);
  if (offered === undefined || !equalBytes(offered, settled)) return false;
  const timestamp = parseTimestamp(settled);
  return timestamp.ok && timestamp.value.signed.expires > now;
}

/** Writes what was seen, unless it is remembered already: a poll that learns nothing wears no flash. */
async function rememberSeen(flash: Flash, seen: SeenMetadata): Promise<void> {
  const bytes = encodeSeenMetadata(seen);
  const before = await readRecord(flash, 'cache');
  if (before === undefined || !equalBytes(before, bytes)) await writeRecord(flash, 'cache', bytes);
}

async function refreshDevice(input: PollInput, device: DeviceTrust): Promise<Verdict<Refreshed, RefreshCode>> {
  const { flash, client, now, running } = input;
  const seenBytes = await readRecord(flash, 'cache');
  const bundleBytes = running === undefined ? undefined : await readBundle(flash, running.slot);
  const bundle = bundleBytes === undefined ? undefined : parseBootBundle(bundleBytes);
  const held = bundle?.ok === true ? bundle.value : undefined;
  return refresh({
    device,
    client,
    now,
    rootsAtHand: held?.roots ?? [],
    rolesAtHand:
      held &&
      new Map([
        ['targets', held.targets],
        [device.factory.channelName, held.channel],
      ]),
    seen: seenBytes === undefined ? undefined : parseSeenMetadata(seenBytes),
  });
}

async function applyRefreshed(
  input: PollInput,
  device: DeviceTrust,
  refreshed: Refreshed,
): Promise<Verdict<Polled, PollCode>> {
  const { flash, client, running } = input;
  const committed =
    running?.isGood === true ? await commitTrust({ device, flash, client, refreshed, running }) : accept(false);
  const runs = running && standingOf(running.permit);
  const decided = decideRelease({ device, refreshed, now: input.now, runs });
  if (!decided.ok) return decided;
  const trustRefused = committed.ok ? undefined : committed;
  if (decided.value.kind === 'stuck') {
    // That no way leads on is believed like a release is: from the quorum, at or above the floors.
    const parts = verifySignedParts(refreshed, device);
    if (!parts.ok) return parts;
    return accept({ outcome: decided.value, settled: refreshed.seen.timestamp, trustRefused });
  }
  const { chosen } = decided.value;
  const installed = await installRelease({ device, flash, client, refreshed, running, chosen });
  if (!installed.ok) return installed;
  const settled = isSettledBy(installed.value) ? refreshed.seen.timestamp : undefined;
  return accept({ outcome: installed.value, settled, trustRefused });
}

/** Whether nothing is left to do until the server shows something new. What time alone can change is looked at again. */
function isSettledBy(installed: Installed): boolean {
  if (installed.kind !== 'held') return installed.kind === 'current';
  return installed.wave.code !== 'WAVE_TOO_EARLY' && installed.wave.code !== 'LEASE_TOO_LONG';
}
