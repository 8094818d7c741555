/**
 * Who may judge releases, and by which policy: what the targets role says of verification summaries.
 *
 * - Where it stands, devices demand a summary by one of these verifiers for every image; where it does not, they take none.
 * - A verifier is a key *and* an identity: the summary must name this very `id`.
 * - One policy is in force; what was judged by a former one counts as long as people list its digest.
 * - Specified in `docs/formats/vsa.md`.
 */
import { hexText, list, object, optional, refine, text, type Decoder } from './decode.ts';
import type { JsonValue } from './json.ts';
import type { PublicKey } from './signature-check.ts';
import { keyToJson, publicKeyDecoder } from './tuf-key.ts';
import { accept } from './verdict.ts';

export type Verifier = { readonly id: string; readonly key: PublicKey };
export type PolicyInForce = {
  /** SHA-256 of the policy text by which releases are judged. */
  readonly sha256: string;
  /** SHA-256 of former ones whose summaries still count. */
  readonly stillAccepted: readonly string[];
};
export type Judging = { readonly verifiers: readonly Verifier[]; readonly policy: PolicyInForce };

export const VERIFIERS_MAX = 8;
export const STILL_ACCEPTED_MAX = 16;

/** The member `verifiers`. */
export const verifiersDecoder: Decoder<readonly Verifier[]> = list(
  object('refused', { id: text(512), key: publicKeyDecoder }),
  VERIFIERS_MAX,
  1,
);

/** The member `policy`. */
export const policyInForceDecoder: Decoder<PolicyInForce> = refine(
  object('refused', { sha256: hexText(32), stillAccepted: optional(list(hexText(32), STILL_ACCEPTED_MAX, 1)) }),
  ({ sha256, stillAccepted }) => accept({ sha256, stillAccepted: stillAccepted ?? [] }),
);

/** Both members, as the targets role carries them. */
export function judgingToJson({ verifiers, policy }: Judging): readonly (readonly [string, JsonValue])[] {
  const inForce = new Map<string, JsonValue>([['sha256', policy.sha256]]);
  if (policy.stillAccepted.length > 0) inForce.set('stillAccepted', policy.stillAccepted);
  const listed = verifiers.map(
    ({ id, key }) =>
      new Map<string, JsonValue>([
        ['id', id],
        ['key', keyToJson(key)],
      ]),
  );
  return [
    ['verifiers', listed],
    ['policy', inForce],
  ];
}

/** Every policy whose summaries count. */
export function acceptedPolicies({ policy }: Judging): readonly string[] {
  return [policy.sha256, ...policy.stillAccepted];
}
