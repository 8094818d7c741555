/**
 * Keys of identities on a host with Node: made fresh for each certificate, and the request for it (PKCS#10, RFC 2986).
 *
 * - A key never leaves the device; what is asked for with it names nothing, because the signer takes names from what was proven.
 */
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { concatBytes } from '../../formats/bytes.ts';
import { ed25519PublicKey } from '../../formats/ed25519-key.ts';

const ALGORITHM = { name: 'Ed25519' };
const SEED_BYTES = 32;
/** RFC 8410: what stands before the seed in PKCS#8, and before the key in SubjectPublicKeyInfo. */
const PKCS8_HEAD = Uint8Array.of(
  0x30,
  0x2e,
  0x02,
  0x01,
  0x00,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  0x04,
  0x22,
  0x04,
  0x20,
);
const SPKI_HEAD = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);

export type FreshKey = {
  /** The 32-byte seed. Secret. */
  readonly seed: Uint8Array;
  /** PKCS#10 in DER. */
  readonly csr: Uint8Array;
};

/** A new key and the request for its certificate; with `known`, the request for the key of that seed: always the same bytes. */
export async function freshKeyNode(known?: Uint8Array): Promise<FreshKey> {
  const seed = known ?? Uint8Array.from(randomBytes(SEED_BYTES));
  const pkcs8 = Uint8Array.from(concatBytes(PKCS8_HEAD, seed));
  const spki = Uint8Array.from(concatBytes(SPKI_HEAD, ed25519PublicKey(seed)));
  const keys = {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, false, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', spki, ALGORITHM, true, ['verify']),
  };
  const request = await Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm: ALGORITHM }, webcrypto);
  return { seed, csr: new Uint8Array(request.rawData) };
}
