/** Tokens: every published way to pass a false one for true, each refused with its own code. */
import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TOKEN_LENGTH_MAX } from '../../formats/oidc.ts';
import type { Verdict } from '../../formats/verdict.ts';
import { issuerKeysHttp, KEYS_FRESH_MS, KEYS_STALE_MS, LOOK_AGAIN_MS } from '../../ota-server/issuer-keys-http.ts';
import type { IssuerKeys } from '../../ota-server/issuer-keys.ts';
import { CLOCK_LEEWAY_MS, TOKEN_LIFE_MS_MAX, verifyToken } from '../../ota-server/verify-token.ts';
import { startOidcIssuer, type OidcIssuer } from '../../pilot/oidc-issuer.ts';
import { countingIssuer, failingIssuer } from './odd-issuer.ts';
import { AUDIENCE, JOB } from './running-control.ts';

let issuer: OidcIssuer;
let keys: IssuerKeys;
beforeAll(async () => {
  issuer = await startOidcIssuer();
  keys = issuerKeysHttp();
});
afterAll(() => issuer.close());

const claims = (changed: object = {}) => ({ ...issuer.claimsOf(JOB, AUDIENCE), ...changed });
const verify = (token: string, now = Date.now(), by = keys): Promise<Verdict<object>> =>
  verifyToken(token, { audience: AUDIENCE, issuers: new Set([issuer.url]), keys: by }, now);
const base64 = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
/** A token made by hand: head and claims as they are, and whatever signature. */
const byHand = (head: object, signature: string | ((input: string) => string), of: object = claims()): string => {
  const input = `${base64(head)}.${base64(of)}`;
  return `${input}.${typeof signature === 'string' ? signature : signature(input)}`;
};
const seconds = (ms: number): number => Math.floor(ms / 1000);

test('a token of the issuer, for this audience, within its time, says who calls', async () => {
  expect(await verify(await issuer.sign(claims()))).toMatchObject({
    ok: true,
    value: { proposer: { issuer: issuer.url, subject: 'repo:acme/gateway:ref:refs/heads/main' } },
  });
});

test('a token for another audience is refused, and so is one for several', async () => {
  for (const aud of ['https://other.example', [AUDIENCE, 'https://other.example'], `${AUDIENCE}/`])
    expect(await verify(await issuer.sign(claims({ aud })))).toMatchObject({ code: 'TOKEN_AUDIENCE_MISMATCH' });
  expect(await verify(await issuer.sign(claims({ aud: [AUDIENCE] })))).toMatchObject({ ok: true });
});

test('a token of an issuer that nobody named is refused, and that issuer is never asked', async () => {
  const other = await startOidcIssuer();
  const asked: string[] = [];
  const spied: IssuerKeys = { find: (name, kid, now) => (asked.push(name), keys.find(name, kid, now)) };
  const token = await other.sign({ ...claims(), iss: other.url });
  expect(await verify(token, Date.now(), spied)).toMatchObject({ code: 'TOKEN_ISSUER_UNKNOWN' });
  expect(asked).toEqual([]);
  await other.close();
});

test("a token of another issuer's key that claims to be of ours is refused", async () => {
  const other = await startOidcIssuer();
  expect(await verify(await other.sign(claims()))).toMatchObject({ code: 'TOKEN_SIGNATURE_INVALID' });
  await other.close();
});

test('a token has expired at the end of its time and of the leeway, and not a moment before', async () => {
  const now = Date.now();
  const exp = seconds(now) - 600;
  const token = await issuer.sign(claims({ exp, nbf: exp - 60, iat: exp - 60 }));
  expect(await verify(token, exp * 1000 + CLOCK_LEEWAY_MS - 1)).toMatchObject({ ok: true });
  expect(await verify(token, exp * 1000 + CLOCK_LEEWAY_MS)).toMatchObject({ code: 'TOKEN_EXPIRED' });
});

test('a token that outlives a day is refused however young it is', async () => {
  const now = seconds(Date.now()) * 1000;
  const at = async (lifeMs: number) => verify(await issuer.sign(claims({ exp: seconds(now + lifeMs) })), now);
  expect(await at(TOKEN_LIFE_MS_MAX + CLOCK_LEEWAY_MS)).toMatchObject({ ok: true });
  expect(await at(TOKEN_LIFE_MS_MAX + CLOCK_LEEWAY_MS + 1000)).toMatchObject({ code: 'TOKEN_EXPIRED' });
});

