/**
 * The check of signatures of a device that runs on Node: Ed25519 alone, by `node:crypto`.
 *
 * - Never laxer than the portable check (ADR 0006), and of no other key type: all devices of a product judge alike.
 */
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { checkSignatureNode } from './tuf-client/signature-check-node.ts';

/** Whether `signature` over `message` is valid under the Ed25519 key `key`. Whatever is unknown or malformed is false. */
export const checkSignatureDevice: SignatureCheck = (key, message, signature) =>
  key.keytype === 'ed25519' && key.scheme === 'ed25519' && checkSignatureNode(key, message, signature);
