/**
 * Every key type that `tuf-client` knows: those that `node:crypto` checks on each Node, and ML-DSA.
 *
 * - Devices and the signer take theirs from elsewhere: what this client knows widens nothing for them.
 */
import type { SignatureCheck } from '../../../formats/signature-check.ts';
import { checkSignatureMlDsa } from './signature-check-ml-dsa.ts';
import { checkSignatureNode } from './signature-check-node.ts';

/** Whether `signature` over `message` is valid under `key`. Whatever is unknown or malformed is false. */
export const checkSignatureClient: SignatureCheck = (key, message, signature) =>
  (key.keytype === 'ml-dsa' ? checkSignatureMlDsa : checkSignatureNode)(key, message, signature);