test.each(['nbf', 'iat'])('a token whose %s lies ahead is not valid yet', async (claim) => {
  const now = seconds(Date.now()) * 1000;
  const token = await issuer.sign(claims({ [claim]: seconds(now + CLOCK_LEEWAY_MS) + 1, exp: seconds(now) + 300 }));
  expect(await verify(token, now)).toMatchObject({ code: 'TOKEN_NOT_YET_VALID' });
  expect(await verify(token, now + 1000)).toMatchObject({ ok: true });
});

test('a token without expiry, or whose expiry is no whole number, is refused', async () => {
  const now = Date.now();
  for (const exp of [undefined, '9999999999', now / 1000 + 60.5, -1, 1e300])
    expect(await verify(await issuer.sign({ ...claims(), exp }), now)).toMatchObject({ code: 'TOKEN_MALFORMED' });
});

test.each(['none', 'None', 'NONE', ''])('a token with algorithm %j is refused', async (alg) => {
  const token = byHand({ alg, typ: 'JWT', kid: 'key-1' }, '');
  expect(await verify(token)).toMatchObject({ code: 'TOKEN_ALGORITHM_REFUSED' });
});

test("a MAC keyed with the issuer's public key is refused, in whatever form the key is taken", async () => {
  const [jwk] = issuer.keys();
  const key = await importJWK(jwk as JWK, 'RS256');
  if (key instanceof Uint8Array) throw new Error('a public key');
  for (const secret of [await exportSPKI(key), JSON.stringify(jwk), jwk?.n ?? '']) {
    const mac = (input: string): string => createHmac('sha256', secret).update(input).digest('base64url');
    expect(await verify(byHand({ alg: 'HS256', kid: 'key-1' }, mac))).toMatchObject({
      code: 'TOKEN_ALGORITHM_REFUSED',
    });
  }
});

test('a token signed in another accepted way than its key is for is refused', async () => {
  const { privateKey } = await generateKeyPair('ES256');
  const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'ES256', kid: 'key-1' }).sign(privateKey);
  expect(await verify(token)).toMatchObject({ code: 'TOKEN_ALGORITHM_REFUSED' });
});

test('a key in the head of a token, or an address of keys, is not looked at', async () => {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const jwk = await exportJWK(publicKey);
  for (const more of [{ jwk }, { jku: 'http://127.0.0.1:9/keys' }, { x5u: 'http://127.0.0.1:9/chain' }]) {
    const head = { alg: 'RS256', kid: 'key-1', ...more };
    const token = await new SignJWT(claims()).setProtectedHeader(head).sign(privateKey);
    expect(await verify(token)).toMatchObject({ code: 'TOKEN_SIGNATURE_INVALID' });
  }
});

test.each([
  ['names no key', { alg: 'RS256' }],
  ['demands what is not known', { alg: 'RS256', kid: 'key-1', crit: ['b64'], b64: false }],
  ['is of another kind', { alg: 'RS256', kid: 'key-1', typ: 'at+jwt' }],
])('a token whose head %s is refused', async (_, head) => {
  expect(await verify(byHand(head, 'AAAA'))).toMatchObject({ code: 'TOKEN_MALFORMED' });
});

test('claims that were changed after signing, and claims that say one thing twice, are refused', async () => {
  const token = await issuer.sign(claims());
  const [head, , signature] = token.split('.');
  const changed = `${head}.${base64(claims({ sub: 'repo:acme/gateway:ref:refs/heads/evil' }))}.${signature}`;
  expect(await verify(changed)).toMatchObject({ code: 'TOKEN_SIGNATURE_INVALID' });
  const twice = JSON.stringify(claims()).replace('"sub":', '"sub":"repo:acme/other:ref:refs/heads/main","sub":');
  expect(await verify(`${head}.${base64(twice)}.${signature}`)).toMatchObject({ code: 'TOKEN_MALFORMED' });
});

test('a token of the longest length is looked at, one character more is not', async () => {
  const signature = (length: number): string => {
    const short = byHand({ alg: 'RS256', kid: 'key-1' }, '');
    return short + 'A'.repeat(length - short.length);
  };
  expect(await verify(signature(TOKEN_LENGTH_MAX))).toMatchObject({ code: 'TOKEN_SIGNATURE_INVALID' });
  expect(await verify(signature(TOKEN_LENGTH_MAX + 1))).toMatchObject({ code: 'TOKEN_MALFORMED' });
});

test.each(['', '..', 'a.b', 'a.b.c.d', `${base64({})}.${base64({})}.`, 'é.é.é', `${base64('x')}.${base64('{}')}.AA`])(
  'what is no token is refused: %j',
  async (token) => {
    const verdict = await verify(token);
    expect(['TOKEN_MALFORMED', 'TOKEN_ALGORITHM_REFUSED']).toContain(verdict.ok ? 'accepted' : verdict.code);
  },
);

