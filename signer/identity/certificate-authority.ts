/**
 * The issuing CA: short-lived certificates of devices (LDevIDs), signed by a key that stays with its signer.
 *
 * - Ed25519 alone. The library writes and reads X.509; the signature is made over its bytes by the key's own signer, which may be a
 *   file or a token, and checked strictly by our own code.
 * - A certificate lives for hours and is never revoked: it says so (RFC 9608), and whoever relies on it looks at its end.
 * - The CA's own certificate is the same for the same key and name: how long it is trusted stands in the targets role (R26).
 * - A request is believed for its key alone, once it has proven that it holds it; names come from what was proven, not from it.
 * - Source: RFC 5280, RFC 8410, RFC 2986, RFC 9608.
 */
import 'reflect-metadata';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
  type JsonName,
} from '@peculiar/x509';
import { concatBytes, encodeHex, parseHex } from '../../formats/bytes.ts';
import { encodeEd25519Signed, parseEd25519Signed } from '../../formats/ed25519-der.ts';
import { verifyEd25519 } from '../../formats/ed25519.ts';
import {
  encodeIdentityExtension,
  IDENTITY_EXTENSION_OID,
  type IdentityExtension,
} from '../../formats/identity-extension.ts';
import type { Instant } from '../../formats/instant.ts';
import { CSR_BYTES_MAX } from '../../formats/issue-request.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import type { Signer } from '../signer.ts';

export type CertificateAuthority = {
  /** As the targets role lists it. */
  readonly name: string;
  readonly signer: Signer;
};
export type LeafContent = {
  readonly deviceId: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 16 random bytes. */
  readonly serial: Uint8Array;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly extension: IdentityExtension;
};

const NO_REVOCATION_OID = '2.5.29.56';
const NULL_DER = Uint8Array.of(0x05, 0x00);
const NO_SIGNATURE = new Uint8Array(64);
const ALGORITHM = { name: 'Ed25519' };
const SPKI_HEAD = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);
const CA_NOT_BEFORE = Date.UTC(2020, 0, 1);
/** Without an end, as IEEE 802.1AR writes it. */
const NEVER = Date.UTC(9999, 11, 31, 23, 59, 59);

/** The public key of a PKCS#10 request that holds it, 32 bytes. */
export function verifyCertificateRequest(der: Uint8Array): Verdict<Uint8Array, 'CSR_REFUSED'> {
  if (der.length > CSR_BYTES_MAX) return reject('CSR_REFUSED', `longer than ${CSR_BYTES_MAX} bytes`);
  const signed = parseEd25519Signed(der);
  const spki = signed === undefined ? undefined : spkiOfRequest(der);
  if (signed === undefined || spki === undefined)
    return reject('CSR_REFUSED', 'it is no PKCS#10 request under Ed25519');
  const publicKey = spki.slice(SPKI_HEAD.length);
  if (encodeHex(spki.subarray(0, SPKI_HEAD.length)) !== encodeHex(SPKI_HEAD) || publicKey.length !== 32) {
    return reject('CSR_REFUSED', 'its key is no Ed25519 key');
  }
  return verifyEd25519(signed.signature, signed.body, publicKey)
    ? accept(publicKey)
    : reject('CSR_REFUSED', 'it is not signed by the key that it names');
}

/** What the library reads as the key; it throws on what it cannot read. */
function spkiOfRequest(der: Uint8Array): Uint8Array | undefined {
  try {
    return new Uint8Array(new Pkcs10CertificateRequest(Uint8Array.from(der)).publicKey.rawData);
  } catch {
    return undefined;
  }
}

/** The certificate of a device, in DER. */
export async function issueLeaf(ca: CertificateAuthority, leaf: LeafContent): Promise<Uint8Array> {
  const unsigned = await X509CertificateGenerator.create({
    serialNumber: serialHex(leaf.serial),
    issuer: nameOf('2.5.4.3', ca.name),
    subject: nameOf('2.5.4.5', leaf.deviceId),
    notBefore: new Date(leaf.notBefore),
    notAfter: new Date(leaf.notAfter),
    publicKey: spkiOf(leaf.publicKey),
    signature: NO_SIGNATURE,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]),
      new SubjectKeyIdentifierExtension(keyIdentifier(leaf.publicKey)),
      new AuthorityKeyIdentifierExtension(keyIdentifier(publicKeyOf(ca))),
      new Extension(NO_REVOCATION_OID, false, NULL_DER),
      new Extension(IDENTITY_EXTENSION_OID, false, Uint8Array.from(encodeIdentityExtension(leaf.extension))),
    ],
  });
  return sign(unsigned, ca.signer);
}

/** The CA's own certificate, in DER: always the same. */
export async function caCertificate(ca: CertificateAuthority): Promise<Uint8Array> {
  const name = nameOf('2.5.4.3', ca.name);
  const unsigned = await X509CertificateGenerator.create({
    serialNumber: '01',
    issuer: name,
    subject: name,
    notBefore: new Date(CA_NOT_BEFORE),
    notAfter: new Date(NEVER),
    publicKey: spkiOf(publicKeyOf(ca)),
    signature: NO_SIGNATURE,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      new SubjectKeyIdentifierExtension(keyIdentifier(publicKeyOf(ca))),
    ],
  });
  return sign(unsigned, ca.signer);
}

async function sign(unsigned: X509Certificate, signer: Signer): Promise<Uint8Array> {
  const parts = parseEd25519Signed(new Uint8Array(unsigned.rawData));
  if (parts === undefined) throw new Error('the library wrote no certificate under Ed25519');
  return encodeEd25519Signed({ body: parts.body, signature: await signer.sign(parts.body) });
}

function spkiOf(publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(concatBytes(SPKI_HEAD, publicKey));
}

function publicKeyOf({ signer }: CertificateAuthority): Uint8Array {
  return parseHex(signer.key.public) ?? new Uint8Array();
}

/** The leftmost 160 bits of the key's SHA-256, in hex (RFC 7093, method 1). */
function keyIdentifier(publicKey: Uint8Array): string {
  return sha256Hex(publicKey).slice(0, 40);
}

/** A positive serial number: its top bit is cleared, and the next set so that none begins with zeros. */
function serialHex(random: Uint8Array): string {
  const [first = 0, ...rest] = random;
  return encodeHex(Uint8Array.of((first & 0x7f) | 0x40, ...rest));
}

function nameOf(oid: string, value: string): JsonName {
  return [{ [oid]: [value] }];
}
