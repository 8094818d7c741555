/** The vectors of identities: what is written there is read as what it says, under the keys that stand beside it. */
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { parseBootStatement } from '../../formats/boot-statement.ts';
import { encodeHex, encodeUtf8, parseBase64, parseHex } from '../../formats/bytes.ts';
import { parseEnrolment, parseIdentityProof, parseIdentityUse } from '../../formats/enrolment.ts';
import { ENROLMENT_PAYLOAD_TYPE, IDENTITY_USE_PAYLOAD_TYPE } from '../../formats/enrolment.ts';
import { parseEvidence } from '../../formats/evidence.ts';
import { MANIFEST_PAYLOAD_TYPE, parseFactoryManifest } from '../../formats/factory-manifest.ts';
import { parseIdentityExtension } from '../../formats/identity-extension.ts';
import { parseIssueRequest } from '../../formats/issue-request.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { checkSignaturePortable, type PublicKey } from '../../formats/signature-check.ts';
import type { Verdict } from '../../formats/verdict.ts';
import { verifyBootStatement } from '../../formats/verify-boot-statement.ts';
import { verifyEnvelope } from '../../formats/verify-envelope.ts';
import { verifyCertificate } from '../../bootloader-verifier/agent/verify-certificate.ts';
import { verifyCertificateRequest } from '../../signer/identity/certificate-authority.ts';
import { accepted } from '../accepted.ts';
import { identityVectorFiles, IDENTITY_VECTORS } from './identity-vectors.ts';
import type { RefusedPart } from './refused-parts.ts';
import { SAMPLE_ANCHOR, SAMPLE_MANIFEST } from './sample-identity.ts';

const read = (name: string): Uint8Array => Uint8Array.from(readFileSync(`${IDENTITY_VECTORS}${name}`));
const text = (name: string): string => readFileSync(`${IDENTITY_VECTORS}${name}`, 'utf8').trim();
const base64 = (name: string): Uint8Array => parseBase64(text(name)) ?? expect.unreachable();
const hex = (name: string): Uint8Array => parseHex(text(name)) ?? expect.unreachable();
const check = checkSignaturePortable;
let keys: Readonly<Record<string, string>>;

beforeAll(() => {
  keys = JSON.parse(text('keys.json')) as typeof keys;
});

const keyOf = (name: string): PublicKey => ({ keytype: 'ed25519', scheme: 'ed25519', public: keys[name] ?? '' });

test('the vectors are what the code writes', async () => {
  const files = await identityVectorFiles();
  expect(readdirSync(IDENTITY_VECTORS).sort()).toEqual([...files.keys()].sort());
  for (const [name, content] of files) expect(readFileSync(`${IDENTITY_VECTORS}${name}`, 'utf8'), name).toBe(content);
});

test("the factory's manifest names the device, under the factory's key", () => {
  const by = { payloadType: MANIFEST_PAYLOAD_TYPE, key: keyOf('factory') };
  const payload = accepted(verifyEnvelope(read('manifest.json'), by, check));
  expect(accepted(parseFactoryManifest(payload))).toEqual(SAMPLE_MANIFEST);
});

test('statement, evidence and object are of one boot and one request, each under its own key', () => {
  const { product, root } = SAMPLE_MANIFEST;
  const trust = { deviceKey: keys['device'] ?? '', repository: { product, rootOneSha256: root } };
  const boot = accepted(verifyBootStatement(read('boot-statement.json'), trust, check));
  expect(boot.evidenceKey).toBe(keys['evidence']);
  const { evidence, message, signature } = accepted(parseEvidence(hex('evidence.hex')));
  expect(check(keyOf('evidence'), message, signature)).toBe(true);
  expect(evidence).toMatchObject({ deviceId: boot.deviceId, statementSha256: sha256Hex(read('boot-statement.json')) });
  const proof = accepted(parseIdentityProof(read('proof.json')));
  expect(proof).toEqual({
    statement: read('boot-statement.json'),
    evidence: hex('evidence.hex'),
    enrolment: read('enrolment.json'),
  });
  for (const name of ['evidence', 'former']) {
    const by = { payloadType: ENROLMENT_PAYLOAD_TYPE, key: keyOf(name) };
    expect(accepted(parseEnrolment(accepted(verifyEnvelope(proof.enrolment, by, check)))), name).toMatchObject({
      purpose: 'rotate',
      csr: sha256Hex(base64('request.b64')),
      evidence: sha256Hex(proof.evidence),
      predecessor: sha256Hex(base64('former.b64')),
    });
  }
});

