/**
 * The vectors of `docs/formats/identity.md`.
 *
 * - `node cli/node24.js test/formats/identity-vectors.ts --write` writes them; a test holds the files equal, byte for byte.
 * - Signatures under Ed25519 are always the same, so that every file is.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeBase64, encodeHex, parseUtf8 } from '../../formats/bytes.ts';
import { encodeEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { ed25519PublicKey } from '../../formats/ed25519-key.ts';
import { ENROLMENT_PAYLOAD_TYPE, parseIdentityProof } from '../../formats/enrolment.ts';
import { encodeFactoryManifest, MANIFEST_PAYLOAD_TYPE } from '../../formats/factory-manifest.ts';
import { encodeIdentityExtension } from '../../formats/identity-extension.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { freshKeyNode } from '../../bootloader-verifier/agent/identity-key-node.ts';
import { proveIdentity, signIdentityUse } from '../../bootloader-verifier/agent/prove-identity.ts';
import { caCertificate, issueLeaf } from '../../signer/identity/certificate-authority.ts';
import { certificatesOnly } from '../../signer/identity/certificates-only.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { SAMPLE_ANCHOR, SAMPLE_FACTORY, SAMPLE_MANIFEST } from './sample-identity.ts';
import { SAMPLE_BOOT_IDENTITY, SAMPLE_EXTENSION } from './sample-proof.ts';

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
  return new Map([
    ['manifest.json', textOf(await signedManifest())],
    ['boot-statement.json', textOf(parts.statement)],
    ['enrolment.json', textOf(parts.enrolment)],
    ['proof.json', textOf(proof)],
    ['use.json', textOf(signIdentityUse(use, { seed: SEED, certificate }))],
    ['evidence.hex', `${encodeHex(parts.evidence)}\n`],
    ['extension.hex', `${encodeHex(encodeIdentityExtension(extension))}\n`],
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
