/**
 * One person's signature, or withdrawal, on a signing event.
 *
 * - Only a judged event is signed: the signature covers the very bytes that were judged and shown, whatever lies on disk by then.
 * - An author's signature never counts, so the tool makes none: nobody waits for a quorum that cannot come (rule R2).
 * - A withdrawal needs no judgement: what is faulty must be withdrawable, too.
 */
import { encodeEnvelope, preAuthEncoding } from '../formats/dsse.ts';
import { sideRole } from '../formats/names.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { SigningEvent } from '../formats/signing-event.ts';
import type { MetadataParseCode } from '../formats/tuf-metadata.ts';
import { parseTargets } from '../formats/tuf-targets.ts';
import { accept, reject, type Verdict } from '../formats/verdict.ts';
import { encodeWithdrawal, WITHDRAWAL_PAYLOAD_TYPE } from '../formats/withdrawal.ts';
import { addSignature } from './add-signature.ts';
import type { Version } from './key-holder-memory.ts';
import { repositoryIdOf, type RepositoryIdCode } from './repository-id.ts';
import type { Signer } from './signer.ts';
import { signingKeys, type SigningKeysCode } from './signing-keys.ts';
import type { JudgedEvent } from './verify-event.ts';
import { verifyWithdrawals } from './verify-withdrawal.ts';

/** `judged` with the signature of `signer`. */
export async function signEvent(
  { event, trust, authors }: JudgedEvent,
  signer: Signer,
): Promise<Verdict<SigningEvent, SigningKeysCode | 'ALREADY_SIGNED' | 'AUTHOR_NEVER_COUNTS'>> {
  const { people } = trust;
  const holder = people?.find(({ keys }) => keys.some(({ keyid }) => keyid === signer.keyid))?.person;
  if (people !== undefined && holder === undefined) {
    return reject('KEY_NOT_OF_ROLE', 'this key belongs to nobody on the list of people, and would not count');
  }
  if (holder !== undefined && authors.has(holder)) {
    return reject('AUTHOR_NEVER_COUNTS', `${holder} made this change: others have to approve it`);
  }
  const { metadata, role, delegatedBy } = event;
  const signed = await addSignature({ metadata, role: { channel: role }, delegatedBy }, signer);
  if (!signed.ok || event.history === undefined) {
    return signed.ok ? accept({ ...event, metadata: signed.value }) : signed;
  }
  // The channel names the history by its content: whoever signs the one means the other.
  const { history } = event;
  const beside = { channel: sideRole(role, 'history') };
  const kept = await addSignature({ metadata: history.metadata, role: beside, delegatedBy: metadata }, signer);
  return kept.ok ? accept({ ...event, metadata: signed.value, history: { ...history, metadata: kept.value } }) : kept;
}

/** `event` with a withdrawal by `signer`. */
export async function withdrawEvent(
  event: SigningEvent,
  signer: Signer,
): Promise<Verdict<SigningEvent, SigningKeysCode | RepositoryIdCode | 'EVENT_MALFORMED' | 'EVENT_WITHDRAWN'>> {
  const { metadata, role, delegatedBy, roots } = event;
  const keyids = signingKeys({ metadata, role: { channel: role }, delegatedBy });
  if (!keyids.ok) return keyids;
  if (!keyids.value.includes(signer.keyid)) {
    return reject('KEY_NOT_OF_ROLE', `key ${signer.keyid.slice(0, 12)}… is not among those of ${role}`);
  }
  const [rootOne] = roots;
  if (rootOne === undefined) return reject('EVENT_MALFORMED', 'the event has no root');
  const repository = repositoryIdOf(rootOne);
  if (!repository.ok) return repository;
  const digest = digestOf(event);
  if (!digest.ok) return digest;
  const before = verifyWithdrawals(event.withdrawn, { repository: repository.value, role, keys: [signer.key] });
  if (before.some((withdrawal) => withdrawal.event === digest.value.sha256)) {
    return reject('EVENT_WITHDRAWN', 'this key has withdrawn it already');
  }
  const payload = encodeWithdrawal({ repository: repository.value, role, event: digest.value.sha256 });
  const sig = await signer.sign(preAuthEncoding(WITHDRAWAL_PAYLOAD_TYPE, payload));
  const signatures = [{ keyid: signer.keyid, sig }];
  const envelope = encodeEnvelope({ payloadType: WITHDRAWAL_PAYLOAD_TYPE, payload, signatures });
  return accept({ ...event, withdrawn: [...event.withdrawn, envelope] });
}

/** The name of `event`: SHA-256 of the canonical signed part of its channel, and the version it would be. */
export function digestOf({ metadata }: SigningEvent): Verdict<Version, MetadataParseCode> {
  const parsed = parseTargets(metadata);
  if (!parsed.ok) return parsed;
  const { signed, signedBytes } = parsed.value;
  return accept({ version: signed.version, sha256: sha256Hex(signedBytes) });
}
