/**
 * What the signer daemon does when asked: publish, refresh, halt; list devices, hear them, step rollouts, say how they stand.
 *
 * - Each verb takes files as people, factories and devices signed them, and decides by those alone.
 * - `halt` is a publication of one halt role, and of nothing else.
 */
import { encodeInstant, type Instant } from '../../formats/instant.ts';
import { isSideRole } from '../../formats/names.ts';
import { parsePublishRequest, REQUEST_BYTES_MAX } from '../../formats/publish-request.ts';
import { RECEIPT_FILE_BYTES_MAX } from '../../formats/receipt.ts';
import { parseTimestamp } from '../../formats/tuf-snapshot.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { ENVELOPE_BYTES_MAX } from '../../formats/dsse.ts';
import { TIMESTAMP_LIFETIME_MS } from '../lifetimes.ts';
import { changesOfRequest } from '../changes-of-request.ts';
import type { Changes } from '../publication.ts';
import { publishedFacts } from '../published-facts.ts';
import { readCurrent } from '../read-published.ts';
import { WORD_BYTES_MAX } from '../rollout/heard-word.ts';
import {
  hearConfirmation,
  hearReceipt,
  registerTrust,
  stepRollouts,
  type RolloutNow,
  type RolloutSigner,
} from '../rollout/run-rollout.ts';
import { clockBehind, outlives } from '../signing-time.ts';
import type { SignerVerb, VerbFacts, VerbTable } from './verb-table.ts';

const HALT_BYTES_MAX = 131_072;

/** The verbs over `signer`. */
export function signerVerbs(signer: RolloutSigner): VerbTable {
  const verb = (bodyBytesMax: number, run: SignerVerb['run']): SignerVerb => ({ bodyBytesMax, run });
  // Publications have a queue of their own, in which those that wait together are one.
  const shared = (bodyBytesMax: number, run: SignerVerb['run']): SignerVerb => ({ bodyBytesMax, isShared: true, run });
  return new Map([
    ['publish', shared(REQUEST_BYTES_MAX, (body, now) => publishRequest(signer, body, now))],
    ['halt', shared(HALT_BYTES_MAX, (body, now) => publishHalt(signer, body, now))],
    ['refresh', shared(0, (_, now) => publishing(signer, {}, now))],
    ['manifest', verb(ENVELOPE_BYTES_MAX, (body, now) => admitManifest(signer, body, now))],
    ['confirm', verb(WORD_BYTES_MAX, (body, now) => hearConfirmation(signer, body, now))],
    ['receipt', verb(RECEIPT_FILE_BYTES_MAX, (body, now) => hearReceipt(signer, body, now))],
    ['step', verb(0, async (_, now) => rollouts(await stepRollouts(signer, now)))],
    ['waves', verb(0, async (_, now) => rollouts(await stepRollouts(signer, now, true)))],
  ]);
}

/** What the daemon does by itself from time to time: step rollouts, and refresh the online roles long before they expire. */
export async function doDue(signer: RolloutSigner, now: Instant): Promise<Verdict<VerbFacts>> {
  const stepped = await stepRollouts(signer, now);
  if (!stepped.ok) return stepped;
  const due = await isRefreshDue(signer, now);
  if (!due.ok || !due.value) return due.ok ? rollouts(stepped) : due;
  const refreshed = await publishing(signer, {}, now);
  return refreshed.ok ? rollouts(stepped) : refreshed;
}

/** Whether the timestamp has lived half its time, or was made by a clock that was ahead; tells of a clock that is behind. */
async function isRefreshDue({ publishing: from }: RolloutSigner, now: Instant): Promise<Verdict<boolean>> {
  const published = await readCurrent(from);
  if (!published.ok) return published;
  const { state, timestamp } = published.value;
  if (state === undefined) return accept(false);
  const clock = { ...from, now };
  const behind = clockBehind(state, clock);
  if (!behind.ok) return behind;
  const shown = timestamp && parseTimestamp(timestamp.bytes);
  const expires = shown?.ok === true ? shown.value.signed.expires : 0;
  const lifetimeMs = from.timestampLifetimeMs ?? TIMESTAMP_LIFETIME_MS;
  return accept(expires - now <= lifetimeMs / 2 || outlives(expires, lifetimeMs, clock));
}

async function publishRequest(signer: RolloutSigner, body: Uint8Array, now: Instant): Promise<Verdict<VerbFacts>> {
  const parts = parsePublishRequest(body);
  if (!parts.ok) return parts;
  const changes = changesOfRequest(parts.value);
  return changes.ok ? publishing(signer, changes.value, now) : changes;
}

async function publishHalt(signer: RolloutSigner, file: Uint8Array, now: Instant): Promise<Verdict<VerbFacts>> {
  const role = parseTargets(file);
  if (!role.ok) return role;
  const name = role.value.signed.firmament?.get('role');
  if (typeof name !== 'string' || !isSideRole(name) || !name.endsWith('-halt')) {
    return reject('HALT_MALFORMED', 'the file is of no halt role');
  }
  return publishing(signer, { channels: new Map([[name, file]]) }, now);
}

async function publishing({ publish }: RolloutSigner, changes: Changes, now: Instant): Promise<Verdict<VerbFacts>> {
  const published = await publish(changes, now);
  return published.ok ? accept(publishedFacts(published.value)) : published;
}

async function admitManifest(signer: RolloutSigner, body: Uint8Array, now: Instant): Promise<Verdict<VerbFacts>> {
  const published = await readCurrent(signer.publishing);
  if (!published.ok) return published;
  const trust = registerTrust(published.value, now);
  if (trust === undefined) return reject('FACTORY_NOT_TRUSTED', 'nothing is published yet that would list factories');
  const devices = await signer.register.admit(body, trust);
  return devices.ok ? accept({ devices: devices.value }) : devices;
}

function rollouts(stepped: Verdict<readonly RolloutNow[]>): Verdict<VerbFacts> {
  if (!stepped.ok) return stepped;
  const shown = stepped.value.map(({ leaseEnds, ...rollout }) => ({
    ...rollout,
    leaseEnds: leaseEnds === undefined ? undefined : encodeInstant(leaseEnds),
  }));
  return accept({ rollouts: shown });
}