test('the certificate is of the anchor, for the key of the request, follows the former one, and is the one that is used', () => {
  const { product, root, devices } = SAMPLE_MANIFEST;
  const boot = { product, root, deviceId: devices[0]?.deviceId ?? '' };
  const publicKey = accepted(verifyCertificateRequest(base64('request.b64')));
  const trust = { anchors: [SAMPLE_ANCHOR], check };
  const certificate = accepted(verifyCertificate(base64('certificate.b64'), { boot, publicKey }, trust));
  expect(certificate.extension.predecessor).toBe(sha256Hex(base64('former.b64')));
  expect(certificate.extension).toEqual(accepted(parseIdentityExtension(hex('extension.hex'))));
  const [leaf, ca] = [new X509Certificate(base64('certificate.b64')), new X509Certificate(base64('ca.b64'))];
  expect(leaf.checkIssued(ca) && leaf.verify(ca.publicKey) && ca.verify(ca.publicKey)).toBe(true);
  expect(encodeHex(base64('answer.b64'))).toContain(encodeHex(base64('certificate.b64')));
  const by = { payloadType: IDENTITY_USE_PAYLOAD_TYPE, key: keyOf('certificate') };
  const used = accepted(parseIdentityUse(accepted(verifyEnvelope(read('use.json'), by, check))));
  expect(used.certificate).toBe(sha256Hex(base64('certificate.b64')));
});

/** How each part is read; bytes are given in hex. */
const PARSERS: Readonly<Record<string, (text: string) => Verdict<unknown>>> = {
  manifest: (json) => parseFactoryManifest(encodeUtf8(json)),
  'boot statement': (json) => parseBootStatement(encodeUtf8(json)),
  enrolment: (json) => parseEnrolment(encodeUtf8(json)),
  proof: (json) => parseIdentityProof(encodeUtf8(json)),
  use: (json) => parseIdentityUse(encodeUtf8(json)),
  'issue request': (json) => parseIssueRequest(encodeUtf8(json)),
  evidence: (digits) => parseEvidence(parseHex(digits) ?? expect.unreachable()),
  extension: (digits) => parseIdentityExtension(parseHex(digits) ?? expect.unreachable()),
  'certificate request': (digits) => verifyCertificateRequest(parseHex(digits) ?? expect.unreachable()),
  certificate: (digits) => {
    const { product, root, devices } = SAMPLE_MANIFEST;
    const boot = { product, root, deviceId: devices[0]?.deviceId ?? '' };
    const publicKey = accepted(verifyCertificateRequest(base64('request.b64')));
    return verifyCertificate(
      parseHex(digits) ?? expect.unreachable(),
      { boot, publicKey },
      { anchors: [SAMPLE_ANCHOR], check },
    );
  },
};

test('each fault is refused by the code that it says, and each kind of part has some', () => {
  const refused = JSON.parse(text('refused.json')) as readonly RefusedPart[];
  for (const { of, says, code, text: part } of refused) {
    expect(PARSERS[of]?.(part), `${of}: ${says}`).toMatchObject({ ok: false, code });
  }
  expect(new Set(refused.map(({ of }) => of))).toEqual(new Set(Object.keys(PARSERS)));
});

test('what is refused in parts is accepted whole, by the same readers', () => {
  for (const [of, file] of [
    ['proof', text('proof.json')],
    ['evidence', text('evidence.hex')],
    ['extension', text('extension.hex')],
  ] as const) {
    expect(PARSERS[of]?.(file).ok, of).toBe(true);
  }
  for (const [of, file] of [
    ['certificate request', 'request.b64'],
    ['certificate', 'certificate.b64'],
  ] as const) {
    expect(PARSERS[of]?.(encodeHex(base64(file))).ok, of).toBe(true);
  }
});
