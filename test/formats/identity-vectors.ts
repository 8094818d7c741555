/**
 * The vectors of `docs/formats/identity.md`.
 *
 * - `node cli/node24.js test/formats/identity-vectors.ts --write` writes them; a test holds the files equal, byte for byte.
 * - Signatures under Ed25519 are always the same, so that every file is.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeBootStatement } from '../../formats/boot-statement.ts';
import { encodeBase64, encodeHex, parseUtf8 } from '../../formats/bytes.ts';
import { encodeEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { ed25519PublicKey } from '../../formats/ed25519-key.ts';
import {
  encodeEnrolment,
  encodeIdentityUse,
  ENROLMENT_PAYLOAD_TYPE,
  parseIdentityProof,
} from '../../formats/enrolment.ts';
import { encodeFactoryManifest, MANIFEST_PAYLOAD_TYPE } from '../../formats/factory-manifest.ts';
import { encodeIdentityExtension } from '../../formats/identity-extension.ts';
import { encodeIssueRequest } from '../../formats/issue-request.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { freshKeyNode } from '../../bootloader-verifier/agent/identity-key-node.ts';
import { proveIdentity, signIdentityUse } from '../../bootloader-verifier/agent/prove-identity.ts';
import { caCertificate, issueLeaf } from '../../signer/identity/certificate-authority.ts';
import { certificatesOnly } from '../../signer/identity/certificates-only.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { refusedBytes, refusedParts, type PartFormat, type RefusedPart } from './refused-parts.ts';
import { SAMPLE_ANCHOR, SAMPLE_BOOT, SAMPLE_FACTORY, SAMPLE_MANIFEST } from './sample-identity.ts';
import { SAMPLE_BOOT_IDENTITY, SAMPLE_ENROLMENT, SAMPLE_EXTENSION } from './sample-proof.ts';

/** Where the vectors stand. */
export const IDENTITY_VECTORS: string = fileURLToPath(new URL('../vectors/identity/', import.meta.url));

const NOW = Date.UTC(2026, 0, 5, 12);
const HOUR_MS = 3_600_000;
const SEED = new Uint8Array(32).fill(8);
const FORMER_SEED = new Uint8Array(32).fill(6);
const NONCE = new Uint8Array(48).fill(3);

/** Every vector file by its name: JSON as it travels, everything else in base64 or hex within one of them. */
export async function identityVectorFiles(): Promise<ReadonlyMap<string, string>> {
  const { product, root, deviceId } = SAMPLE_BOOT_IDENTITY.boot;
  const ca = { name: SAMPLE_ANCHOR.name, signer: seededSigner('ca 1') };
  const leaf = { deviceId, notBefore: NOW, notAfter: NOW + HOUR_MS, serial: new Uint8Array(16).fill(2) };
  const [formerKey, key] = [ed25519PublicKey(FORMER_SEED), ed25519PublicKey(SEED)];
  const first = { ...SAMPLE_EXTENSION, predecessor: undefined };
  const former = await issueLeaf(ca, { ...leaf, publicKey: formerKey, extension: first });
  const extension = { ...SAMPLE_EXTENSION, predecessor: sha256Hex(former) };
  const certificate = await issueLeaf(ca, { ...leaf, publicKey: key, extension });
  const { csr } = await freshKeyNode(SEED);
  const held = { seed: FORMER_SEED, certificate: former };
  const proof = proveIdentity(SAMPLE_BOOT_IDENTITY, { nonce: NONCE, csr, confirmed: true, former: held });
  const parts = accepted(parseIdentityProof(proof));
  const use = { product, root, deviceId, certificate: sha256Hex(certificate) };
  const made = { csr, certificate, proof, evidence: parts.evidence, extension: encodeIdentityExtension(extension) };
  return new Map([
    [
      'refused.json',
      `[\n${refusals(made)
        .map((refused) => JSON.stringify(refused))
        .join(',\n')}\n]\n`,
    ],
    ['manifest.json', textOf(await signedManifest())],
    ['boot-statement.json', textOf(parts.statement)],
    ['enrolment.json', textOf(parts.enrolment)],
    ['proof.json', textOf(proof)],
    ['use.json', textOf(signIdentityUse(use, { seed: SEED, certificate }))],
    ['evidence.hex', `${encodeHex(parts.evidence)}\n`],
    ['extension.hex', `${encodeHex(made.extension)}\n`],
    ['request.b64', `${encodeBase64(csr)}\n`],
    ['ca.b64', `${encodeBase64(await caCertificate(ca))}\n`],
    ['former.b64', `${encodeBase64(former)}\n`],
    ['certificate.b64', `${encodeBase64(certificate)}\n`],
    ['answer.b64', `${encodeBase64(certificatesOnly(certificate))}\n`],
    [
      'keys.json',
      `${JSON.stringify({
        factory: SAMPLE_FACTORY.key.public,
        device: SAMPLE_MANIFEST.devices[0]?.publicKey,
        evidence: SAMPLE_BOOT_IDENTITY.boot.evidenceKey,
        ca: SAMPLE_ANCHOR.key.public,
        former: encodeHex(formerKey),
        certificate: encodeHex(key),
        payloadTypes: { manifest: MANIFEST_PAYLOAD_TYPE, enrolment: ENROLMENT_PAYLOAD_TYPE },
      })}\n`,
    ],
  ]);
}

