/**
 * Decides whether a token of an OpenID Connect issuer says who is calling.
 *
 * - The algorithm is one of a list of signatures by key pairs: never `none`, never a MAC.
 * - The key is the one that the issuer publishes under the token's key id: nothing in the token's head says where keys lie.
 * - Claims are read from the very bytes that the signature covers. What is read before is used to find the key, and for nothing else.
 * - The token was made for this audience alone, is valid now, and does not live longer than a day.
 * - A token is a secret: no refusal, log or answer repeats any of it.
 * - Sources: RFC 7515 (JWS), RFC 7519 (JWT), RFC 8725 (best current practice), OpenID Connect Core 1.0, section 3.1.3.7.
 */
import { base64url, compactVerify, decodeProtectedHeader, errors, importJWK } from 'jose';
import type { Instant } from '../formats/instant.ts';
import { parseTokenClaims, TOKEN_LENGTH_MAX, type IssuerKey, type TokenClaims } from '../formats/oidc.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../formats/verdict.ts';
import type { IssuerKeys } from './issuer-keys.ts';

export type TokenCode =
  | 'TOKEN_MALFORMED'
  | 'TOKEN_ISSUER_UNKNOWN'
  | 'TOKEN_ALGORITHM_REFUSED'
  | 'TOKEN_KEY_UNKNOWN'
  | 'TOKEN_SIGNATURE_INVALID'
  | 'TOKEN_AUDIENCE_MISMATCH'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_NOT_YET_VALID'
  | 'ISSUER_MALFORMED';

export type TokenRules = {
  readonly audience: string;
  readonly issuers: ReadonlySet<string>;
  readonly keys: IssuerKeys;
};

/** How far the clocks of issuer and server may be apart. */
export const CLOCK_LEEWAY_MS = 30_000;
/** The longest life that a token may have left. */
export const TOKEN_LIFE_MS_MAX = 86_400_000;
const ALGORITHMS: readonly string[] = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'];
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

type Head = { readonly alg: string; readonly kid: string };

/**
 * Verifies `token`, a JWS in compact form.
 * @returns its claims, now trusted, or why not. Throws `OperationError` where the issuer cannot be asked.
 */
export async function verifyToken(
  token: string,
  { audience, issuers, keys }: TokenRules,
  now: Instant,
): Promise<Verdict<Verified<TokenClaims>, TokenCode>> {
  const head = readHead(token);
  if (!head.ok) return head;
  const claimed = parseTokenClaims(base64url.decode(token.split('.')[1] ?? ''));
  if (!claimed.ok) return claimed;
  const { issuer } = claimed.value.proposer;
  if (!issuers.has(issuer)) return reject('TOKEN_ISSUER_UNKNOWN', 'its issuer is none of those that are named');
  const key = await keys.find(issuer, head.value.kid, now);
  if (!key.ok) return key;
  const payload = await verifySignature(token, head.value, key.value);
  if (!payload.ok) return payload;
  const claims = parseTokenClaims(payload.value);
  if (!claims.ok) return claims;
  const timely = judgeClaims(claims.value, audience, now);
  return timely.ok ? accept(markVerified(claims.value)) : timely;
}

/** The two members of the head that are read; anything that demands more of the reader is refused. */
function readHead(token: string): Verdict<Head, 'TOKEN_MALFORMED' | 'TOKEN_ALGORITHM_REFUSED'> {
  if (token.length > TOKEN_LENGTH_MAX || !COMPACT.test(token)) return reject('TOKEN_MALFORMED', 'it is no compact JWS');
  const header = orMalformed(() => decodeProtectedHeader(token));
  if (header === undefined) return reject('TOKEN_MALFORMED', 'its head is not JSON');
  const { alg, kid, crit, typ } = header;
  if (alg === undefined || !ALGORITHMS.includes(alg)) {
    return reject('TOKEN_ALGORITHM_REFUSED', `accepted are ${ALGORITHMS.join(', ')}`);
  }
  if (crit !== undefined || (typ !== undefined && typ.toUpperCase() !== 'JWT')) {
    return reject('TOKEN_MALFORMED', 'its head makes it something else than a plain JWT');
  }
  return typeof kid === 'string' ? accept({ alg, kid }) : reject('TOKEN_MALFORMED', 'its head names no key');
}

function orMalformed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (fault) {
    if (fault instanceof TypeError || fault instanceof errors.JOSEError) return undefined;
    throw fault;
  }
}

/** The payload of `token` if `key` signed it. */
async function verifySignature(
  token: string,
  { alg }: Head,
  key: IssuerKey,
): Promise<Verdict<Uint8Array, 'TOKEN_ALGORITHM_REFUSED' | 'TOKEN_SIGNATURE_INVALID'>> {
  if (key.alg !== undefined && key.alg !== alg) return reject('TOKEN_ALGORITHM_REFUSED', `its key is for ${key.alg}`);
  try {
    const { payload } = await compactVerify(token, await importJWK(key.jwk, alg), { algorithms: [alg] });
    return accept(payload);
  } catch (fault) {
    if (fault instanceof errors.JWSSignatureVerificationFailed) {
      return reject('TOKEN_SIGNATURE_INVALID', "the issuer's key did not sign it");
    }
    // A key of another type, a curve that does not fit, an RSA key that is too short: jose and the engine each say so in their way.
    if (fault instanceof TypeError || fault instanceof errors.JOSEError || fault instanceof DOMException) {
      return reject('TOKEN_ALGORITHM_REFUSED', `its key does not fit ${alg}`);
    }
    throw fault;
  }
}

function judgeClaims(
  { audiences, expiresAt, notBefore, issuedAt }: TokenClaims,
  audience: string,
  now: Instant,
): Verdict<void, 'TOKEN_AUDIENCE_MISMATCH' | 'TOKEN_EXPIRED' | 'TOKEN_NOT_YET_VALID'> {
  // A token for several is a token that several hold, and each of them could use it here.
  if (audiences.length !== 1 || audiences[0] !== audience) {
    return reject('TOKEN_AUDIENCE_MISMATCH', `expected is ${audience} alone`);
  }
  if (expiresAt + CLOCK_LEEWAY_MS <= now) return reject('TOKEN_EXPIRED', 'its time is over');
  if (expiresAt - CLOCK_LEEWAY_MS > now + TOKEN_LIFE_MS_MAX) return reject('TOKEN_EXPIRED', 'it lives too long');
  const startsAt = Math.max(notBefore ?? 0, issuedAt ?? 0);
  if (startsAt > now + CLOCK_LEEWAY_MS) return reject('TOKEN_NOT_YET_VALID', 'its time has not come');
  return accept(undefined);
}
