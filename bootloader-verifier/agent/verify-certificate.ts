/**
 * Whether a certificate is the one that this device asked for, from a CA that the people of its product trust (rule R26).
 *
 * - Signed by a key that the targets role lists as an anchor: nothing else makes a CA, no store of the host among it.
 * - For this device and its repository, and for the key that it just made; which boot it names, the caller looks at.
 */
import 'reflect-metadata';
import { X509Certificate } from '@peculiar/x509';
import type { BootStatement } from '../../formats/boot-statement.ts';
import { encodeHex } from '../../formats/bytes.ts';
import { parseEd25519Signed } from '../../formats/ed25519-der.ts';
import {
  IDENTITY_EXTENSION_OID,
  parseIdentityExtension,
  type IdentityExtension,
} from '../../formats/identity-extension.ts';
import type { IdentityAnchor } from '../../formats/identity-trust.ts';
import type { Instant } from '../../formats/instant.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { accept, markVerified, reject, type Verdict, type Verified } from '../../formats/verdict.ts';

export type VerifiedCertificate = Verified<{
  readonly der: Uint8Array;
  readonly serial: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly extension: IdentityExtension;
}>;
export type CertificateTrust = {
  readonly anchors: readonly IdentityAnchor[];
  readonly check: SignatureCheck;
};

const PUBLIC_KEY_BYTES = 32;

/** Judges the certificate in `der`. @param publicKey the key that it must be for, 32 bytes. */
export function verifyCertificate(
  der: Uint8Array,
  expected: { readonly boot: Pick<BootStatement, 'deviceId' | 'product' | 'root'>; readonly publicKey: Uint8Array },
  { anchors, check }: CertificateTrust,
): Verdict<VerifiedCertificate, 'CERTIFICATE_REFUSED'> {
  const signed = parseEd25519Signed(der);
  if (signed === undefined || !anchors.some(({ key }) => check(key, signed.body, signed.signature))) {
    return reject('CERTIFICATE_REFUSED', 'no anchor of the targets role has signed this certificate');
  }
  const read = readCertificate(der);
  if (read === undefined) return reject('CERTIFICATE_REFUSED', 'it cannot be read');
  const spki = new Uint8Array(read.publicKey.rawData);
  if (encodeHex(spki.slice(-PUBLIC_KEY_BYTES)) !== encodeHex(expected.publicKey)) {
    return reject('CERTIFICATE_REFUSED', 'it is for another key than was asked for');
  }
  if (read.subjectName.getField('2.5.4.5').join() !== expected.boot.deviceId) {
    return reject('CERTIFICATE_REFUSED', 'it is for another device');
  }
  const value = read.getExtension(IDENTITY_EXTENSION_OID)?.value;
  const extension = parseIdentityExtension(value === undefined ? new Uint8Array() : new Uint8Array(value));
  if (!extension.ok) return extension;
  const { product, root } = extension.value;
  if (product !== expected.boot.product || root !== expected.boot.root) {
    return reject('CERTIFICATE_REFUSED', 'it is of another product, or of another root 1');
  }
  return accept(
    markVerified({
      der,
      serial: read.serialNumber,
      notBefore: read.notBefore.getTime(),
      notAfter: read.notAfter.getTime(),
      extension: extension.value,
    }),
  );
}

/** Whether `extension` names the very boot that is proven by `boot`. */
export function namesBoot(extension: IdentityExtension, boot: BootStatement): boolean {
  return (
    extension.release === boot.release &&
    extension.components.size === boot.components.length &&
    boot.components.every(({ component, image, securityCounter }) => {
      const named = extension.components.get(component);
      return named?.image === image && named.securityCounter === securityCounter;
    })
  );
}

function readCertificate(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(Uint8Array.from(der));
  } catch {
    return undefined;
  }
}