/** The parts in JSON, with what their formats rule. */
function jsonFormats({ csr, proof }: Made): readonly PartFormat[] {
  const [device] = SAMPLE_MANIFEST.devices;
  const manifest = textOf(encodeFactoryManifest(SAMPLE_MANIFEST));
  const boot = { ...SAMPLE_BOOT, evidenceKey: 'cd'.repeat(32) };
  const use = { product: 'gateway', root: 'ab'.repeat(32), deviceId: 'cd'.repeat(32), certificate: 'ef'.repeat(32) };
  const version = ['a version that is not known', { version: 2 }] as const;
  return [
    {
      ...{ of: 'manifest', code: 'MANIFEST_MALFORMED', text: manifest, optional: [] },
      rules: [
        version,
        ['no device', { devices: [] }],
        ['a device twice', { devices: [device, device] }],
        ['an id that is not the digest of the key', { devices: [{ ...device, deviceId: 'ab'.repeat(32) }] }],
        ['a class that there is not', { devices: [{ ...device, class: 'trusted' }] }],
        ['a device of no component', { devices: [{ ...device, components: [] }] }],
        ['a device with a member more', { devices: [{ ...device, owner: 'x' }] }],
      ],
    },
    {
      ...{ of: 'boot statement', code: 'EVIDENCE_MALFORMED', text: textOf(encodeBootStatement(boot)), optional: [] },
      rules: [
        version,
        ['a slot that there is not', { slot: 'c' }],
        ['a mode that there is not', { mode: 'recovery' }],
        ['a key of 31 bytes', { evidenceKey: 'cd'.repeat(31) }],
        ['a channel below the first version', { channelVersion: 0 }],
        ['nothing was started', { components: [] }],
      ],
    },
    {
      ...{
        of: 'enrolment',
        code: 'ENROLMENT_MALFORMED',
        text: textOf(encodeEnrolment(SAMPLE_ENROLMENT)),
        optional: ['predecessor'],
      },
      rules: [
        version,
        ['a purpose that there is not', { purpose: 'revoke' }],
        ['it follows, and names nothing', { purpose: 'rotate', predecessor: undefined }],
        ['it is the first, and follows', { purpose: 'enrol', predecessor: 'ab'.repeat(32) }],
        ['a nonce of 47 bytes', { nonce: 'ab'.repeat(47) }],
      ],
    },
    {
      ...{ of: 'proof', code: 'ENROLMENT_MALFORMED', text: textOf(proof), optional: [] },
      rules: [version, ['evidence that is no base64', { evidence: '???' }]],
    },
    {
      ...{ of: 'use', code: 'ENROLMENT_MALFORMED', text: textOf(encodeIdentityUse(use)), optional: [] },
      rules: [version, ['a certificate of 31 bytes', { certificate: 'ef'.repeat(31) }]],
    },
    {
      ...{ of: 'issue request', code: 'ENROLMENT_MALFORMED', optional: [] },
      text: textOf(encodeIssueRequest({ purpose: 'enrol', csr, proof })),
      rules: [
        version,
        ['a purpose that there is not', { purpose: 'revoke' }],
        ['a request that is no base64', { csr: '???' }],
      ],
    },
  ];
}

/** Parts with one fault each: those in JSON, and the bytes of others, cut, grown and altered; of these `text` is in hex. */
function refusals(made: Made): readonly RefusedPart[] {
  const { csr, certificate, evidence, extension } = made;
  const bytes = [
    ['evidence', 'EVIDENCE_MALFORMED', evidence],
    ['extension', 'CERTIFICATE_REFUSED', extension],
    ['certificate request', 'CSR_REFUSED', csr],
    ['certificate', 'CERTIFICATE_REFUSED', certificate],
  ] as const;
  return [
    ...jsonFormats(made).flatMap(refusedParts),
    ...bytes.flatMap(([of, code, sample]) => refusedBytes({ of, code, sample })),
  ];
}

type Made = Readonly<Record<'csr' | 'certificate' | 'evidence' | 'extension' | 'proof', Uint8Array>>;

async function signedManifest(): Promise<Uint8Array> {
  const payload = encodeFactoryManifest(SAMPLE_MANIFEST);
  const sig = await seededSigner('factory graz').sign(preAuthEncoding(MANIFEST_PAYLOAD_TYPE, payload));
  return encodeEnvelope({ payloadType: MANIFEST_PAYLOAD_TYPE, payload, signatures: [{ keyid: '', sig }] });
}

function textOf(bytes: Uint8Array): string {
  return parseUtf8(bytes) ?? '';
}

if (import.meta.main && process.argv.includes('--write')) {
  mkdirSync(IDENTITY_VECTORS, { recursive: true });
  for (const [name, content] of await identityVectorFiles()) writeFileSync(`${IDENTITY_VECTORS}${name}`, content);
}
