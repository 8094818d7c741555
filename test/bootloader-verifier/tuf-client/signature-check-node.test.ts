/** Signatures by `node:crypto`: every scheme of the specification, one text for one key, and Ed25519 as strict as the portable check. */
import { createHash, constants, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { checkSignaturePortable, type PublicKey } from '../../../formats/signature-check.ts';
import { keyFingerprint } from '../../../formats/tuf-key.ts';
import { checkSignatureDevice } from '../../../bootloader-verifier/agent/signature-check-device-node.ts';
import { checkSignatureNode } from '../../../bootloader-verifier/agent/tuf-client/signature-check-node.ts';
import { checkSignature } from '../../../signer/signature-check-node.ts';
import { seededSigner } from '../../seeded-signer.ts';

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

/** Every check of Ed25519 there is: of generic clients, of devices on Node, of signers, and of any engine. */
const ED25519_CHECKS = [checkSignatureNode, checkSignatureDevice, checkSignature, checkSignaturePortable];

/** The points of small order, and encodings that no canonical writer makes, as the strict check must refuse them. */
const WEAK_POINTS = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
];

test('under a point of small order, or one that is not canonical, no signature is valid, as in the portable check', () => {
  for (const point of WEAK_POINTS) {
    for (const r of ['01'.padEnd(64, '0'), point]) {
      const signature = Buffer.from(`${r}${'00'.repeat(32)}`, 'hex');
      const key = { keytype: 'ed25519', scheme: 'ed25519', public: point };
      for (let i = 0; i < 8; i++) {
        const message = encodeUtf8(`message ${i}`);
        for (const check of ED25519_CHECKS) expect(check(key, message, signature), point).toBe(false);
      }
    }
  }
});

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

test('all checks of Ed25519 agree: on what honest keys sign, on S beyond the order, and on every changed bit', async () => {
  for (let round = 0; round < 12; round++) {
    const { key, sign: signWith } = seededSigner(`agree ${round}`);
    const message = createHash('sha256').update(`round ${round}`).digest();
    const signature = await signWith(message);
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`);
    const beyond = Buffer.from((s + ORDER).toString(16).padStart(64, '0'), 'hex').reverse();
    const flipped = Array.from({ length: 16 }, (_, i) => {
      const bytes = Uint8Array.from(signature);
      const at = (round * 37 + i * 4) % 64;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (i % 8));
      return bytes;
    });
    const cases = [
      signature,
      Buffer.concat([signature.subarray(0, 32), beyond]),
      signature.subarray(0, 63),
      ...flipped,
    ];
    const judged = cases.map((one) => ED25519_CHECKS.map((check) => check(key, message, one)));
    expect(judged, `round ${round}`).toEqual(cases.map((_, i) => ED25519_CHECKS.map(() => i === 0)));
  }
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
