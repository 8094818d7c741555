/**
 * What an OpenID Connect issuer says: its configuration, its keys, and the claims of a token.
 *
 * - Claims are parsed after the signature over them was verified, and from those very bytes.
 * - Of keys only public ones for signatures are read; a symmetric or private one in the set is passed over, never used.
 * - Unknown members are ignored, as the specifications demand; times are whole seconds.
 * - Sources: OpenID Connect Discovery 1.0, sections 3 and 4; RFC 7517 (JWK); RFC 7519 (JWT), section 4.1.
 */
import { decodeJson, integer, list, object, optional, refine, shape, text, type Decoder } from './decode.ts';
import type { Instant } from './instant.ts';
import type { JsonValue } from './json.ts';
import { claimDecoder, KEPT_CLAIMS, type Proposer } from './stored-proposal.ts';
import { accept, reject, type Verdict } from './verdict.ts';

/** Where an issuer says its keys stand. */
export type IssuerConfiguration = { readonly issuer: string; readonly keysUrl: string };

/** A public key: `kty` RSA with n and e, or EC and OKP with crv, x and y. */
export type IssuerKey = {
  readonly kid: string;
  readonly alg: string | undefined;
  /** The members that make the key, as they were written. */
  readonly jwk: Readonly<Record<string, string>>;
};

export type TokenClaims = {
  readonly proposer: Proposer;
  readonly audiences: readonly string[];
  readonly expiresAt: Instant;
  readonly notBefore: Instant | undefined;
  readonly issuedAt: Instant | undefined;
  /** Names this token among those of its issuer. */
  readonly id: string | undefined;
};

export const CONFIGURATION_BYTES_MAX = 65_536;
export const KEY_SET_BYTES_MAX = 262_144;
/** Longest token that is looked at, in characters. */
export const TOKEN_LENGTH_MAX = 8_192;
const KEYS_MAX = 64;
const AUDIENCES_MAX = 8;
/** Far beyond every token's life, and within what a date can hold. */
const SECONDS_MAX = 253_402_300_799;

const httpsUrl = text(512, /https?:\/\/[\x21-\x7e]+/);
const coordinate = text(2_048, /[A-Za-z0-9_-]+/);
const kidDecoder = text(256, /[\x21-\x7e]+/);

const configurationDecoder: Decoder<IssuerConfiguration> = refine(
  object('ignored', { issuer: httpsUrl, jwks_uri: httpsUrl }),
  ({ issuer, jwks_uri }) => accept({ issuer, keysUrl: jwks_uri }),
);

const rsaDecoder = object('ignored', { n: coordinate, e: coordinate });
const curveDecoder = object('ignored', { crv: text(16, /[A-Za-z0-9-]+/), x: coordinate, y: optional(coordinate) });
const keyHeadDecoder = object('ignored', {
  kty: text(16),
  kid: optional(kidDecoder),
  alg: optional(text(16)),
  use: optional(text(16)),
});

/** A key of the set; undefined for one that verifies nothing here. */
const keyDecoder: Decoder<IssuerKey | undefined> = (json: JsonValue) => {
  const head = keyHeadDecoder(json);
  if (!head.ok) return head;
  const { kty, kid, alg, use } = head.value;
  if (kid === undefined || (use !== undefined && use !== 'sig')) return accept(undefined);
  switch (kty) {
    case 'RSA': {
      const key = rsaDecoder(json);
      return key.ok ? accept({ kid, alg, jwk: { kty, ...key.value } }) : key;
    }
    case 'EC':
    case 'OKP': {
      const key = curveDecoder(json);
      if (!key.ok) return key;
      const { crv, x, y } = key.value;
      return accept({ kid, alg, jwk: y === undefined ? { kty, crv, x } : { kty, crv, x, y } });
    }
    default:
      return accept(undefined);
  }
};

const keySetDecoder: Decoder<readonly IssuerKey[]> = refine(
  object('ignored', { keys: list(keyDecoder, KEYS_MAX) }),
  ({ keys }) => accept(keys.filter((key) => key !== undefined)),
);

const seconds: Decoder<Instant> = refine(integer(0, SECONDS_MAX), (value) => accept(value * 1000));
const audienceDecoder: Decoder<readonly string[]> = (json) => {
  const one = typeof json === 'string' ? claimDecoder(json) : list(claimDecoder, AUDIENCES_MAX, 1)(json);
  return !one.ok ? one : accept(typeof one.value === 'string' ? [one.value] : one.value);
};

const keptShape = Object.fromEntries(KEPT_CLAIMS.map((name) => [name, optional(claimDecoder)]));
const claimsDecoder: Decoder<TokenClaims> = (json) => {
  const standard = object('ignored', {
    iss: claimDecoder,
    sub: claimDecoder,
    aud: audienceDecoder,
    exp: seconds,
    nbf: optional(seconds),
    iat: optional(seconds),
    jti: optional(claimDecoder),
  })(json);
  if (!standard.ok) return standard;
  const kept = object('ignored', keptShape)(json);
  if (!kept.ok) return kept;
  const { iss: issuer, sub: subject, aud: audiences, exp, nbf, iat, jti } = standard.value;
  if (nbf !== undefined && nbf > exp) return shape('.nbf: it lies after .exp');
  const claims = new Map(
    Object.entries(kept.value).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
  return accept({
    ...{ proposer: { issuer, subject, claims }, audiences, expiresAt: exp, notBefore: nbf, issuedAt: iat, id: jti },
  });
};

/** Parses a discovery document. @returns it, or `ISSUER_MALFORMED`. Never throws. */
export function parseIssuerConfiguration(bytes: Uint8Array): Verdict<IssuerConfiguration, 'ISSUER_MALFORMED'> {
  const decoded = decodeJson(bytes, CONFIGURATION_BYTES_MAX, configurationDecoder);
  return decoded.ok ? decoded : reject('ISSUER_MALFORMED', `its configuration: ${decoded.code}: ${decoded.detail}`);
}

/** Parses a JWK set. @returns its usable public keys, or `ISSUER_MALFORMED`. Never throws. */
export function parseIssuerKeys(bytes: Uint8Array): Verdict<readonly IssuerKey[], 'ISSUER_MALFORMED'> {
  const decoded = decodeJson(bytes, KEY_SET_BYTES_MAX, keySetDecoder);
  return decoded.ok ? decoded : reject('ISSUER_MALFORMED', `its keys: ${decoded.code}: ${decoded.detail}`);
}

/** Parses the claims of a token whose signature was verified. @returns them, or `TOKEN_MALFORMED`. Never throws. */
export function parseTokenClaims(payload: Uint8Array): Verdict<TokenClaims, 'TOKEN_MALFORMED'> {
  const decoded = decodeJson(payload, TOKEN_LENGTH_MAX, claimsDecoder);
  return decoded.ok ? decoded : reject('TOKEN_MALFORMED', `${decoded.code}: ${decoded.detail}`);
}
