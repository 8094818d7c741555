/** ML-DSA as TAP 21 has it: signatures that Node makes, and everything that is nearly one. */
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import type { PublicKey } from '../../../formats/signature-check.ts';
import { keyFingerprint } from '../../../formats/tuf-key.ts';
import { checkSignatureDevice } from '../../../bootloader-verifier/agent/signature-check-device-node.ts';
import { checkSignatureClient } from '../../../bootloader-verifier/agent/tuf-client/signature-check-client.ts';
import { checkSignatureNode } from '../../../bootloader-verifier/agent/tuf-client/signature-check-node.ts';
import { checkSignature } from '../../../signer/signature-check-node.ts';
import { mlDsaPayload, mlDsaSigner } from './pem-signer.ts';

const MESSAGE = encodeUtf8('the signed part');
const SIZES = ['44', '65', '87'] as const;

function derOf(key: PublicKey): Buffer {
  return createPublicKey(key.public).export({ type: 'spki', format: 'der' });
}

function pem(der: Uint8Array): string {
  return `-----BEGIN PUBLIC KEY-----\n${Buffer.from(der).toString('base64')}\n-----END PUBLIC KEY-----\n`;
}

test.each(SIZES)(
  'ml-dsa-%s/1 verifies what Node signed, whatever the lines of its PEM, and nothing near it',
  async (size) => {
    const { key, sign: signWith } = mlDsaSigner(size);
    const signature = await signWith(MESSAGE);
    const respelt = { ...key, public: pem(derOf(key)).replaceAll('\n', '\r\n') };
    for (const one of [key, respelt]) expect(checkSignatureClient(one, MESSAGE, signature)).toBe(true);
    expect(keyFingerprint(respelt)).toBe(keyFingerprint(key));
    expect(checkSignatureClient(key, encodeUtf8('another'), signature)).toBe(false);
    expect(checkSignatureClient(mlDsaSigner(size).key, MESSAGE, signature)).toBe(false);
    for (const other of [signature.slice(1), Uint8Array.of(...signature, 0), new Uint8Array(signature.length)]) {
      expect(checkSignatureClient(key, MESSAGE, other)).toBe(false);
    }
  },
);

test('a signature over the message itself, or under another version of the scheme, is none', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ml-dsa-44');
  const text = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const key = { keytype: 'ml-dsa', scheme: 'ml-dsa-44/1', public: text };
  const payload = mlDsaPayload(MESSAGE);
  expect(checkSignatureClient(key, MESSAGE, sign(undefined, payload, privateKey))).toBe(true);
  for (const other of [MESSAGE, payload.slice(4), Uint8Array.from(payload, (byte, i) => (i === 3 ? 2 : byte))]) {
    expect(checkSignatureClient(key, MESSAGE, sign(undefined, other, privateKey))).toBe(false);
  }
});

test('a key under the scheme of another, in hex, or with a byte more or less, verifies nothing', async () => {
  const { key, sign: signWith } = mlDsaSigner('44');
  const signature = await signWith(MESSAGE);
  const der = derOf(key);
  for (const wrong of [
    { ...key, scheme: 'ml-dsa-65/1' },
    { ...key, scheme: 'ml-dsa-44' },
    { ...key, scheme: 'ml-dsa-44/2' },
    { ...key, keytype: 'ml-dsa-44' },
    { ...key, public: der.subarray(-1312).toString('hex') },
    { ...key, public: pem(der.subarray(0, -1)) },
    { ...key, public: pem(Buffer.concat([der, Buffer.of(0)])) },
    { ...key, public: pem(derOf(mlDsaSigner('65').key)) },
    { ...key, public: '' },
  ]) {
    expect(checkSignatureClient(wrong, MESSAGE, signature), wrong.scheme).toBe(false);
  }
});

test('an altered byte anywhere in signature or key makes it invalid, and never throws', async () => {
  const { key, sign: signWith } = mlDsaSigner('44');
  const signature = await signWith(MESSAGE);
  const der = derOf(key);
  const alter = (bytes: Uint8Array, at: number, by: number): Uint8Array =>
    Uint8Array.from(bytes, (byte, i) => (i === at % bytes.length ? byte ^ by : byte));
  fc.assert(
    fc.property(fc.nat(10_000), fc.integer({ min: 1, max: 255 }), (at, by) => {
      expect(checkSignatureClient(key, MESSAGE, alter(signature, at, by))).toBe(false);
      expect(checkSignatureClient({ ...key, public: pem(alter(der, at, by)) }, MESSAGE, signature)).toBe(false);
    }),
    { numRuns: 20 },
  );
});

test('neither the device nor the signer counts such a key', async () => {
  const { key, sign: signWith } = mlDsaSigner('44');
  const signature = await signWith(MESSAGE);
  for (const check of [checkSignatureDevice, checkSignatureNode, checkSignature]) {
    expect(check(key, MESSAGE, signature)).toBe(false);
  }
});
