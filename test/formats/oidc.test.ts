/** What OpenID Connect issuers publish and sign: what is read of it, and what is refused. */
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { parseIssuerConfiguration, parseIssuerKeys, parseTokenClaims } from '../../formats/oidc.ts';
import { accepted } from '../accepted.ts';
import { changedClaims, SAMPLE_CLAIMS, SAMPLE_CONFIGURATION, SAMPLE_KEYS } from './sample-proposal.ts';

const json = (value: unknown): Uint8Array => encodeUtf8(JSON.stringify(value));

test('of the keys of an issuer the public ones for signatures are read, and no symmetric one', () => {
  expect(accepted(parseIssuerKeys(SAMPLE_KEYS)).map(({ kid, jwk }) => [kid, jwk['kty']])).toEqual([
    ['key-1', 'RSA'],
    ['key-2', 'EC'],
  ]);
});

test('of a private key only its public part is read', () => {
  const jwk = { kty: 'OKP', crv: 'Ed25519', kid: 'k', x: 'AAAA', d: 'BBBB' };
  expect(parseIssuerKeys(json({ keys: [jwk] }))).toEqual({
    ok: true,
    value: [{ kid: 'k', alg: undefined, jwk: { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' } }],
  });
});

test('a key for encryption, or one without a name, is passed over', () => {
  const jwk = { kty: 'RSA', n: 'AAAA', e: 'AQAB' };
  expect(parseIssuerKeys(json({ keys: [{ ...jwk, kid: 'k', use: 'enc' }, jwk] }))).toEqual({ ok: true, value: [] });
});

test.each([
  ['no list', {}],
  ['65 keys', { keys: Array.from({ length: 65 }, () => ({ kty: 'oct' })) }],
  ['a key without its parts', { keys: [{ kty: 'RSA', kid: 'k', n: 'AAAA' }] }],
  ['a part that is no base64url', { keys: [{ kty: 'RSA', kid: 'k', n: 'A+/=', e: 'AQAB' }] }],
])('a key set with %s is refused', (_, set) => {
  expect(parseIssuerKeys(json(set))).toMatchObject({ code: 'ISSUER_MALFORMED' });
});

test('a key set of 64 keys is read', () => {
  expect(parseIssuerKeys(json({ keys: Array.from({ length: 64 }, () => ({ kty: 'oct' })) }))).toMatchObject({
    ok: true,
  });
});

test('a configuration says who the issuer is and where its keys stand, and must say both as addresses', () => {
  expect(accepted(parseIssuerConfiguration(SAMPLE_CONFIGURATION)).keysUrl).toMatch(/jwks$/);
  for (const changed of [{ issuer: 'https://a' }, { issuer: 'https://a', jwks_uri: 'file:///etc/passwd' }])
    expect(parseIssuerConfiguration(json(changed))).toMatchObject({ code: 'ISSUER_MALFORMED' });
});

test('claims are who, for whom, until when, and of the rest those that are kept', () => {
  const claims = accepted(parseTokenClaims(SAMPLE_CLAIMS));
  expect(claims).toMatchObject({ audiences: ['https://updates.example'], expiresAt: 1_795_348_800_000, id: '5d1f2a' });
  expect([...claims.proposer.claims.keys()].sort()).toEqual([
    ...['actor', 'actor_id', 'event_name', 'ref', 'repository', 'run_id'],
  ]);
});

test.each([
  ['no expiry', { exp: undefined }],
  ['an expiry as text', { exp: '1795348800' }],
  ['an expiry beyond every date', { exp: 253_402_300_800 }],
  ['a beginning after its end', { nbf: 1_795_348_801 }],
  ['no subject', { sub: undefined }],
  ['a subject of two lines', { sub: 'a\nb' }],
  ['an audience that is an object', { aud: {} }],
  ['no audience in its list', { aud: [] }],
  ['nine audiences', { aud: Array.from({ length: 9 }, () => 'a') }],
  ['an actor that is no text', { actor: 7 }],
])('a token with %s is refused', (_, changed) => {
  expect(parseTokenClaims(changedClaims(changed))).toMatchObject({ code: 'TOKEN_MALFORMED' });
});
