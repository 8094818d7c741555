/**
 * What every check of Ed25519 must do; each adapter's test runs it.
 *
 * - No adapter is ever laxer than the portable check: what one of them accepts, every device accepts (ADR 0006).
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { concatBytes, encodeUtf8, parseHex } from '../../formats/bytes.ts';
import { checkSignaturePortable, type PublicKey, type SignatureCheck } from '../../formats/signature-check.ts';
import { seededRandom } from '../../simulation/seed.ts';
import { seededSigner } from '../seeded-signer.ts';
import { SEED } from '../simulation/seed.ts';
import { SMALL_ORDER_POINTS, VECTORS, type SignatureVector } from './signature-vectors.ts';

/** The vectors as they are on file. */
function storedVectors(): readonly SignatureVector[] {
  return JSON.parse(readFileSync(`${VECTORS}ed25519.json`, 'utf8')) as readonly SignatureVector[];
}

function hex(text: string): Uint8Array {
  return parseHex(text) ?? new Uint8Array();
}

function ed25519(publicKey: string): PublicKey {
  return { keytype: 'ed25519', scheme: 'ed25519', public: publicKey };
}

/** What `check` says of a vector. */
function judge(check: SignatureCheck, vector: SignatureVector): boolean {
  return check(ed25519(vector.public), hex(vector.message), hex(vector.signature));
}

/** `bytes` with bit `at` turned. */
function turned(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, i) => (i === at >> 3 ? byte ^ (1 << (at & 7)) : byte));
}

/** Runs the contract. @param make a fresh check each time. */
export function testSignatureCheck(make: () => SignatureCheck): void {
  test('contract: each vector has its verdict, also when it is asked for again', () => {
    const check = make();
    for (const round of [1, 2]) {
      for (const vector of storedVectors()) {
        const place = `${vector.says}, round ${round}`;
        if (vector.verdict === 'either') expect(judge(checkSignaturePortable, vector), place).toBe(true);
        else expect(judge(check, vector), place).toBe(vector.verdict === 'valid');
      }
    }
  });

  test('contract: a key of small order, or a text that is no canonical point, verifies nothing with any R or message', () => {
    const check = make();
    for (const point of SMALL_ORDER_POINTS) {
      for (const r of SMALL_ORDER_POINTS) {
        for (const message of ['', 'firmware 1', 'firmware 2']) {
          const signature = concatBytes(hex(r), new Uint8Array(32));
          expect(check(ed25519(point), encodeUtf8(message), signature), `${point} ${r} ${message}`).toBe(false);
        }
      }
    }
  });

  test('contract: what an honest key signs is valid; one bit turned in signature, message or key makes it invalid', async () => {
    const check = make();
    for (let round = 0; round < 6; round++) {
      const { key, sign } = seededSigner(`contract ${round}`);
      const message = encodeUtf8(`message ${round}`);
      const signature = await sign(message);
      expect(check(key, message, signature)).toBe(true);
      for (let bit = round; bit < 512; bit += 11) {
        expect(check(key, message, turned(signature, bit)), `bit ${bit} of the signature`).toBe(false);
      }
      for (let bit = round; bit < message.length * 8; bit += 11) {
        expect(check(key, turned(message, bit), signature), `bit ${bit} of the message`).toBe(false);
      }
      for (let bit = round; bit < 256; bit += 11) {
        const other = Buffer.from(turned(hex(key.public), bit)).toString('hex');
        expect(check(ed25519(other), message, signature), `bit ${bit} of the key`).toBe(false);
      }
    }
  });

  test('contract: of keys, nonces and scalars put together at will, it accepts none that the portable check refuses', () => {
    const check = make();
    const random = seededRandom(SEED);
    const vectors = storedVectors();
    const one = <T>(of: readonly T[]): T => of[random(of.length)] as T;
    const texts = [
      ...vectors.map((vector) => vector.public),
      ...vectors.map(({ signature }) => signature.slice(0, 64)),
    ];
    for (let i = 0; i < 600; i++) {
      const signature = one(texts) + one(vectors).signature.slice(64);
      const vector: SignatureVector = { ...one(vectors), says: `seed ${SEED}, ${i}`, public: one(texts), signature };
      if (judge(check, vector)) expect(judge(checkSignaturePortable, vector), JSON.stringify(vector)).toBe(true);
    }
  });

  test('contract: a key counts under its one type, scheme and text, and anything else is false, not a fault', async () => {
    const check = make();
    const { key, sign } = seededSigner('contract');
    const message = encodeUtf8('a message');
    const signature = await sign(message);
    expect(check(key, message, signature)).toBe(true);
    const wrong: readonly Partial<PublicKey>[] = [
      ...['', 'rsa', 'ecdsa', 'Ed25519', 'ml-dsa-65', 'ed25519 ed25519', '__proto__'].map((keytype) => ({ keytype })),
      ...['', 'ed25519ph', 'ED25519', 'rsassa-pss-sha256', `ed25519 ${key.public}`, 'constructor'].map((scheme) => ({
        scheme,
      })),
      ...[
        '',
        key.public.toUpperCase(),
        ` ${key.public}`,
        `${key.public}\n`,
        `0x${key.public}`,
        key.public.slice(1),
      ].map((text) => ({ public: text })),
      { public: Buffer.from(key.public, 'hex').toString('base64') },
      { keytype: 'ed25519 ed25519', scheme: key.public, public: '' },
    ];
    for (const change of wrong) {
      expect(check({ ...key, ...change }, message, signature), JSON.stringify(change)).toBe(false);
    }
  });

  test('contract: bytes may lie anywhere in a larger buffer, may be many or none, and are left as they were', async () => {
    const check = make();
    const { key, sign } = seededSigner('contract');
    for (const message of [new Uint8Array(), new Uint8Array(1_000_000).fill(7)]) {
      const signature = await sign(message);
      const whole = concatBytes(Uint8Array.of(9, 9, 9), message, signature, Uint8Array.of(9));
      const before = whole.slice();
      const messagePart = whole.subarray(3, 3 + message.length);
      const signaturePart = whole.subarray(3 + message.length, -1);
      expect(check(key, messagePart, signaturePart)).toBe(true);
      expect(Buffer.compare(whole, before)).toBe(0);
      whole.set([(signature[0] ?? 0) ^ 1], 3 + message.length);
      expect(check(key, messagePart, signaturePart), 'after the bytes have changed').toBe(false);
    }
  });
}
