/**
 * Keys of identities on a host with Node: made fresh for each certificate, and the request for it (PKCS#10, RFC 2986).
 *
 * - A key never leaves the device; what is asked for with it names nothing, because the signer takes names from what was proven.
 */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';

const ALGORITHM = { name: 'Ed25519' };
const SEED_BYTES = 32;

export type FreshKey = {
  /** The 32-byte seed. Secret. */
  readonly seed: Uint8Array;
  /** PKCS#10 in DER. */
  readonly csr: Uint8Array;
};

/** A new key and the request for its certificate. */
export async function freshKeyNode(): Promise<FreshKey> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  if (!('privateKey' in keys)) throw new Error('the host made no pair of keys');
  const pkcs8 = new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const request = await Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm: ALGORITHM }, webcrypto);
  // RFC 8410 puts the seed at the end of the PKCS#8 form.
  return { seed: pkcs8.slice(-SEED_BYTES), csr: new Uint8Array(request.rawData) };
}
