/**
 * Public keys in PEM (RFC 7468, section 13), read so that one key has one text.
 *
 * - One block `PUBLIC KEY`, nothing before or after it but white space: what stands around a block changes its text, not its key.
 * - The base64 within is strict; how it is broken into lines plays no part.
 * - Whether the bytes are a key, and of which kind, is for the shell that has the algorithms.
 */
import { parseBase64 } from './bytes.ts';

const BLOCK = /^\s*-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*$/;

/** The DER of the SubjectPublicKeyInfo in `pem`, or undefined unless it is exactly one such block. */
export function parsePublicKeyPem(pem: string): Uint8Array | undefined {
  const body = BLOCK.exec(pem)?.[1];
  return body === undefined ? undefined : parseBase64(body.replace(/\s+/g, ''));
}