test('no refusal repeats any of the token', async () => {
  const secret = randomUUID();
  const token = await issuer.sign(claims({ sub: secret, aud: secret }));
  for (const bad of [token, `${token}x`, byHand({ alg: secret, kid: secret }, secret, { iss: secret })])
    expect(JSON.stringify(await verify(bad))).not.toContain(secret);
});

test('an unknown key id makes us ask the issuer once in a while, not once a token', async () => {
  const now = Date.now();
  const counted = await countingIssuer();
  const token = byHand({ alg: 'RS256', kid: 'nobody' }, 'AAAA', { ...claims(), iss: counted.url });
  const by = issuerKeysHttp();
  const ask = (at: number): Promise<Verdict<object>> =>
    verifyToken(token, { audience: AUDIENCE, issuers: new Set([counted.url]), keys: by }, at);
  for (let i = 0; i < 5; i++) expect(await ask(now + i)).toMatchObject({ code: 'TOKEN_KEY_UNKNOWN' });
  expect(counted.looks()).toBe(1);
  await ask(now + LOOK_AGAIN_MS);
  expect(counted.looks()).toBe(2);
  await counted.close();
});

test('a key that the issuer has replaced under the same id is believed only after it was fetched anew', async () => {
  const swapped = await startOidcIssuer();
  const by = issuerKeysHttp();
  const now = Date.now();
  const at = async (token: string, when: number): Promise<Verdict<object>> =>
    verifyToken(token, { audience: AUDIENCE, issuers: new Set([swapped.url]), keys: by }, when);
  const sign = (): Promise<string> => swapped.sign({ ...swapped.claimsOf(JOB, AUDIENCE), exp: seconds(now) + 7_200 });
  expect(await at(await sign(), now)).toMatchObject({ ok: true });
  await swapped.replaceKey('key-1');
  const token = await sign();
  expect(await at(token, now + 1)).toMatchObject({ code: 'TOKEN_SIGNATURE_INVALID' });
  expect(await at(token, now + KEYS_FRESH_MS)).toMatchObject({ ok: true });
  await swapped.replaceKey('key-2');
  expect(await at(await sign(), now + KEYS_FRESH_MS + LOOK_AGAIN_MS)).toMatchObject({ ok: true });
  await swapped.close();
  expect(await at(await sign(), now + 2 * KEYS_FRESH_MS + LOOK_AGAIN_MS)).toMatchObject({ ok: true });
  await expect(at(await sign(), now + KEYS_FRESH_MS + LOOK_AGAIN_MS + KEYS_STALE_MS)).rejects.toMatchObject({
    code: 'NETWORK_UNREACHABLE',
  });
});

test('an RSA key that is too short, and a key id that two keys share, verify nothing', async () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const jwk = short.publicKey.export({ format: 'jwk' });
  const found = { kid: 'key-1', alg: undefined, jwk: { kty: 'RSA', n: String(jwk.n), e: String(jwk.e) } };
  const weak: IssuerKeys = { find: async () => ({ ok: true, value: found }) };
  expect(await verify(byHand({ alg: 'RS256', kid: 'key-1' }, 'AAAA'), Date.now(), weak)).toMatchObject({
    code: 'TOKEN_ALGORITHM_REFUSED',
  });
  const twice = await countingIssuer([issuer.keys()[0], issuer.keys()[0]]);
  expect(await issuerKeysHttp().find(twice.url, 'key-1', Date.now())).toMatchObject({ code: 'TOKEN_KEY_UNKNOWN' });
  await twice.close();
});

test.each([
  ['names another issuer', { issuer: 'http://127.0.0.1:1' }],
  ['is none', { issuer: 7 }],
])('an issuer whose configuration %s is not believed', async (_, changed) => {
  const liar = await countingIssuer([], changed);
  expect(await issuerKeysHttp().find(liar.url, 'key-1', Date.now())).toMatchObject({ code: 'ISSUER_MALFORMED' });
  await liar.close();
});

test('an issuer that redirects, fails or never ends its answer is a fault, not an absence of keys', async () => {
  for (const [answer, code] of [
    [{ status: 302, headers: { location: issuer.url } }, 'NETWORK_UNREACHABLE'],
    [{ status: 500 }, 'RESPONSE_UNEXPECTED'],
    [{ status: 200, body: 'x'.repeat(65_537) }, 'RESPONSE_TOO_LARGE'],
  ] as const) {
    const failing = await failingIssuer(answer);
    await expect(issuerKeysHttp().find(failing.url, 'key-1', Date.now())).rejects.toMatchObject({ code });
    await failing.close();
  }
});
