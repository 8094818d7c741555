/**
 * Whether a channel's content was withdrawn: by an envelope that a key of the channel has signed.
 *
 * - Any one key of the role withdraws, an author's as well: to stop needs no quorum (rule R5).
 * - Verify, then parse. A statement that does not verify, or is about something else, withdraws nothing and spoils nothing.
 */
import type { RepositoryId } from '../formats/binding.ts';
import { parseEnvelope, preAuthEncoding } from '../formats/dsse.ts';
import type { PublicKey } from '../formats/signature-check.ts';
import { markVerified, type Verified } from '../formats/verdict.ts';
import { parseWithdrawal, WITHDRAWAL_PAYLOAD_TYPE, type Withdrawal } from '../formats/withdrawal.ts';
import { checkSignature } from './signature-check-node.ts';

/** Who may withdraw what. */
export type Withdrawable = {
  readonly repository: RepositoryId;
  readonly role: string;
  /** The keys of the role. */
  readonly keys: readonly PublicKey[];
};

/** The withdrawals among `envelopes` that hold for a content of the role. */
export function verifyWithdrawals(envelopes: readonly Uint8Array[], of: Withdrawable): readonly Verified<Withdrawal>[] {
  return envelopes.flatMap((bytes) => {
    const envelope = parseEnvelope(bytes, WITHDRAWAL_PAYLOAD_TYPE);
    if (!envelope.ok) return [];
    const { payload, payloadType, signatures } = envelope.value;
    const message = preAuthEncoding(payloadType, payload);
    const isSigned = of.keys.some((key) => signatures.some(({ sig }) => checkSignature(key, message, sig)));
    const withdrawal = isSigned ? parseWithdrawal(payload) : undefined;
    if (withdrawal?.ok !== true) return [];
    const { repository, role } = withdrawal.value;
    const { product, rootOneSha256 } = of.repository;
    const isOfHere = repository.product === product && repository.rootOneSha256 === rootOneSha256 && role === of.role;
    return isOfHere ? [markVerified(withdrawal.value)] : [];
  });
}
