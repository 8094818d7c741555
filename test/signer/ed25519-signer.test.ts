/** An Ed25519 key in the memory of the process: what every holder of a key must do, and no other kind of key. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { checkSignaturePortable } from '../../formats/signature-check.ts';
import { ed25519Signer } from '../../signer/ed25519-signer.ts';
import { spellingsOf, testSigner } from './signer-contract.ts';

testSigner(() => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(-32);
  return Promise.resolve({
    open: () => Promise.resolve(ed25519Signer(privateKey)),
    check: checkSignaturePortable,
    refused: [],
    secrets: spellingsOf(seed),
  });
});

test('a key of another kind, or the public half, makes no signer', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const others = [
    generateKeyPairSync('ed448').privateKey,
    generateKeyPairSync('x25519').privateKey,
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    createPublicKey(privateKey),
  ];
  for (const key of others) expect(() => ed25519Signer(key)).toThrow('an Ed25519 private key');
});
