/** The attestation of a build, read back as a device reads it and by an independent reader. */
import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { attest, type AttestOptions } from '../../actions/attest/run.ts';
import type { Build } from '../../actions/build/run.ts';
import { FIRST_SURROUNDINGS, SECOND_SURROUNDINGS } from '../../actions/build/varied-surroundings.ts';
import { encodeHex, encodeUtf8 } from '../../formats/bytes.ts';
import { parseEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { parseProvenance, reproduced } from '../../formats/provenance.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { checkSignaturePortable, type PublicKey } from '../../formats/signature-check.ts';
import { STATEMENT_PAYLOAD_TYPE } from '../../formats/statement.ts';
import { seededSigner } from '../seeded-signer.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const rawKey = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32));
const key: PublicKey = { keytype: 'ed25519', scheme: 'ed25519', public: encodeHex(rawKey) };

const image = encodeUtf8('console.log("firmware")');
const sha256 = sha256Hex(image);
const build: Build = {
  image,
  sha256,
  command: ['node', 'build.ts', '2.0.0'],
  output: 'dist/gateway.js',
  environment: new Map([['CHANNEL', 'stable']]),
  sourceDirHash: sha256Hex(encodeUtf8('the files')),
  dependencies: [{ name: 'package-lock.json', sha256: sha256Hex(encodeUtf8('the lock')) }],
  nodeVersion: 'v24.21.0',
  startedOn: Date.UTC(2030, 0, 31, 10, 0, 0),
  finishedOn: Date.UTC(2030, 0, 31, 10, 0, 3),
  runs: [
    { sha256, surroundings: FIRST_SURROUNDINGS },
    { sha256, surroundings: SECOND_SURROUNDINGS },
  ],
};

function options(changes: Partial<AttestOptions> = {}): AttestOptions {
  return {
    build,
    imageName: 'gateway.js',
    source: { uri: 'git+https://example.com/gateway', folder: 'firmware', commit: undefined },
    builderId: 'https://example.com/builders/one',
    invocationId: 'https://example.com/builds/17',
    signer: {
      key,
      keyid: 'builder-one',
      sign: async (message) => Promise.resolve(sign(undefined, message, privateKey)),
    },
    ...changes,
  };
}

describe('the provenance of a build', () => {
  test('is signed over its exact bytes, so that devices find signature, subject, source and both runs', async () => {
    const envelope = parseEnvelope(await attest(options()), STATEMENT_PAYLOAD_TYPE);
    if (!envelope.ok) throw new Error(envelope.detail);
    const { payload, signatures } = envelope.value;
    const [{ keyid, sig } = { keyid: '', sig: new Uint8Array() }] = signatures;
    expect(keyid).toBe('builder-one');
    expect(checkSignaturePortable(key, preAuthEncoding(STATEMENT_PAYLOAD_TYPE, payload), sig)).toBe(true);
    const provenance = parseProvenance(payload);
    if (!provenance.ok) throw new Error(provenance.detail);
    expect(provenance.value).toMatchObject({
      subjects: [{ name: 'gateway.js', sha256 }],
      source: { uri: 'git+https://example.com/gateway', commit: build.sourceDirHash, algorithm: 'dirHash' },
      builderId: 'https://example.com/builders/one',
      startedOn: build.startedOn,
      finishedOn: build.finishedOn,
      runs: build.runs,
    });
    expect(reproduced(provenance.value)).toBe(true);
  });

  test('is, for the same build and key, the very bytes of the vector', async () => {
    const vector = readFileSync(new URL('../vectors/provenance/envelope.json', import.meta.url));
    const envelope = await attest(options({ signer: seededSigner('builder') }));
    expect(new TextDecoder().decode(envelope)).toBe(new TextDecoder().decode(vector));
  });

  test('is a SLSA provenance for readers that know nothing of ours', async () => {
    const envelope: unknown = JSON.parse(new TextDecoder().decode(await attest(options())));
    const { payload, payloadType, signatures } = envelope as {
      payload: string;
      payloadType: string;
      signatures: readonly { sig: string }[];
    };
    const body = Buffer.from(payload, 'base64');
    const message = Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${body.length} `), body]);
    expect(verify(undefined, message, publicKey, Buffer.from(signatures[0]?.sig ?? '', 'base64'))).toBe(true);
    expect(JSON.parse(body.toString())).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: createHash('sha256').update(image).digest('hex') } }],
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: {
        buildDefinition: {
          buildType: 'https://firmament.dev/buildtypes/two-runs/v1',
          externalParameters: { source: 'git+https://example.com/gateway', environment: { CHANNEL: 'stable' } },
          resolvedDependencies: [{ digest: { dirHash: build.sourceDirHash } }, { name: 'package-lock.json' }],
        },
        runDetails: {
          builder: { id: 'https://example.com/builders/one', version: { node: 'v24.21.0' } },
          metadata: { invocationId: 'https://example.com/builds/17', startedOn: '2030-01-31T10:00:00Z' },
          byproducts: [
            { name: 'run-1', digest: { sha256 } },
            { name: 'run-2', digest: { sha256 } },
          ],
        },
      },
    });
  });

  test('pins the git commit where the caller names one', async () => {
    const commit = '0123456789abcdef0123456789abcdef01234567';
    const source = { uri: 'git+https://example.com/gateway', folder: '.', commit };
    const envelope = parseEnvelope(await attest(options({ source })), STATEMENT_PAYLOAD_TYPE);
    const provenance = parseProvenance(envelope.ok ? envelope.value.payload : new Uint8Array());
    expect(provenance).toMatchObject({ ok: true, value: { source: { commit, algorithm: 'gitCommit' } } });
  });

  test('is never signed for a build whose runs share a surrounding', async () => {
    const alike = { ...SECOND_SURROUNDINGS, timeZone: FIRST_SURROUNDINGS.timeZone };
    const runs = [
      { sha256, surroundings: FIRST_SURROUNDINGS },
      { sha256, surroundings: alike },
    ];
    const refusing = { key, keyid: '', sign: () => Promise.reject(new Error('it was asked to sign')) };
    const attempt = attest(options({ build: { ...build, runs }, signer: refusing }));
    await expect(attempt).rejects.toThrow('only a reproduced build is attested');
  });

  test('is never signed with what devices could not read', async () => {
    const attempt = attest(options({ builderId: 'not a URI' }));
    await expect(attempt).rejects.toThrow('a provenance that devices would refuse');
  });
});
