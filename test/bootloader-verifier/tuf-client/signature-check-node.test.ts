/** Signatures by `node:crypto`: every scheme of the specification, one text for one key; Ed25519 has a contract of its own. */
import { constants, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import type { PublicKey } from '../../../formats/signature-check.ts';
import { keyFingerprint } from '../../../formats/tuf-key.ts';
import { checkSignatureDevice } from '../../../bootloader-verifier/agent/signature-check-device-node.ts';
import { checkSignatureNode } from '../../../bootloader-verifier/agent/tuf-client/signature-check-node.ts';
import { checkSignature } from '../../../signer/signature-check-node.ts';

const MESSAGE = encodeUtf8('the signed part');
const CURVES = [
  { scheme: 'ecdsa-sha2-nistp256', namedCurve: 'P-256', digest: 'sha256', size: 65 },
  { scheme: 'ecdsa-sha2-nistp384', namedCurve: 'P-384', digest: 'sha384', size: 97 },
] as const;

function pemOf(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function derOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function pem(der: Uint8Array): string {
  return `-----BEGIN PUBLIC KEY-----\n${Buffer.from(der).toString('base64')}\n-----END PUBLIC KEY-----\n`;
}

test.each(CURVES)(
  '$scheme verifies in PEM and in hex, and counts as one key in both',
  ({ scheme, namedCurve, digest, size }) => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
    const signature = sign(digest, MESSAGE, privateKey);
    const hex = derOf(publicKey).subarray(-size).toString('hex');
    const spellings: readonly PublicKey[] = ['ecdsa', scheme].flatMap((keytype) =>
      [pemOf(publicKey), pemOf(publicKey).replaceAll('\n', '\r\n'), hex].map((text) => ({
        keytype,
        scheme,
        public: text,
      })),
    );
    for (const key of spellings) {
      expect(checkSignatureNode(key, MESSAGE, signature), key.public).toBe(true);
      expect(checkSignatureNode(key, encodeUtf8('another'), signature)).toBe(false);
      expect(checkSignatureNode(key, MESSAGE, signature.subarray(0, -1))).toBe(false);
    }
    expect(new Set(spellings.map(keyFingerprint)).size).toBe(1);
  },
);

test('a key under the scheme of another curve or kind verifies nothing', () => {
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signature = sign('sha256', MESSAGE, p256.privateKey);
  const key = (keytype: string, scheme: string, of: KeyObject): PublicKey => ({ keytype, scheme, public: pemOf(of) });
  for (const wrong of [
    key('ecdsa', 'ecdsa-sha2-nistp384', p256.publicKey),
    key('ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp256', p256.publicKey),
    key('rsa', 'ecdsa-sha2-nistp256', p256.publicKey),
    key('ecdsa', 'rsassa-pss-sha256', p256.publicKey),
    key('rsa', 'rsassa-pss-sha256', p256.publicKey),
    key('rsa', 'rsa-pkcs1v15-sha256', rsa.publicKey),
    key('ecdsa', 'ecdsa-sha2-nistp256', rsa.publicKey),
    key('ed25519', 'ed25519', p256.publicKey),
  ])
    expect(checkSignatureNode(wrong, MESSAGE, signature), `${wrong.keytype} ${wrong.scheme}`).toBe(false);
});

test('RSA-PSS verifies with every length of salt, and PKCS#1 v1.5 or a small key does not', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key: PublicKey = { keytype: 'rsa', scheme: 'rsassa-pss-sha256', public: pemOf(publicKey) };
  const pss = (saltLength: number, by = privateKey): Buffer =>
    sign('sha256', MESSAGE, { key: by, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
  for (const saltLength of [0, 20, 32, constants.RSA_PSS_SALTLEN_MAX_SIGN])
    expect(checkSignatureNode(key, MESSAGE, pss(saltLength)), String(saltLength)).toBe(true);
  expect(checkSignatureNode(key, MESSAGE, sign('sha256', MESSAGE, privateKey))).toBe(false);
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const smallKey = { ...key, public: pemOf(small.publicKey) };
  expect(checkSignatureNode(smallKey, MESSAGE, pss(32, small.privateKey))).toBe(false);
});

test('a key in another text than its one verifies nothing: compressed, with bytes after it, or with words around its PEM', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signature = sign('sha256', MESSAGE, privateKey);
  const der = derOf(publicKey);
  const parity = 2 + ((der.at(-1) ?? 0) & 1);
  const head = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex');
  const compressed = Buffer.concat([head, Buffer.of(parity), der.subarray(27, 59)]);
  expect(createPublicKey({ key: compressed, format: 'der', type: 'spki' }).asymmetricKeyType).toBe('ec');
  for (const text of [
    pem(compressed),
    pem(Buffer.concat([der, Buffer.of(0)])),
    `a comment\n${pemOf(publicKey)}`,
    `${pemOf(publicKey)}${pemOf(publicKey)}`,
    derOf(publicKey).subarray(-65).toString('hex').toUpperCase(),
    compressed.subarray(-33).toString('hex'),
    '',
  ])
    expect(
      checkSignatureNode({ keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', public: text }, MESSAGE, signature),
    ).toBe(false);
});

test('devices and signers know no key but Ed25519, in the scheme of its own name', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key: PublicKey = { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', public: pemOf(publicKey) };
  const signature = sign('sha256', MESSAGE, privateKey);
  expect(checkSignatureNode(key, MESSAGE, signature)).toBe(true);
  for (const check of [checkSignatureDevice, checkSignature]) {
    expect(check(key, MESSAGE, signature)).toBe(false);
    expect(check({ ...key, keytype: 'ed25519', scheme: 'ed25519' }, MESSAGE, signature)).toBe(false);
  }
});
