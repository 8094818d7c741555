/**
 * The withdrawal of a signing event: "what has this digest must never be published".
 *
 * - A DSSE envelope of a payload type of its own, signed by any key of the channel; it stands for ever, nothing takes it back (R5).
 * - It names repository, channel and the digest of the channel's signed part: it withdraws that one content and no other.
 * - Specified in `docs/formats/signing-event.md`.
 */
import type { RepositoryId } from './binding.ts';
import { decodeJson, hexText, literal, object, refine, type Decoder } from './decode.ts';
import { encodeJson } from './encode-json.ts';
import type { JsonValue } from './json.ts';
import { nameDecoder } from './names.ts';
import { accept, reject, type Verdict } from './verdict.ts';

export type Withdrawal = {
  readonly repository: RepositoryId;
  readonly role: string;
  /** SHA-256 of the canonical signed part of the channel that is withdrawn, in hex. */
  readonly event: string;
};

/** The DSSE payload type. */
export const WITHDRAWAL_PAYLOAD_TYPE = 'application/vnd.firmament.withdrawal+json';
const WITHDRAWAL_BYTES_MAX = 1000;

const withdrawalDecoder: Decoder<Withdrawal> = refine(
  object('refused', {
    version: literal(1),
    product: nameDecoder,
    root: hexText(32),
    role: nameDecoder,
    event: hexText(32),
  }),
  ({ product, root, role, event }) => accept({ repository: { product, rootOneSha256: root }, role, event }),
);

/** Parses the payload of an envelope whose signature has been verified. */
export function parseWithdrawal(payload: Uint8Array): Verdict<Withdrawal, 'EVENT_MALFORMED'> {
  const withdrawal = decodeJson(payload, WITHDRAWAL_BYTES_MAX, withdrawalDecoder);
  return withdrawal.ok ? withdrawal : reject('EVENT_MALFORMED', `withdrawal: ${withdrawal.detail}`);
}

/** The payload. */
export function encodeWithdrawal({ repository, role, event }: Withdrawal): Uint8Array {
  return encodeJson(
    new Map<string, JsonValue>([
      ['version', 1],
      ['product', repository.product],
      ['root', repository.rootOneSha256],
      ['role', role],
      ['event', event],
    ]),
  );
}
