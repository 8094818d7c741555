/** Evidence and requests for identities: every claim known, each of its form, bound to one another. */
import { decode, encode, rfc8949EncodeOptions } from 'cborg';
import { expect, test } from 'vitest';
import { concatBytes, encodeUtf8, parseHex, parseUtf8 } from '../../formats/bytes.ts';
import { encodeEd25519Signed, parseEd25519Signed } from '../../formats/ed25519-der.ts';
import { verifyEd25519 } from '../../formats/ed25519.ts';
import { encodeEnrolment, parseEnrolment, parseIdentityProof } from '../../formats/enrolment.ts';
import { CLAIM, EVIDENCE_BYTES_MAX, parseEvidence } from '../../formats/evidence.ts';
import { encodeIdentityExtension, parseIdentityExtension } from '../../formats/identity-extension.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { accepted } from '../accepted.ts';
import { SAMPLE_BOOT_IDENTITY, SAMPLE_ENROLMENT, SAMPLE_EXTENSION, SAMPLE_PROOF } from './sample-proof.ts';

const EVIDENCE = accepted(parseIdentityProof(SAMPLE_PROOF)).evidence;
type Claims = Map<number, unknown>;

/** The four parts of the COSE_Sign1. */
function parts(): unknown[] {
  return decode(EVIDENCE.slice(1), { useMaps: true }) as unknown[];
}

/** The evidence with other claims or parts, deterministically encoded. */
function changed(change: (claims: Claims, cose: unknown[]) => void): Uint8Array {
  const cose = parts();
  const claims = decode(cose[2] as Uint8Array, { useMaps: true }) as Claims;
  change(claims, cose);
  const again = [cose[0], cose[1], encode(claims, rfc8949EncodeOptions), cose[3], ...cose.slice(4)];
  return concatBytes(Uint8Array.of(0xd2), encode(again, rfc8949EncodeOptions));
}

test('evidence says what was measured, under the key of its boot statement', () => {
  const { evidence, message, signature } = accepted(parseEvidence(EVIDENCE));
  const { boot, statement } = SAMPLE_BOOT_IDENTITY;
  expect(evidence).toEqual({
    nonce: new Uint8Array(48).fill(3),
    deviceId: boot.deviceId,
    statementSha256: sha256Hex(statement),
    confirmed: true,
    measurements: new Map([['gateway', { image: 'ab'.repeat(32), securityCounter: 1 }]]),
  });
  expect(verifyEd25519(signature, message, parseHex(boot.evidenceKey) ?? new Uint8Array())).toBe(true);
});

const MEASURED = (map: Map<unknown, unknown>): unknown => [[65_001, encode(map, rfc8949EncodeOptions)]];

test.each<[string, (claims: Claims, cose: unknown[]) => void]>([
  ['a claim that is not known', (claims) => claims.set(8, 1)],
  ['another profile', (claims) => claims.set(CLAIM.profile, 'urn:oid:1.2.3')],
  ['a short nonce', (claims) => claims.set(CLAIM.nonce, new Uint8Array(7))],
  ['a long nonce', (claims) => claims.set(CLAIM.nonce, new Uint8Array(65))],
  ['no entity id', (claims) => claims.delete(CLAIM.ueid)],
  ['an entity id of another type', (claims) => claims.set(CLAIM.ueid, new Uint8Array(33).fill(2))],
  ['no statement', (claims) => claims.delete(CLAIM.statement)],
  ['a confirmation that is no yes or no', (claims) => claims.set(CLAIM.confirmed, 1)],
  ['no measurements', (claims) => claims.delete(CLAIM.measurements)],
  ['measurements of another form', (claims) => claims.set(CLAIM.measurements, [[65_002, new Uint8Array()]])],
  ['measurements of nothing', (claims) => claims.set(CLAIM.measurements, MEASURED(new Map()))],
  [
    'a measurement without a counter',
    (claims) => claims.set(CLAIM.measurements, MEASURED(new Map([['gateway', [new Uint8Array(32)]]]))),
  ],
  [
    'a component without a name',
    (claims) => claims.set(CLAIM.measurements, MEASURED(new Map([['', [new Uint8Array(32), 1]]]))),
  ],
  ['another algorithm', (_, cose) => (cose[0] = Uint8Array.of(0xa1, 0x01, 0x26))],
  ['an unprotected header', (_, cose) => (cose[1] = new Map([[4, new Uint8Array(1)]]))],
  ['a fifth part', (_, cose) => cose.push(1)],
  ['no signature', (_, cose) => (cose[3] = null)],
])('evidence with %s is refused', (_, change) => {
  expect(parseEvidence(changed(change))).toMatchObject({ ok: false, code: 'EVIDENCE_MALFORMED' });
});

test('evidence without its tag, or longer than its limit, is refused', () => {
  expect(parseEvidence(changed(() => undefined)).ok).toBe(true);
  expect(parseEvidence(EVIDENCE.slice(1))).toMatchObject({ code: 'EVIDENCE_MALFORMED' });
  expect(parseEvidence(new Uint8Array(EVIDENCE_BYTES_MAX + 1))).toMatchObject({ code: 'EVIDENCE_MALFORMED' });
});

test('a request to rotate names what it follows, and one to enrol does not', () => {
  expect(accepted(parseEnrolment(encodeEnrolment(SAMPLE_ENROLMENT)))).toEqual(SAMPLE_ENROLMENT);
  const bad = [
    { ...SAMPLE_ENROLMENT, predecessor: undefined },
    { ...SAMPLE_ENROLMENT, purpose: 'enrol' as const },
    { ...SAMPLE_ENROLMENT, nonce: 'ab'.repeat(47) },
  ];
  for (const enrolment of bad) {
    const verdict = parseEnrolment(encodeEnrolment(enrolment));
    expect(verdict).toMatchObject({ ok: false, code: 'ENROLMENT_MALFORMED' });
  }
});

test('an extension with anything more, less or otherwise spelled is refused', () => {
  const der = encodeIdentityExtension(SAMPLE_EXTENSION);
  expect(accepted(parseIdentityExtension(der))).toEqual(SAMPLE_EXTENSION);
  const text = (parseUtf8(der.slice(3)) ?? '').replace('claimed', 'assumed');
  const bad = [der.slice(1), der.slice(0, -1), concatBytes(der, encodeUtf8(' ')), new Uint8Array()];
  bad.push(concatBytes(der.slice(0, 3), encodeUtf8(text)));
  for (const value of bad) {
    expect(parseIdentityExtension(value)).toMatchObject({ ok: false, code: 'CERTIFICATE_REFUSED' });
  }
});

test('a signed sequence of any length has one spelling', () => {
  for (const length of [1, 51, 52, 53, 54, 179, 180, 181, 182, 400, 65_000]) {
    const parts = { body: new Uint8Array(length).fill(7), signature: new Uint8Array(64).fill(8) };
    const der = encodeEd25519Signed(parts);
    expect(parseEd25519Signed(der), String(length)).toEqual(parts);
    expect(parseEd25519Signed(der.slice(0, -1))).toBeUndefined();
    expect(parseEd25519Signed(concatBytes(der, Uint8Array.of(0)))).toBeUndefined();
  }
  expect(() => encodeEd25519Signed({ body: new Uint8Array(66_000), signature: new Uint8Array(64) })).toThrow('longer');
});
