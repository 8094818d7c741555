/**
 * The port to an engine of policies: one request, one policy text, one decision.
 *
 * - Default deny, and one forbid outweighs every permit.
 * - Every policy has an id and a reason, a sentence that people are shown; a text that lacks one is refused.
 * - A policy on which the engine stumbles makes the whole request undecided: an engine that only leaves it out would drop a forbid.
 * - An engine is never on a device: devices check the outcome that was signed.
 */
import type { Verdict } from '../formats/verdict.ts';

/** A value as policies see it. Numbers are integers within 2^53-1. */
export type PolicyValue = string | number | boolean | PolicyValue[] | { [name: string]: PolicyValue };
export type PolicyAttributes = { [name: string]: PolicyValue };

/** Who built (`principal`), what is to be released (`resource`), and everything else that is known (`context`). */
export type PolicyRequest = {
  readonly principal: { readonly id: string; readonly attributes: PolicyAttributes };
  readonly resource: { readonly id: string; readonly attributes: PolicyAttributes };
  readonly context: PolicyAttributes;
};

/** What a policy says of itself. */
export type PolicyNote = {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  readonly reason: string;
  /** The level that an image reaches by this permit, as a VSA names it. */
  readonly level: string | undefined;
};

export type PolicyDecision = {
  readonly allowed: boolean;
  /** The policies that decided: the forbids that applied, else the permits that did, else none. */
  readonly decided: readonly PolicyNote[];
  /** Every permit of the text: what would have to apply where none did. */
  readonly permits: readonly PolicyNote[];
};

export type PolicyCode = 'POLICY_MALFORMED' | 'POLICY_UNDECIDED';

/** Decides `request` by the policies in `text`. Never throws because of what stands in either. */
export type PolicyEngine = (text: string, request: PolicyRequest) => Verdict<PolicyDecision, PolicyCode>;
