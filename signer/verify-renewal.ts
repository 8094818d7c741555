/**
 * Whether a new timestamp over the same snapshot may be shown: decided by the device's own code, against the one that devices see.
 *
 * - The one that is shown is accounted for by the signer's memory (R6), or nothing is renewed.
 * - The root is the one that was verified when the snapshot was published, and has not expired.
 */
import { accept, markVerified, reject, type Verdict, type Verified } from '../formats/verdict.ts';
import { verifyBoundTimestamp, type BoundTrust } from '../bootloader-verifier/boot/verify-bound.ts';
import { verifyRootFresh } from '../bootloader-verifier/boot/verify-root.ts';
import { verifyRememberedTimestamp, type TimestampCode } from '../bootloader-verifier/boot/verify-timestamp.ts';
import type { BindingCode } from '../formats/binding.ts';
import type { StoredObject } from './object-store.ts';
import type { Renewal } from './publication.ts';
import { isAhead } from './read-published.ts';
import { timestampObject } from './repository-layout.ts';
import type { SignerState, Standing } from './signer-state.ts';

/** A new timestamp, what devices see, and what the signer remembers. */
export type RenewalDraft = {
  readonly made: Uint8Array;
  readonly shown: StoredObject;
  readonly state: SignerState;
  readonly standing: Standing;
};
export type RenewalCode = TimestampCode | BindingCode | 'SIGNER_STATE_STALE';

/** Decides about `draft` for devices that trust `trust.root`. */
export function verifyRenewal(draft: RenewalDraft, trust: BoundTrust): Verdict<Verified<Renewal>, RenewalCode> {
  const { made, shown, state, standing } = draft;
  const fresh = verifyRootFresh(trust.root, trust.now);
  if (!fresh.ok) return fresh;
  const before = verifyRememberedTimestamp(trust, shown.bytes);
  if (!before.ok) return before;
  if (isAhead(before.value.signed, state)) {
    return reject(
      'SIGNER_STATE_STALE',
      `the repository is newer than timestamp ${state.timestampVersion} of the state`,
    );
  }
  const renewed = verifyBoundTimestamp(trust, made, { timestamp: before.value, snapshot: NOTHING_SEEN });
  if (!renewed.ok) return renewed;
  const { version, expires } = renewed.value.signed;
  return accept(
    markVerified({
      state: { ...state, timestampVersion: version, standing: { ...standing, timestampExpires: expires } },
      formerState: state,
      timestamp: { name: timestampObject(state.product), bytes: made, condition: { replaces: shown.etag } },
    }),
  );
}

/** A timestamp is held against no snapshot. */
const NOTHING_SEEN = {
  signatures: [],
  signedBytes: new Uint8Array(),
  signed: { type: 'snapshot' as const, version: 1, expires: 0, firmament: undefined, meta: new Map<string, never>() },
};
