/** Every check of Ed25519 there is, held to one contract over one file of vectors, and to the documents that speak of them. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkSignatureDevice } from '../../bootloader-verifier/agent/signature-check-device-node.ts';
import { checkSignatureNode } from '../../bootloader-verifier/agent/tuf-client/signature-check-node.ts';
import { checkSignaturePortable, type SignatureCheck } from '../../formats/signature-check.ts';
import { checkedOnce } from '../../signer/checked-once.ts';
import { checkSignature } from '../../signer/signature-check-node.ts';
import { testSignatureCheck } from './signature-check-contract.ts';
import { vectorFile, VECTORS } from './signature-vectors.ts';

const CHECKS: readonly (readonly [string, () => SignatureCheck])[] = [
  ['of any engine', () => checkSignaturePortable],
  ['of devices on Node', () => checkSignatureDevice],
  ['of signers', () => checkSignature],
  ['of signers, with a memory', () => checkedOnce(checkSignature)],
  ['of generic clients', () => checkSignatureNode],
];

describe.each(CHECKS)('the check %s', (_, make) => {
  testSignatureCheck(make);
});

test('the file of vectors is the one that is made, byte for byte', () => {
  expect(readFileSync(`${VECTORS}ed25519.json`, 'utf8')).toBe(vectorFile());
});
