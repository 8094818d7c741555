/**
 * Port: the public keys of OpenID Connect issuers.
 *
 * - Only issuers that the operator named are ever asked.
 * - Whoever sends tokens with key ids that do not exist cannot make us ask an issuer more often than once in a while.
 * - Faults of the world are thrown `OperationError`s; an issuer that publishes nonsense is a verdict.
 */
import type { Instant } from '../formats/instant.ts';
import type { IssuerKey } from '../formats/oidc.ts';
import type { Verdict } from '../formats/verdict.ts';

export type IssuerKeys = {
  /** The one key of `issuer` that is called `kid`, or the refusal. */
  readonly find: (
    issuer: string,
    kid: string,
    now: Instant,
  ) => Promise<Verdict<IssuerKey, 'TOKEN_KEY_UNKNOWN' | 'ISSUER_MALFORMED'>>;
};
