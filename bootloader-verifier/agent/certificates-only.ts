/** The answer of an enrolment: certificates alone in PKCS#7, in base64 (RFC 7030 section 4.2.3, RFC 8951). */
import 'reflect-metadata';
import { X509Certificates } from '@peculiar/x509';
import { parseBase64, parseUtf8 } from '../../formats/bytes.ts';
import { reject, accept, type Verdict } from '../../formats/verdict.ts';

/** The one certificate in `body`, in DER; line breaks are allowed. */
export function certificateIn(body: Uint8Array): Verdict<Uint8Array, 'CERTIFICATE_REFUSED'> {
  const der = parseBase64((parseUtf8(body) ?? '').replace(/\s+/g, ''));
  const certificates = der === undefined ? [] : certificatesOf(der);
  const [certificate] = certificates;
  return certificate === undefined || certificates.length > 1
    ? reject('CERTIFICATE_REFUSED', 'the answer is not one certificate in PKCS#7')
    : accept(certificate);
}

/** The library throws on what it cannot read. */
function certificatesOf(der: Uint8Array): readonly Uint8Array[] {
  try {
    return [...new X509Certificates(Uint8Array.from(der))].map(({ rawData }) => new Uint8Array(rawData));
  } catch {
    return [];
  }
}
