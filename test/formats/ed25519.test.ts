/** Strict Ed25519: the vectors of RFC 8032, node:crypto as a second opinion, and the forgeries that a lax check accepts. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { concatBytes, encodeHex, encodeUtf8, parseHex } from '../../formats/bytes.ts';
import { verifyEd25519 } from '../../formats/ed25519.ts';
import { checkSignaturePortable } from '../../formats/signature-check.ts';

function hex(text: string): Uint8Array {
  const bytes = parseHex(text);
  if (bytes === undefined) throw new Error(`not hex: ${text}`);
  return bytes;
}

/** RFC 8032 section 7.1: public key, message, signature. */
const VECTORS = [
  [
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
  [
    'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  ],
] as const;

/** Every encoding of a point of order 1, 2, 4 or 8, the non-canonical ones among them. */
const SMALL_ORDER_POINTS = [
  '00'.repeat(32),
  `${'00'.repeat(31)}80`,
  `01${'00'.repeat(31)}`,
  `01${'00'.repeat(30)}80`,
  `ec${'ff'.repeat(30)}7f`,
  `ec${'ff'.repeat(31)}`,
  `ed${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(31)}`,
  `ee${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
].map(hex);

/** The order of the base point, L of RFC 8032. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** `scalar` in 32 bytes, little-endian. */
function scalarBytes(scalar: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((scalar >> BigInt(8 * i)) & 255n));
}

function scalarOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((scalar, byte) => (scalar << 8n) | BigInt(byte), 0n);
}

test('the signatures of RFC 8032 are valid, and not for another message, key or signature', () => {
  for (const [publicKey, message, signature] of VECTORS) {
    expect(verifyEd25519(hex(signature), hex(message), hex(publicKey))).toBe(true);
    expect(verifyEd25519(hex(signature), hex(`${message}00`), hex(publicKey))).toBe(false);
  }
  const [first, second] = VECTORS;
  expect(verifyEd25519(hex(first[2]), hex(first[1]), hex(second[0]))).toBe(false);
  expect(verifyEd25519(hex(second[2]), hex(first[1]), hex(first[0]))).toBe(false);
});

test('what node:crypto signs is valid here, and one flipped bit anywhere in the signature makes it invalid', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32));
  const message = encodeUtf8('a message');
  const signature = new Uint8Array(sign(undefined, message, privateKey));
  expect(verifyEd25519(signature, message, raw)).toBe(true);
  for (let bit = 0; bit < 512; bit += 7) {
    const changed = signature.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(verifyEd25519(changed, message, raw), `bit ${bit}`).toBe(false);
  }
});

test('under a key of small order no signature with S = 0 is valid, whatever the message', () => {
  for (const publicKey of SMALL_ORDER_POINTS) {
    for (const commitment of SMALL_ORDER_POINTS) {
      const signature = concatBytes(commitment, new Uint8Array(32));
      for (const message of ['', 'firmware 1', 'firmware 2']) {
        const place = `${encodeHex(publicKey)} ${encodeHex(commitment)} ${message}`;
        expect(verifyEd25519(signature, encodeUtf8(message), publicKey), place).toBe(false);
      }
    }
  }
});

test('a valid signature has no second form: S plus the group order is refused', () => {
  for (const [publicKey, message, signature] of VECTORS) {
    const bytes = hex(signature);
    const raised = concatBytes(bytes.subarray(0, 32), scalarBytes(scalarOf(bytes.subarray(32)) + ORDER));
    expect(verifyEd25519(raised, hex(message), hex(publicKey))).toBe(false);
  }
});

test('signatures and keys of any other length are refused and never throw', () => {
  const [publicKey, message, signature] = VECTORS[1];
  const longer = (bytes: Uint8Array): Uint8Array => concatBytes(bytes, Uint8Array.of(0));
  for (const wrong of [
    new Uint8Array(),
    hex(signature).subarray(1),
    longer(hex(signature)),
    hex(signature + signature),
  ]) {
    expect(verifyEd25519(wrong, hex(message), hex(publicKey))).toBe(false);
  }
  for (const wrong of [new Uint8Array(), hex(publicKey).subarray(1), longer(hex(publicKey))]) {
    expect(verifyEd25519(hex(signature), hex(message), wrong)).toBe(false);
  }
});

test('a key that is no point of the curve verifies nothing and never throws', () => {
  const signature = hex(VECTORS[0][2]);
  for (const publicKey of [`02${'00'.repeat(31)}`, 'ff'.repeat(32), `f0${'ff'.repeat(30)}7f`]) {
    expect(verifyEd25519(signature, new Uint8Array(), hex(publicKey)), publicKey).toBe(false);
  }
});

test('the portable check counts only Ed25519 keys in lower-case hex', () => {
  const [publicKey, message, signature] = VECTORS[2];
  const check = (key: Partial<Parameters<typeof checkSignaturePortable>[0]>): boolean =>
    checkSignaturePortable(
      { keytype: 'ed25519', scheme: 'ed25519', public: publicKey, ...key },
      hex(message),
      hex(signature),
    );
  expect(check({})).toBe(true);
  for (const key of [
    { keytype: 'rsa' },
    { scheme: 'ed25519ph' },
    { public: publicKey.toUpperCase() },
    { public: '' },
  ]) {
    expect(check(key)).toBe(false);
  }
});
