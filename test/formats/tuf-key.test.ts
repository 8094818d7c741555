/** Keys: opaque ids, one fingerprint for one key, and unknown types that are carried along. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../formats/bytes.ts';
import { decodeJson } from '../../formats/decode.ts';
import { encodeJson } from '../../formats/encode-json.ts';
import { keyFingerprint, keyIdOf, keysDecoder, keyToJson, publicKeyDecoder } from '../../formats/tuf-key.ts';
import { seededSigner } from '../seeded-signer.ts';

const KEY = seededSigner('key').key;

function keyText(change: object = {}, keyval: object = { public: KEY.public }): string {
  return JSON.stringify({ keytype: 'ed25519', scheme: 'ed25519', keyval, ...change });
}

function decodeKeys(text: string): ReturnType<typeof keysDecoder> {
  const verdict = decodeJson(encodeUtf8(text), 10_000, keysDecoder);
  return verdict as ReturnType<typeof keysDecoder>;
}

test('a key id of ours is the SHA-256 of the canonical JSON of the key', () => {
  const text = `{"keytype":"ed25519","keyval":{"public":"${KEY.public}"},"scheme":"ed25519"}`;
  expect(keyIdOf(KEY)).toBe(createHash('sha256').update(text).digest('hex'));
});

test('a key id is any name its author likes: it is neither computed again nor looked into', () => {
  for (const keyid of ['a', 'Ä', '__proto__', '../x', 'x'.repeat(256)]) {
    expect(decodeKeys(`{${JSON.stringify(keyid)}:${keyText()}}`)).toEqual({ ok: true, value: new Map([[keyid, KEY]]) });
  }
});

test('two keys under one id are refused', () => {
  expect(decodeKeys(`{"a":${keyText()},"a":${keyText()}}`)).toMatchObject({ ok: false, code: 'JSON_DUPLICATE_NAME' });
});

test('further members of a key are ignored in metadata and refused in parts of ours', () => {
  const more = [keyText({ keyid_hash_algorithms: ['sha256'] }), keyText({}, { public: KEY.public, private: '' })];
  for (const text of more) {
    expect(decodeKeys(`{"a":${text}}`)).toEqual({ ok: true, value: new Map([['a', KEY]]) });
    expect(decodeJson(encodeUtf8(text), 10_000, publicKeyDecoder)).toMatchObject({
      ok: false,
      code: 'SHAPE_MALFORMED',
    });
  }
  expect(decodeJson(encodeUtf8(keyText()), 10_000, publicKeyDecoder)).toEqual({ ok: true, value: KEY });
});

test('a key without a public part is written as it was read', () => {
  const bare = decodeKeys(`{"a":${keyText({ keytype: 'x' }, {})}}`);
  const [key] = bare.ok ? bare.value.values() : [];
  expect(key).toEqual({ keytype: 'x', scheme: 'ed25519', public: '' });
  expect(decodeKeys(new TextDecoder().decode(encodeJson(new Map([['a', keyToJson(key ?? KEY)]]))))).toEqual(bare);
});

test('a key of an unknown type is carried as it is written', () => {
  const other = { keytype: 'ml-dsa-65', scheme: 'ml-dsa-65', public: 'AAECAw==' };
  const text = keyText({ keytype: other.keytype, scheme: other.scheme }, { public: other.public });
  expect(decodeKeys(`{"a":${text}}`)).toEqual({ ok: true, value: new Map([['a', other]]) });
});

test('what is written of a key is read as the same key', () => {
  expect(publicKeyDecoder(keyToJson(KEY))).toEqual({ ok: true, value: KEY });
});

test('one key has one fingerprint under every type, scheme, spelling of its hex and breaking of its PEM', () => {
  const pem = '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\nAAAA\n-----END PUBLIC KEY-----\n';
  expect(keyFingerprint({ ...KEY, public: KEY.public.toUpperCase() })).toBe(keyFingerprint(KEY));
  expect(keyFingerprint({ ...KEY, keytype: 'ecdsa', scheme: 'x' })).toBe(keyFingerprint(KEY));
  expect(keyFingerprint({ ...KEY, public: pem.replace('\nAAAA', 'AAAA\r\n') })).toBe(
    keyFingerprint({ ...KEY, public: pem }),
  );
});

test('different keys have different fingerprints, base64 that differs in capitals alone among them', () => {
  const texts = [
    KEY.public,
    seededSigner('other').key.public,
    'QUJD+/==',
    'qujd+/==',
    '-----BEGIN X-----A',
    '-----BEGIN X-----B',
  ];
  expect(new Set(texts.map((text) => keyFingerprint({ ...KEY, public: text }))).size).toBe(texts.length);
});
